//! Who may do what under `baseline`, printed: a change of a policy shows its consequences in the difference.

use std::fmt::Write as _;

use clawd_model::{
    DecisionKind, Labels, MissingVotes, PrincipalKind, RunId, SeededEntropy, Server, Timestamp,
};
use clawd_policy::{Action, Approvals, Bundle, ControlAction, Request, Resource, ResourceKind, RunFacts};

use crate::support::{baseline, principal, server, vocabulary};

const ROLES: [(&str, PrincipalKind, &[&str]); 10] = [
    ("admin", PrincipalKind::User, &["admin"]),
    ("operator", PrincipalKind::User, &["operator"]),
    ("viewer", PrincipalKind::User, &["viewer"]),
    ("auditor", PrincipalKind::User, &["auditor"]),
    ("sre", PrincipalKind::User, &["sre"]),
    ("security", PrincipalKind::User, &["security"]),
    ("nobody", PrincipalKind::User, &[]),
    ("agent", PrincipalKind::Agent, &["operator"]),
    ("trigger", PrincipalKind::Trigger, &["operator"]),
    ("service", PrincipalKind::Service, &["operator"]),
];

fn missing(alternatives: &[MissingVotes]) -> String {
    let each = alternatives.iter().map(|alternative| {
        let groups = alternative
            .groups
            .iter()
            .map(|(group, more)| format!("{more} {group}"));
        let anybody = (alternative.distinct > 0).then(|| format!("{} any", alternative.distinct));
        groups.chain(anybody).collect::<Vec<_>>().join("+")
    });
    each.collect::<Vec<_>>().join(" or ")
}

/// One cell: `yes`, `-`, or the missing votes.
fn cell(
    bundle: &Bundle,
    role: &(&str, PrincipalKind, &[&str]),
    action: Action<'_>,
    resource: Resource<'_>,
) -> String {
    let (name, kind, groups) = *role;
    let asker = principal(name, kind, groups);
    let approvals = Approvals::none();
    let (runbook, labels) = ("patch".parse().unwrap(), Labels::new());
    let request = Request {
        principal: &asker,
        action,
        resource,
        run: Some(RunFacts {
            runbook: &runbook,
            labels: &labels,
            requester: &asker.name,
        }),
        approvals: &approvals,
        now: Timestamp(0),
    };
    match bundle.decide(&request, &[]).kind {
        DecisionKind::Allow => "yes".to_owned(),
        DecisionKind::Deny => "-".to_owned(),
        DecisionKind::NeedsApproval {
            missing: alternatives,
            ..
        } => missing(&alternatives),
    }
}

fn row(out: &mut String, head: &str, cells: impl Iterator<Item = String>) {
    let mut line = format!("{head:<34}");
    for cell in cells {
        let _ = write!(line, " {cell:<18}");
    }
    let _ = writeln!(out, "{}", line.trim_end());
}

#[test]
fn control_actions() {
    let bundle = baseline();
    let (tenant, other) = ("demo".parse().unwrap(), "acme".parse().unwrap());
    let (runbook, labels, web) = ("patch".parse().unwrap(), Labels::new(), server("web-1", "prod"));
    let requester = "olga".parse().unwrap();
    let mut out = String::new();
    row(&mut out, "", ROLES.iter().map(|role| role.0.to_owned()));
    for action in ControlAction::ALL {
        for kind in action.resources() {
            let resource = match kind {
                ResourceKind::Tenant => Resource::Tenant(&tenant),
                ResourceKind::Server => Resource::Server(&web),
                ResourceKind::Controller => Resource::Controller(&tenant),
                ResourceKind::Run => Resource::Run {
                    tenant: &tenant,
                    id: RunId::new(Timestamp(0), &SeededEntropy::new(1)),
                    requester: &requester,
                    runbook: &runbook,
                },
                ResourceKind::Approval => Resource::Approval {
                    tenant: &tenant,
                    id: None,
                    requester: &requester,
                    operator: None,
                    runbook: Some(&runbook),
                },
                ResourceKind::Runbook => Resource::Runbook {
                    tenant: &tenant,
                    name: &runbook,
                    labels: &labels,
                },
            };
            let head = format!("{} on {}", action.as_str(), kind.as_str());
            let cells = ROLES
                .iter()
                .map(|role| cell(&bundle, role, Action::Control(*action), resource));
            row(&mut out, &head, cells);
        }
        for role in &ROLES {
            let abroad = cell(&bundle, role, Action::Control(*action), Resource::Tenant(&other));
            assert_eq!(abroad, "-", "{} of another tenant by {}", action.as_str(), role.0);
        }
    }
    insta::assert_snapshot!(out);
}

#[test]
fn operations() {
    let bundle = baseline();
    let vocabulary = vocabulary();
    let mut protected = server("db-1", "staging");
    protected.protected = true;
    let mut foreign = server("web-1", "staging");
    foreign.tenant = "acme".parse().unwrap();
    let places: [(&str, Option<Server>); 7] = [
        ("prod", Some(server("web-1", "prod"))),
        ("misspelt", Some(server("web-1", "Prod "))),
        ("staging", Some(server("web-1", "staging"))),
        ("sim", Some(server("web-1", "sim"))),
        ("protected", Some(protected)),
        ("controller", None),
        ("foreign", Some(foreign)),
    ];
    let tenant = "demo".parse().unwrap();
    let mut out = String::new();
    row(&mut out, "", ROLES.iter().map(|role| role.0.to_owned()));
    for spec in &vocabulary.operations {
        for (place, target) in &places {
            let resource = target
                .as_ref()
                .map_or(Resource::Controller(&tenant), Resource::Server);
            let cells = ROLES
                .iter()
                .map(|role| cell(&bundle, role, Action::Operation(spec), resource));
            row(&mut out, &format!("{} in {place}", spec.name.action()), cells);
        }
    }
    insta::assert_snapshot!(out);
}
