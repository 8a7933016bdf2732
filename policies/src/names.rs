//! Names of Cedar entity types, parsed once.

use std::sync::LazyLock;

use cedar_policy::{EntityId, EntityTypeName, EntityUid};
use clawd_model::PrincipalKind;

use crate::ResourceKind;

/// Every kind of principal, in the order of the schema.
pub(crate) const PRINCIPAL_KINDS: [PrincipalKind; 4] = [
    PrincipalKind::User,
    PrincipalKind::Agent,
    PrincipalKind::Trigger,
    PrincipalKind::Service,
];

/// The attributes of `Approvals` that are not groups; no group can have these names.
pub(crate) const DISTINCT: &str = "distinct";
pub(crate) const BREAK_GLASS: &str = "break_glass";

/// The entity types of the schema.
pub(crate) struct Types {
    pub(crate) user: EntityTypeName,
    pub(crate) agent: EntityTypeName,
    pub(crate) trigger: EntityTypeName,
    pub(crate) service: EntityTypeName,
    pub(crate) group: EntityTypeName,
    pub(crate) tenant: EntityTypeName,
    pub(crate) server: EntityTypeName,
    pub(crate) controller: EntityTypeName,
    pub(crate) run: EntityTypeName,
    pub(crate) approval: EntityTypeName,
    pub(crate) runbook: EntityTypeName,
    pub(crate) action: EntityTypeName,
    /// The one entity that holds the counts of votes.
    pub(crate) votes: EntityUid,
}

fn type_name(text: &str) -> EntityTypeName {
    text.parse()
        .expect("the names of our entity types are identifiers")
}

pub(crate) static TYPES: LazyLock<Types> = LazyLock::new(|| Types {
    user: type_name("User"),
    agent: type_name("Agent"),
    trigger: type_name("Trigger"),
    service: type_name("Service"),
    group: type_name("Group"),
    tenant: type_name("Tenant"),
    server: type_name("Server"),
    controller: type_name("Controller"),
    run: type_name("Run"),
    approval: type_name("Approval"),
    runbook: type_name("Runbook"),
    action: type_name("Action"),
    votes: EntityUid::from_type_name_and_id(type_name("Approvals"), EntityId::new("votes")),
});

impl Types {
    pub(crate) fn principal(&self, kind: PrincipalKind) -> &EntityTypeName {
        match kind {
            PrincipalKind::User => &self.user,
            PrincipalKind::Agent => &self.agent,
            PrincipalKind::Trigger => &self.trigger,
            PrincipalKind::Service => &self.service,
        }
    }

    pub(crate) fn resource(&self, kind: ResourceKind) -> &EntityTypeName {
        match kind {
            ResourceKind::Tenant => &self.tenant,
            ResourceKind::Server => &self.server,
            ResourceKind::Controller => &self.controller,
            ResourceKind::Run => &self.run,
            ResourceKind::Approval => &self.approval,
            ResourceKind::Runbook => &self.runbook,
        }
    }
}

/// The entity of this type and id.
pub(crate) fn uid(kind: &EntityTypeName, id: &str) -> EntityUid {
    EntityUid::from_type_name_and_id(kind.clone(), EntityId::new(id))
}
