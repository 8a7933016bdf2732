//! An allow is remembered for its own question, and for no other.

use std::collections::BTreeMap;

use clawd_model::{
    Labels, Principal, PrincipalKind, PrincipalName, RunbookName, SeededEntropy, Server, ServerId,
    ServerProvider, Timestamp,
};

use crate::{Action, Approvals, Bundle, Request, Resource, RunFacts, library};

/// Allows exactly one question; every condition is a different thing that a policy can observe.
const POLICIES: &str = r#"
@id("all") permit(principal, action in [Action::"pkg.apply", Action::"shell"], resource);
@id("kind") forbid(principal is Service, action, resource);
@id("name") forbid(principal, action, resource) unless { principal.name == "ana" };
@id("group") forbid(principal, action, resource) unless { principal in Group::"operator" };
@id("operator") forbid(principal is Agent, action, resource) unless { principal has operator && principal.operator == "olga" };
@id("action") forbid(principal, action == Action::"shell", resource);
@id("server") forbid(principal, action, resource is Server) unless { resource.name == "web-1" };
@id("provider") forbid(principal, action, resource is Server) unless { resource.provider == "ssh" };
@id("env") forbid(principal, action, resource is Server) unless { resource.env == "prod" };
@id("protected") forbid(principal, action, resource is Server) when { resource.protected };
@id("label") forbid(principal, action, resource is Server) unless { resource.hasTag("role") && resource.getTag("role") == "web" };
@id("in-run") forbid(principal, action, resource) unless { context has run };
@id("runbook") forbid(principal, action, resource) when { context has run && context.run.runbook != Runbook::"patch" };
@id("requester") forbid(principal, action, resource) when { context has run && context.run.requester != "ana" };
@id("risk") forbid(principal, action, resource) when { context has run && context.run.runbook.hasTag("risk") };
@id("votes") forbid(principal, action, resource) unless { context.approvals.sre >= 1 && context.approvals.distinct >= 2 };
@id("glass") forbid(principal, action, resource) unless { context.approvals.break_glass };
"#;

type Change = fn(&mut Question);

#[derive(Clone)]
struct Question {
    principal: Principal,
    operation: &'static str,
    server: Server,
    run: Option<(RunbookName, Labels, PrincipalName)>,
    approvals: Approvals,
}

fn person(name: &str, kind: PrincipalKind, groups: &[&str]) -> Principal {
    Principal {
        tenant: "demo".parse().unwrap(),
        kind,
        name: name.parse().unwrap(),
        display_name: String::new(),
        groups: groups.iter().map(|group| group.parse().unwrap()).collect(),
        operator: Some("olga".parse().unwrap()),
        disabled: false,
    }
}

fn allowed_question() -> Question {
    let mut approvals = Approvals {
        break_glass: true,
        ..Approvals::none()
    };
    approvals.add(&person("ben", PrincipalKind::User, &["sre"]));
    approvals.add(&person("cho", PrincipalKind::User, &[]));
    Question {
        principal: person("ana", PrincipalKind::Agent, &["operator"]),
        operation: "pkg.apply",
        server: Server {
            id: ServerId::new(Timestamp(0), &SeededEntropy::new(1)),
            tenant: "demo".parse().unwrap(),
            name: "web-1".parse().unwrap(),
            provider: ServerProvider::Ssh,
            address: String::new(),
            env: "prod".into(),
            labels: Labels::from([("role".into(), "web".into())]),
            protected: false,
            host_key: None,
            identity: None,
            facts: None,
            version: 1,
        },
        run: Some(("patch".parse().unwrap(), Labels::new(), "ana".parse().unwrap())),
        approvals,
    }
}

#[test]
fn whatever_changes_in_a_question_it_is_another_question() {
    let vocabulary = library::vocabulary(clawd_provider::contract::all());
    let files = BTreeMap::from([("a.cedar".to_owned(), POLICIES.to_owned())]);
    let bundle = Bundle::load(&files, &vocabulary).unwrap();
    let ask = |question: &Question| {
        let mut operations = vocabulary.operations.iter();
        let request = Request {
            principal: &question.principal,
            action: Action::Operation(
                operations
                    .find(|spec| spec.name.action() == question.operation)
                    .unwrap(),
            ),
            resource: Resource::Server(&question.server),
            run: question
                .run
                .as_ref()
                .map(|(runbook, labels, requester)| RunFacts {
                    runbook,
                    labels,
                    requester,
                }),
            approvals: &question.approvals,
            now: Timestamp(0),
        };
        bundle.decide(&request, &[]).is_allow()
    };
    let changes: [(&str, Change); 20] = [
        ("tenant of the principal", |q| {
            q.principal.tenant = "acme".parse().unwrap()
        }),
        ("kind", |q| q.principal.kind = PrincipalKind::Service),
        ("name", |q| q.principal.name = "eve".parse().unwrap()),
        ("groups", |q| q.principal.groups.clear()),
        ("operator", |q| q.principal.operator = None),
        ("disabled", |q| q.principal.disabled = true),
        ("action", |q| q.operation = "shell"),
        ("tenant of the server", |q| {
            q.server.tenant = "acme".parse().unwrap()
        }),
        ("server", |q| q.server.name = "web-2".parse().unwrap()),
        ("provider", |q| q.server.provider = ServerProvider::Sim),
        ("env", |q| q.server.env = "staging".into()),
        ("labels", |q| q.server.labels.clear()),
        ("protected", |q| q.server.protected = true),
        ("run", |q| q.run = None),
        ("runbook", |q| {
            q.run.as_mut().unwrap().0 = "other".parse().unwrap()
        }),
        ("labels of the runbook", |q| {
            q.run.as_mut().unwrap().1.insert("risk".into(), "high".into());
        }),
        ("requester", |q| {
            q.run.as_mut().unwrap().2 = "eve".parse().unwrap()
        }),
        ("people who voted", |q| q.approvals.distinct = 1),
        ("votes of a group", |q| q.approvals.groups.clear()),
        ("emergency way in", |q| q.approvals.break_glass = false),
    ];
    for (what, change) in changes {
        let question = allowed_question();
        assert!(ask(&question), "allowed, and remembered");
        let mut other = question.clone();
        change(&mut other);
        assert!(!ask(&other), "{what}");
        assert!(!ask(&other), "{what}, again");
        assert!(ask(&question), "still allowed after {what}");
    }
}
