//! Lists and shows requests for votes.

use std::collections::BTreeMap;

use clawd_model::api::{ApprovalView, Page, UnknownInput};
use clawd_model::{Approval, ApprovalId, ApprovalStatus, PlannedStep, PrincipalName, Risk, RunId, WillRun};
use clawd_store::ApprovalFilter;

use crate::error::StoreFailed;
use crate::gate::{Act, ApprovalOn, ApprovalRead, Permit, Target, VoteCast};

/// Which requests. The default is all.
#[derive(Clone, Debug, Default)]
pub struct ListApprovals {
    /// Only those that votes may be cast on.
    pub open_only: bool,
    /// Of this run only.
    pub run: Option<RunId>,
    /// After this one: the `next` of the page before.
    pub after: Option<ApprovalId>,
    /// At most so many; 50 when absent, at most 200.
    pub limit: Option<u32>,
}

/// The requests that the caller may see, newest first.
///
/// # Errors
/// When the store fails.
pub async fn list_approvals(
    permit: &Permit<ApprovalRead>,
    which: ListApprovals,
) -> Result<Page<ApprovalView>, StoreFailed> {
    let limit = crate::page::limit(which.limit);
    let filter = ApprovalFilter {
        status: which.open_only.then_some(ApprovalStatus::Open),
        run: which.run,
        before: which.after,
        limit: limit.saturating_add(1),
    };
    let approvals = permit.store().approvals(&filter).await?;
    let (approvals, next) = crate::page::cut(approvals, limit, |approval: &Approval| approval.id.to_string());
    let operators: BTreeMap<PrincipalName, PrincipalName> = permit
        .store()
        .principals()
        .await?
        .into_iter()
        .filter_map(|principal| Some((principal.name, principal.operator?)))
        .collect();
    let items = approvals
        .into_iter()
        .map(|approval| ApprovalOn {
            operator: operators.get(&approval.requester).cloned(),
            approval,
        })
        .filter(|on| permit.covers(on))
        .map(|on| view(permit, &on, Vec::new()))
        .collect();
    Ok(Page { items, next })
}

/// The request that the permit is for, with what its job would change.
///
/// # Errors
/// When the store fails.
pub async fn show_approval(permit: &Permit<ApprovalRead, ApprovalOn>) -> Result<ApprovalView, StoreFailed> {
    let on = permit.on();
    let subject = &on.approval.subject;
    let planned = permit
        .store()
        .run_plan(subject.run)
        .await?
        .map(|plan| plan.steps)
        .unwrap_or_default();
    let steps: Vec<_> = planned
        .into_iter()
        .filter(|step| step.job == subject.job && is_shown(step))
        .collect();
    let unknown_inputs = steps
        .iter()
        .filter_map(|step| unknown_input(permit, on, step))
        .collect();
    Ok(ApprovalView {
        unknown_inputs,
        ..view(permit, on, steps)
    })
}

/// What a vote now says nothing about, or covers whatever it becomes.
fn unknown_input(
    permit: &Permit<ApprovalRead, ApprovalOn>,
    on: &ApprovalOn,
    planned: &PlannedStep,
) -> Option<UnknownInput> {
    let (None, WillRun::Depends { on: depends }) = (&planned.input, &planned.will_run) else {
        return None;
    };
    let spec = permit.app().registry().spec(&planned.uses)?;
    let step = format!("{}/{}/{}", planned.job, planned.target.name, planned.step);
    let is_known = on.approval.subject.inputs.iter().any(|seen| seen.step == step);
    (spec.is_mutating() && !is_known).then(|| UnknownInput {
        step,
        on: depends.clone(),
        asked_again: spec.risk == Risk::High,
    })
}

/// Reads and steps that will not run are nothing to vote on.
fn is_shown(step: &PlannedStep) -> bool {
    !matches!(step.will_run, WillRun::No { .. }) && step.output.is_none()
}

fn view<A: Act, On: Target>(
    permit: &Permit<A, On>,
    on: &ApprovalOn,
    steps: Vec<PlannedStep>,
) -> ApprovalView {
    let me = &permit.caller().principal().name;
    let mut because = permit.why_not_on::<VoteCast, ApprovalOn>(on);
    if on.approval.status != ApprovalStatus::Open {
        because = vec![format!("the request is {}", status_word(on.approval.status))];
    }
    ApprovalView {
        subject_digest: on.approval.subject.digest(),
        may_vote: because.is_empty(),
        may_not_vote_because: because,
        own_vote: on
            .approval
            .votes
            .iter()
            .rev()
            .find(|vote| vote.voter == *me)
            .map(|vote| vote.verdict),
        approval: on.approval.clone(),
        steps,
        unknown_inputs: Vec::new(),
    }
}

/// The word in messages.
pub(crate) fn status_word(status: ApprovalStatus) -> &'static str {
    match status {
        ApprovalStatus::Open => "open",
        ApprovalStatus::Granted => "granted already",
        ApprovalStatus::Rejected => "rejected",
        ApprovalStatus::Void => "void: what it was about has changed",
        ApprovalStatus::Closed => "closed",
    }
}
