//! Asks the gate for a step: the requester's permission, the votes that count now, and the runbook's own wish
//! for approval on top.

use std::collections::{BTreeMap, BTreeSet};

use clawd_model::{
    Approval, ApprovalStatus, Decision, DecisionKind, Digest, GroupName, LaneTarget, MissingVotes,
    OperationSpec, Principal, StepRef, Timestamp,
};
use clawd_policy::{Action, Approvals, Bundle, Request, Resource, RunFacts};
use clawd_scheduler::{Program, RunState};
use clawd_workflow::ExtraApproval;

use crate::directory::Members;

/// The right to call one operation for one step. Only an allow of the gate, or the journal's record of one,
/// makes it; the attempt takes it by value.
#[derive(Debug)]
pub(crate) struct Passed {
    step: StepRef,
}

impl Passed {
    /// The journal says that the attempt was allowed and began: recovery reads that, and never asks again.
    pub(crate) fn recorded(step: StepRef) -> Self {
        Self { step }
    }

    pub(crate) fn step(&self) -> StepRef {
        self.step
    }
}

/// What one question is about.
pub(crate) struct Question<'a> {
    pub(crate) program: &'a Program,
    pub(crate) state: &'a RunState,
    pub(crate) step: StepRef,
    pub(crate) spec: Option<&'a OperationSpec>,
    pub(crate) now: Timestamp,
}

/// Asks, and gives the right to go on with an allow.
pub(crate) fn ask(question: &Question<'_>, bundle: &Bundle, members: &Members) -> (Decision, Option<Passed>) {
    let mut decision = decide(question, bundle, members);
    if decision.is_allow()
        && let Some(extra) = question
            .program
            .job(question.step.job)
            .and_then(|job| job.approval.as_ref())
        && let Some(missing) = still_missing(question, extra, members)
    {
        decision.reasons = vec!["the runbook asks for approval of this job".to_owned()];
        decision.kind = DecisionKind::NeedsApproval {
            missing: vec![missing],
            ttl_ms: None,
        };
    }
    let passed = decision.is_allow().then_some(Passed { step: question.step });
    (decision, passed)
}

fn decide(question: &Question<'_>, bundle: &Bundle, members: &Members) -> Decision {
    let Question {
        state,
        step,
        spec,
        now,
        ..
    } = question;
    let deny = |reason: String| Decision {
        kind: DecisionKind::Deny,
        policies: Vec::new(),
        reasons: vec![reason],
        bundle: bundle.digest(),
    };
    let Some(spec) = spec else {
        return deny("the operation is not known here".to_owned());
    };
    let Some(principal) = members.principal(&state.requester) else {
        return deny(format!("`{}`, who started the run, is gone", state.requester));
    };
    if principal.disabled {
        return deny(format!("`{}`, who started the run, has left", state.requester));
    }
    let Some(target) = state.target(step.job, step.lane) else {
        return deny("the lane has no target".to_owned());
    };
    let approvals = counted(state.approval_of(step.job), members, *now);
    let run = RunFacts {
        runbook: &state.runbook,
        labels: &question.program.workflow.labels,
        requester: &state.requester,
    };
    let resource = match resource(target, state, members) {
        Ok(resource) => resource,
        Err(reason) => return deny(reason),
    };
    let request = Request {
        principal,
        action: Action::Operation(spec),
        resource,
        run: Some(run),
        approvals: &approvals,
        now: *now,
    };
    let electorate: &[Principal] = &members.principals;
    bundle.decide(&request, electorate)
}

fn resource<'a>(
    target: &LaneTarget,
    state: &'a RunState,
    members: &'a Members,
) -> Result<Resource<'a>, String> {
    match target.server {
        None => Ok(Resource::Controller(&state.tenant)),
        Some(id) => match members.server(id) {
            Some(server) => Ok(Resource::Server(server)),
            None => Err(format!(
                "server `{}` was removed after the plan was made",
                target.name
            )),
        },
    }
}

/// The votes that count now: on the present request, for its very subject, not expired, of people who are
/// still here.
fn counted(approval: Option<&Approval>, members: &Members, now: Timestamp) -> Approvals {
    match approval {
        Some(approval) if matches!(approval.status, ApprovalStatus::Open | ApprovalStatus::Granted) => {
            Approvals::count(
                &approval.votes,
                &members.principals,
                approval.subject.digest(),
                now,
            )
        }
        _ => Approvals::none(),
    }
}

/// What the runbook's own `approval` still lacks.
fn still_missing(question: &Question<'_>, extra: &ExtraApproval, members: &Members) -> Option<MissingVotes> {
    let approval = question.state.approval_of(question.step.job);
    let have = counted(approval, members, question.now);
    let distinct = extra.quorum.saturating_sub(have.distinct);
    let lacks = |(group, wanted): (&GroupName, &u32)| {
        let lack = wanted.saturating_sub(have.groups.get(group).copied().unwrap_or(0));
        (lack > 0).then(|| (group.clone(), lack))
    };
    let groups: BTreeMap<GroupName, u32> = extra.groups.iter().filter_map(lacks).collect();
    if distinct == 0 && groups.is_empty() {
        return None;
    }
    let voted: BTreeSet<_> = approval
        .iter()
        .flat_map(|approval| &approval.votes)
        .map(|vote| &vote.voter)
        .collect();
    let wanted =
        |who: &&Principal| groups.is_empty() || who.groups.iter().any(|group| groups.contains_key(group));
    let candidates = members
        .principals
        .iter()
        .filter(|who| !who.disabled && who.name != question.state.requester && !voted.contains(&who.name))
        .filter(|who| who.kind == clawd_model::PrincipalKind::User)
        .filter(wanted)
        .map(|who| who.name.clone())
        .collect();
    Some(MissingVotes {
        groups,
        distinct,
        candidates,
    })
}

/// The answer when the tenant has no bundle at all.
pub(crate) fn no_bundle() -> Decision {
    Decision {
        kind: DecisionKind::Deny,
        policies: Vec::new(),
        reasons: vec!["the tenant has no policy bundle".to_owned()],
        bundle: Digest::of(b""),
    }
}
