//! Operations, groups, people and servers to ask about.

use clawd_model::{
    GroupName, OperationSpec, Principal, PrincipalKind, PrincipalName, SeededEntropy, Server, ServerId,
    ServerProvider, TenantName, Timestamp,
};

use crate::{Approvals, Resource, Vocabulary, library};

pub(super) struct World {
    pub(super) vocabulary: Vocabulary,
    pub(super) tenant: TenantName,
}

impl World {
    pub(super) fn new() -> Self {
        Self {
            vocabulary: library::vocabulary(clawd_provider::contract::all()),
            tenant: "demo".parse().unwrap(),
        }
    }

    pub(super) fn operation(&self, action: &str) -> &OperationSpec {
        let found = self
            .vocabulary
            .operations
            .iter()
            .find(|spec| spec.name.action() == action);
        found.unwrap()
    }

    /// So many votes per group, all of different people.
    pub(super) fn votes(&self, groups: &[(&str, u32)]) -> Approvals {
        let mut votes = Approvals::none();
        for (group, count) in groups {
            for number in 0..*count {
                votes.add(&principal(
                    &format!("{group}-{number}"),
                    PrincipalKind::User,
                    &[group],
                ));
            }
        }
        votes
    }

    pub(super) fn about<'a>(&'a self, requester: &'a PrincipalName) -> Resource<'a> {
        Resource::Approval {
            tenant: &self.tenant,
            id: None,
            requester,
            operator: None,
            runbook: None,
        }
    }
}

pub(super) fn principal(name: &str, kind: PrincipalKind, groups: &[&str]) -> Principal {
    Principal {
        tenant: "demo".parse().unwrap(),
        kind,
        name: name.parse().unwrap(),
        display_name: String::new(),
        groups: groups
            .iter()
            .map(|group| group.parse::<GroupName>().unwrap())
            .collect(),
        operator: None,
        disabled: false,
    }
}

pub(super) fn server(name: &str, env: &str) -> Server {
    Server {
        id: ServerId::new(Timestamp(0), &SeededEntropy::new(1)),
        tenant: "demo".parse().unwrap(),
        name: name.parse().unwrap(),
        provider: ServerProvider::Ssh,
        address: String::new(),
        env: env.to_owned(),
        labels: std::collections::BTreeMap::new(),
        protected: false,
        host_key: None,
        identity: None,
        facts: None,
        version: 1,
    }
}
