//! Shows one run, step by step, folded from its journal.

use clawd_model::api::{JobView, LaneView, LockView, RunView, StepPhase, StepView};
use clawd_model::{StepRef, StepStatus};
use clawd_scheduler::StepState;
use clawd_store::RunRow;
use clawd_workflow::{Job, Section, Step};
use serde_json::Value;

use crate::folded::{FoldError, Folded, step_error, with_run};
use crate::gate::{Permit, RunRead};
use crate::list_runs::run_summary;

/// The run that the permit is for.
///
/// # Errors
/// When its journal cannot be folded, or the store fails.
pub async fn show_run(permit: &Permit<RunRead, RunRow>) -> Result<RunView, FoldError> {
    let mut view = consistent(permit).await?;
    if !view.summary.status.is_final() {
        view.lock = permit
            .store()
            .lock_of(view.summary.id)
            .await?
            .map(|place| LockView {
                name: place.name,
                held_by: place.first,
                ahead: place.ahead,
            });
    }
    Ok(view)
}

/// How often it is looked again at a run that changes while it is looked at.
const LOOKS_MAX: u32 = 8;

/// The run's row and its journal are read one after the other. Taken together only when the row says the same before
/// and after: a status that is older than the steps would make a watcher wait for an event that it has seen already, and
/// a newer one would call a run over whose steps still wait.
async fn consistent(permit: &Permit<RunRead, RunRow>) -> Result<RunView, FoldError> {
    let mut seen = permit.store().run(permit.on().id).await?;
    let mut look = 1;
    loop {
        let row = seen.as_ref().unwrap_or_else(|| permit.on());
        let mut view = with_run(permit, |folded| view(row, folded)).await?;
        let now = permit.store().run(view.summary.id).await?;
        let status = |row: &Option<RunRow>| row.as_ref().map(|row| row.status);
        if status(&now) == status(&seen) || look == LOOKS_MAX {
            if let Some(row) = &now {
                view.summary = run_summary(row);
            }
            return Ok(view);
        }
        seen = now;
        look += 1;
    }
}

fn view(row: &RunRow, folded: &Folded) -> RunView {
    let summary = run_summary(row);
    let workflow = &folded.program.workflow;
    let jobs = (0_u16..)
        .zip(&workflow.jobs)
        .map(|(index, job)| job_view(folded, index, job))
        .collect();
    RunView {
        summary,
        inputs: Value::clone(&folded.state.inputs),
        jobs,
        approvals: folded.approvals.clone(),
        lock: None,
        error: folded.state.error.clone(),
        last_seq: folded.seq,
    }
}

fn job_view(folded: &Folded, index: u16, job: &Job) -> JobView {
    let workflow = &folded.program.workflow;
    let needs = job
        .needs
        .iter()
        .filter_map(|needed| workflow.jobs.get(usize::from(*needed)))
        .map(|job| job.name.clone());
    let targets = folded.state.targets.get(usize::from(index));
    let waves = targets.into_iter().flat_map(|job| (0_u32..).zip(&job.waves));
    let lanes = waves.flat_map(|(wave, targets)| targets.iter().map(move |target| (wave, target)));
    let lanes = (0_u32..)
        .zip(lanes)
        .map(|(lane, (wave, target))| LaneView {
            target: target.clone(),
            wave,
            steps: (0_u16..)
                .zip(&job.steps)
                .map(|(number, step)| {
                    step_view(
                        folded,
                        job,
                        step,
                        StepRef {
                            job: index,
                            lane,
                            step: number,
                        },
                    )
                })
                .collect(),
        })
        .collect();
    JobView {
        name: job.name.clone(),
        needs: needs.collect(),
        lanes,
        skipped: folded.skipped_jobs.get(&index).cloned(),
    }
}

fn step_view(folded: &Folded, job: &Job, step: &Step, step_ref: StepRef) -> StepView {
    let state = folded.state.step(step_ref);
    let planned = folded.program.plan.step(step_ref);
    let detail = folded.details.get(&step_ref).cloned().unwrap_or_default();
    let waits = matches!(state, Some(StepState::WaitingForVotes));
    StepView {
        step_ref,
        path: folded.path(step_ref).unwrap_or_default(),
        name: step.name.clone(),
        uses: step.uses.clone(),
        phase: phase(job, step_ref.step),
        status: status(folded, step_ref, state),
        attempt: detail.attempt,
        attempt_id: detail.attempt_id,
        started_at: detail.started_at,
        finished_at: detail.finished_at,
        change: planned.and_then(|planned| planned.change.clone()),
        decision: detail.decision,
        approval: waits
            .then(|| folded.state.approval_of(step_ref.job))
            .flatten()
            .map(|approval| approval.id),
        output: match state {
            Some(StepState::Succeeded { output, .. }) => Some(Value::clone(output)),
            _ => None,
        },
        error: state.and_then(step_error),
        skipped: match state {
            Some(StepState::Skipped { reason }) => Some(reason.clone()),
            _ => None,
        },
    }
}

fn phase(job: &Job, step: u16) -> StepPhase {
    match job.section(step) {
        Section::Steps => StepPhase::Steps,
        Section::Rescue => StepPhase::Rescue,
        Section::Always => StepPhase::Always,
    }
}

/// A step whose wave has not begun is pending; one that nobody will come to any more was skipped.
fn status(folded: &Folded, step: StepRef, state: Option<&StepState>) -> StepStatus {
    let over = folded.state.outcome.is_some() || folded.skipped_jobs.contains_key(&step.job);
    match state {
        None | Some(StepState::Pending) if over => StepStatus::Skipped,
        None => StepStatus::Pending,
        Some(state) => state.status(),
    }
}

#[cfg(test)]
mod tests;
