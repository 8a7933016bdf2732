//! Everything that is built has the shape that the schema declares.

use cedar_policy::{Context, Request as CedarRequest};
use clawd_model::{PrincipalKind, SeededEntropy, Server, ServerId, ServerProvider};

use super::*;
use crate::{Action, Bundle, ControlAction, ResourceKind, library};

fn bundle() -> Bundle {
    let vocabulary = library::vocabulary(clawd_provider::contract::all());
    Bundle::load(&library::baseline(), &vocabulary).unwrap()
}

fn asker(kind: PrincipalKind) -> Principal {
    Principal {
        tenant: "demo".parse().unwrap(),
        kind,
        name: "ana".parse().unwrap(),
        display_name: "Ana".into(),
        // A group that the vocabulary does not know has no effect.
        groups: ["operator", "unheard_of"]
            .iter()
            .map(|group| group.parse().unwrap())
            .collect(),
        operator: Some("ben".parse().unwrap()),
        disabled: false,
    }
}

fn a_server() -> Server {
    Server {
        id: ServerId::new(Timestamp(0), &SeededEntropy::new(1)),
        tenant: "demo".parse().unwrap(),
        name: "web-1".parse().unwrap(),
        provider: ServerProvider::Sim,
        address: String::new(),
        env: "prod".into(),
        labels: Labels::from([
            ("role".into(), "web".into()),
            ("odd \" key\n".into(), "\\".into()),
        ]),
        protected: true,
        host_key: None,
        identity: None,
        facts: None,
        version: 1,
    }
}

#[test]
fn every_kind_of_request_conforms_to_the_schema() {
    let bundle = bundle();
    let (server, labels) = (a_server(), Labels::from([("risk".into(), "low".into())]));
    let (tenant, name, runbook) = (
        "demo".parse().unwrap(),
        "ana".parse().unwrap(),
        "patch".parse().unwrap(),
    );
    let mut votes_cast = Approvals::none();
    votes_cast.add(&asker(PrincipalKind::User));
    let mut asked = 0;
    for kind in crate::names::PRINCIPAL_KINDS {
        let principal = asker(kind);
        for action in &bundle.actions {
            for resource_kind in ResourceKind::ALL
                .into_iter()
                .filter(|resource| action.applies_to(kind, *resource))
            {
                let resource = match resource_kind {
                    ResourceKind::Tenant => Resource::Tenant(&tenant),
                    ResourceKind::Server => Resource::Server(&server),
                    ResourceKind::Controller => Resource::Controller(&tenant),
                    ResourceKind::Run => Resource::Run {
                        tenant: &tenant,
                        id: clawd_model::RunId::new(Timestamp(0), &SeededEntropy::new(1)),
                        requester: &name,
                        runbook: &runbook,
                    },
                    ResourceKind::Approval => Resource::Approval {
                        tenant: &tenant,
                        id: None,
                        requester: &name,
                        operator: Some(&name),
                        runbook: Some(&runbook),
                    },
                    ResourceKind::Runbook => Resource::Runbook {
                        tenant: &tenant,
                        name: &runbook,
                        labels: &labels,
                    },
                };
                for in_run in [true, false] {
                    let request = Request {
                        principal: &principal,
                        action: Action::Control(ControlAction::RunRead),
                        resource,
                        run: in_run.then_some(RunFacts {
                            runbook: &runbook,
                            labels: &labels,
                            requester: &name,
                        }),
                        approvals: &votes_cast,
                        now: Timestamp(1_772_506_800_007),
                    };
                    let mut entities = parties(&request, &bundle.groups, Facts::ALL).unwrap();
                    entities.push(votes(&votes_cast, &bundle.groups).unwrap());
                    Entities::from_entities(entities, Some(&bundle.schema)).unwrap();
                    let (who, what) = (principal_uid(&principal), resource_uid(resource));
                    let facts = context(&request, Facts::ALL).unwrap();
                    CedarRequest::new(who, action.uid.clone(), what, facts, Some(&bundle.schema)).unwrap();
                    asked += 1;
                }
            }
        }
    }
    assert!(asked > 200, "{asked}");
}

#[test]
fn only_what_is_observed_is_built() {
    let bundle = bundle();
    let (principal, server, none) = (asker(PrincipalKind::Agent), a_server(), Approvals::none());
    let request = Request {
        principal: &principal,
        action: Action::Control(ControlAction::ServerRead),
        resource: Resource::Server(&server),
        run: None,
        approvals: &none,
        now: Timestamp(0),
    };
    let built = parties(&request, &bundle.groups, Facts::ENV).unwrap();
    let attributes: Vec<Vec<&str>> = built
        .iter()
        .map(|entity| entity.attrs().map(|(name, _)| name).collect())
        .collect();
    assert_eq!(attributes, [vec![], vec!["env"]]);
    assert_eq!(built[1].tags().count(), 0);
    assert_eq!(
        context(&request, Facts::ENV).unwrap().into_iter().count(),
        Context::empty().into_iter().count()
    );
    let all = parties(&request, &bundle.groups, Facts::ALL).unwrap();
    assert_eq!(all[0].attrs().count(), 4, "tenant, name, disabled, operator");
    assert_eq!((all[1].attrs().count(), all[1].tags().count()), (5, 2));
}

#[test]
fn times_have_exactly_three_digits_of_a_second() {
    for (at, text) in [
        (0, "1970-01-01T00:00:00.000Z"),
        (1_772_506_800_007, "2026-03-03T03:00:00.007Z"),
        (1_772_506_800_250, "2026-03-03T03:00:00.250Z"),
        (-1, "1969-12-31T23:59:59.999Z"),
    ] {
        assert_eq!(cedar_time(Timestamp(at)), text);
    }
}
