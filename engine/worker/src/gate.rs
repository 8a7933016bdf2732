//! Asks the gate for a step: the requester's permission, the votes that count now, and the runbook's own wish
//! for approval on top.

use std::collections::BTreeMap;
use std::sync::Arc;

use clawd_model::{
    Approval, ApprovalId, ApprovalStatus, Decision, DecisionKind, Digest, GroupName, LaneTarget,
    MissingVotes, OperationSpec, Principal, Server, StepRef, Timestamp, VOTE_TTL, Vote,
};
use clawd_policy::{Action, Approvals, Bundle, Request, Resource, RunFacts, Standing};
use clawd_scheduler::{Program, RunState};
use clawd_workflow::ExtraApproval;

use crate::directory::Members;

/// The right to call one operation for one step, on the server as the gate saw it. Only an allow of the gate, or the
/// journal's record of one, makes it; the attempt takes it by value.
#[derive(Debug)]
pub(crate) struct Passed {
    step: StepRef,
    server: Option<Arc<Server>>,
}

impl Passed {
    /// The journal says that the attempt was allowed and began: recovery reads that, and never asks again.
    pub(crate) fn recorded(step: StepRef) -> Self {
        Self { step, server: None }
    }

    /// The server that the gate was asked about.
    pub(crate) fn server(&self) -> Option<&Arc<Server>> {
        self.server.as_ref()
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
    let decision = decide(question, bundle, members);
    let passed = decision.is_allow().then(|| {
        let step = question.step;
        let target = question.state.target(step.job, step.lane);
        let server = target
            .and_then(|target| target.server)
            .and_then(|id| members.server(id));
        Passed {
            step,
            server: server.cloned(),
        }
    });
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
        voters: Vec::new(),
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
    let run = RunFacts {
        runbook: &state.runbook,
        labels: &question.program.workflow.labels,
        requester: &state.requester,
    };
    let resource = match resource(target, state, members) {
        Ok(resource) => resource,
        Err(reason) => return deny(reason),
    };
    let none = Approvals::none();
    let request = Request {
        principal,
        action: Action::Operation(spec),
        resource,
        run: Some(run),
        approvals: &none,
        now: *now,
    };
    let electorate: &[Principal] = &members.principals;
    let extra = question
        .program
        .job(step.job)
        .and_then(|job| job.approval.as_ref());
    let Some(approval) = voted_on(question) else {
        let decision = bundle.decide(&request, electorate);
        return with_extra(question, decision, extra, &none, bundle, members);
    };
    let standing = bundle.standing(&request);
    // Votes that nobody asks for have nothing to do with the answer.
    let counted = if standing.asks || extra.is_some() {
        counted(question, approval, &standing, bundle, members)
    } else {
        Approvals::none()
    };
    let voted = Request {
        approvals: &counted,
        ..request
    };
    let decision = bundle.decide(&voted, electorate);
    let mut decision = with_extra(question, decision, extra, &counted, bundle, members);
    if let DecisionKind::NeedsApproval { ttl_ms, .. } = &mut decision.kind {
        // Of the policies in the way without votes: those that are lifted by now still want them fresh.
        *ttl_ms = standing.ttl.map(|ttl| ttl.0);
    }
    decision.voters = counted.voters.into_iter().collect();
    decision
}

/// What the runbook asks for on top of what policies allow.
fn with_extra(
    question: &Question<'_>,
    mut decision: Decision,
    extra: Option<&ExtraApproval>,
    counted: &Approvals,
    bundle: &Bundle,
    members: &Members,
) -> Decision {
    if decision.is_allow()
        && let Some(extra) = extra
        && let Some(missing) = still_missing(question, extra, counted, bundle, members)
    {
        decision.reasons = vec!["the runbook asks for approval of this job".to_owned()];
        decision.kind = DecisionKind::NeedsApproval {
            missing: vec![missing],
            ttl_ms: None,
            notify: Vec::new(),
        };
    }
    decision
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

/// The request that the step's votes stand on, if there are any.
fn voted_on<'a>(question: &Question<'a>) -> Option<&'a Approval> {
    let approval = question.state.approval_of(question.step.job)?;
    let counts = matches!(approval.status, ApprovalStatus::Open | ApprovalStatus::Granted);
    (counts && !approval.votes.is_empty()).then_some(approval)
}

/// The votes that count now: for the request's very subject, of people who are still here and who may still vote on
/// it, and fresh enough for the strictest of the policies that ask, whatever the voters were told.
fn counted(
    question: &Question<'_>,
    approval: &Approval,
    standing: &Standing,
    bundle: &Bundle,
    members: &Members,
) -> Approvals {
    let Question { state, now, .. } = question;
    let ttl = standing.ttl.unwrap_or(VOTE_TTL);
    let fresh: Vec<Vote> = approval
        .votes
        .iter()
        .filter(|vote| vote.at.plus(ttl) > *now)
        .cloned()
        .collect();
    let subject = approval.subject.digest();
    let about = about(state, Some(approval.id), members);
    bundle.valid_votes(about, &fresh, &members.principals, subject, *now)
}

/// What one votes on.
fn about<'a>(state: &'a RunState, id: Option<ApprovalId>, members: &'a Members) -> Resource<'a> {
    let requester = members.principal(&state.requester);
    Resource::Approval {
        tenant: &state.tenant,
        id,
        requester: &state.requester,
        operator: requester.and_then(|requester| requester.operator.as_ref()),
        runbook: Some(&state.runbook),
    }
}

/// What the runbook's own `approval` still lacks.
fn still_missing(
    question: &Question<'_>,
    extra: &ExtraApproval,
    have: &Approvals,
    bundle: &Bundle,
    members: &Members,
) -> Option<MissingVotes> {
    let distinct = extra.quorum.saturating_sub(have.distinct);
    let lacks = |(group, wanted): (&GroupName, &u32)| {
        let lack = wanted.saturating_sub(have.of(group.as_str()));
        (lack > 0).then(|| (group.clone(), lack))
    };
    let groups: BTreeMap<GroupName, u32> = extra.groups.iter().filter_map(lacks).collect();
    if distinct == 0 && groups.is_empty() {
        return None;
    }
    let approval = question.state.approval_of(question.step.job);
    let about = about(question.state, approval.map(|approval| approval.id), members);
    let wanted = |who: &&Principal| {
        distinct > groups.values().copied().max().unwrap_or(0)
            || who.groups.iter().any(|group| groups.contains_key(group))
    };
    let candidates = members
        .principals
        .iter()
        .filter(|who| !have.voters.contains(&who.name))
        .filter(wanted)
        .filter(|who| bundle.decide_vote(who, about, question.now).is_allow())
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
        voters: Vec::new(),
        bundle: Digest::of(b""),
    }
}
