//! A plan as people see it.

use std::collections::BTreeSet;

use clawd_model::api::{PlanSummary, PlanView};
use clawd_model::{DecisionKind, Digest, Plan, WillRun};

use super::PLAN_LIFETIME;

/// A plan as people see it.
pub(crate) fn plan_view(digest: Digest, plan: &Plan) -> PlanView {
    PlanView {
        digest,
        expires_at: plan.at.plus(PLAN_LIFETIME),
        summary: count(plan),
        plan: plan.clone(),
    }
}

/// Counts over a plan's steps.
pub(super) fn count(plan: &Plan) -> PlanSummary {
    let servers: BTreeSet<_> = plan
        .jobs
        .iter()
        .flat_map(|job| job.waves.iter().flatten())
        .filter_map(|lane| lane.server)
        .collect();
    let mut summary = PlanSummary {
        servers: u32::try_from(servers.len()).unwrap_or(u32::MAX),
        ..PlanSummary::default()
    };
    for step in &plan.steps {
        summary.errors += u32::from(step.error.is_some());
        summary.depends += u32::from(matches!(step.will_run, WillRun::Depends { .. }));
        summary.changes += u32::from(
            step.will_run == WillRun::Yes && step.change.as_ref().is_some_and(|change| change.needed),
        );
        match step.decision.as_ref().map(|decision| &decision.kind) {
            Some(DecisionKind::Allow) => summary.allowed += 1,
            Some(DecisionKind::NeedsApproval { .. }) => summary.needs_approval += 1,
            Some(DecisionKind::Deny) => summary.denied += 1,
            None => {}
        }
    }
    summary
}
