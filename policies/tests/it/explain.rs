//! Explanations: what each policy has to do with a request.

use clawd_model::{Labels, PrincipalKind, Timestamp};
use clawd_policy::{Action, Approvals, Explanation, Request, Resource, RunFacts};

use crate::support::{baseline, principal, server, vocabulary};

fn explain(operation: &str, env: &str, voters: &[&str]) -> Explanation {
    let (bundle, vocabulary) = (baseline(), vocabulary());
    let electorate = [
        principal("ana", PrincipalKind::User, &["operator"]),
        principal("ben", PrincipalKind::User, &["sre"]),
        principal("cho", PrincipalKind::User, &["sre"]),
        principal("sam", PrincipalKind::User, &["security"]),
    ];
    let mut approvals = Approvals::none();
    for voter in electorate
        .iter()
        .filter(|voter| voters.contains(&voter.name.as_str()))
    {
        approvals.add(voter);
    }
    let (web, runbook, labels) = (server("web-1", env), "patch".parse().unwrap(), Labels::new());
    let found = vocabulary
        .operations
        .iter()
        .find(|spec| spec.name.action() == operation);
    let request = Request {
        principal: &electorate[0],
        action: Action::Operation(found.unwrap()),
        resource: Resource::Server(&web),
        run: Some(RunFacts {
            runbook: &runbook,
            labels: &labels,
            requester: &electorate[0].name,
        }),
        approvals: &approvals,
        now: Timestamp(0),
    };
    bundle.explain(&request, &electorate)
}

fn shown(explanation: &Explanation) -> Vec<String> {
    let outcomes = explanation.policies.iter();
    outcomes
        .map(|one| {
            format!(
                "{} {}: {:?}",
                one.policy.kind.as_str(),
                one.policy.id,
                one.outcome
            )
        })
        .collect()
}

#[test]
fn what_asks_for_votes_what_was_lifted_and_what_does_not_apply() {
    assert_eq!(
        shown(&explain("shell", "prod", &["ben", "cho"])),
        [
            "capability roles.operations: Applies",
            "guard production.shell-needs-security: AsksForVotes",
            "guard production.two-votes: LiftedByVotes",
            "rule builtin.tenant-isolation: DoesNotApply",
            "rule builtin.disabled-principal: DoesNotApply",
            "rule protected.no-changes: DoesNotApply",
        ]
    );
    let staging = explain("shell", "staging", &[]);
    assert!(staging.decision.is_allow());
    assert_eq!(
        staging
            .policies
            .iter()
            .filter(|one| format!("{:?}", one.outcome) == "DoesNotApply")
            .count(),
        5
    );
    assert!(
        staging.policies.len() < staging.of,
        "most policies are about something else"
    );
}

#[test]
fn it_is_readable_json() {
    let explanation = explain("shell", "prod", &["ben"]);
    let json = serde_json::to_string_pretty(&explanation).unwrap();
    // The digest changes with every word of the pack.
    insta::assert_snapshot!(json.replace(&explanation.decision.bundle.to_string(), "sha256:…"));
}
