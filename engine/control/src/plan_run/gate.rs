//! What the gate would say of a step as of now, without votes.

use std::collections::BTreeMap;

use clawd_model::{
    Decision, DecisionKind, LaneTarget, MissingVotes, OperationSpec, Principal, PrincipalKind,
};
use clawd_policy::{Action, Approvals, Request, Resource, RunFacts};
use clawd_workflow::{ExtraApproval, Job};

use super::Question;
use super::targets::Expanded;
use crate::gate::{Permit, PlanCreate, RunbookOn};

/// The policies' own answer: what decides whether a step may be looked at.
pub(super) fn policies(
    permit: &Permit<PlanCreate, RunbookOn>,
    question: &Question,
    targets: &Expanded,
    target: &LaneTarget,
    spec: &OperationSpec,
) -> Decision {
    let principal = permit.caller().principal();
    let server = target.server.and_then(|id| targets.servers.get(&id));
    let resource = server.map_or(Resource::Controller(permit.tenant()), |server| {
        Resource::Server(server)
    });
    let approvals = Approvals::none();
    let request = Request {
        principal,
        action: Action::Operation(spec),
        resource,
        run: Some(RunFacts {
            runbook: &question.workflow.name,
            labels: &question.workflow.labels,
            requester: &principal.name,
        }),
        approvals: &approvals,
        now: permit.app().now(),
    };
    question.bundle.decide(&request, &targets.electorate)
}

/// The same with the approval that the runbook itself asks for: it can only ask for more.
pub(super) fn with_runbook(
    mut decision: Decision,
    job: &Job,
    requester: &Principal,
    electorate: &[Principal],
) -> Decision {
    if decision.is_allow()
        && let Some(extra) = &job.approval
    {
        decision.reasons = vec!["the runbook asks for approval of this job".to_owned()];
        decision.kind = DecisionKind::NeedsApproval {
            missing: vec![missing(extra, requester, electorate)],
            ttl_ms: None,
            notify: Vec::new(),
        };
    }
    decision
}

fn missing(extra: &ExtraApproval, requester: &Principal, electorate: &[Principal]) -> MissingVotes {
    let groups: BTreeMap<_, _> = extra.groups.clone();
    let counts = |who: &&Principal| {
        !who.disabled
            && who.kind == PrincipalKind::User
            && who.name != requester.name
            && Some(&who.name) != requester.operator.as_ref()
            && (groups.is_empty() || who.groups.iter().any(|group| groups.contains_key(group)))
    };
    let candidates = electorate
        .iter()
        .filter(counts)
        .map(|who| who.name.clone())
        .collect();
    MissingVotes {
        distinct: extra.quorum,
        candidates,
        groups,
    }
}
