//! One step on one server, with everything that is known of it.

use axum::extract::{Path, State};
use clawd_control::{Permit, RunRead, RunRow, show_run, show_run_plan};
use clawd_model::api::{RunView, StepView};
use clawd_model::{Event, Outcome, PlannedStep, Recorded, StepRef, StepStatus};

use super::grid::key;
use super::head::steps;
use super::output;
use super::parts::{JOURNAL_MAX, events, settle_rescue};
use crate::door::{AllowedOn, Answer, Failure, Visitor, Web, render};
use crate::ui::{DecisionView, Diff, MissingView};
use crate::view::run::{AttemptError, AttemptView, CheckView, StepPanel, Waiting};

/// The detail alone.
pub(crate) async fn step(
    State(web): State<Web>,
    AllowedOn { visitor, permit }: AllowedOn<RunRead, RunRow>,
    Path((_, wanted)): Path<(String, String)>,
) -> Answer {
    let mut run = show_run(&permit).await?;
    settle_rescue(&mut run);
    match panel(&web, &visitor, &permit, &run, &wanted).await? {
        Some(panel) => render(&panel),
        None => Err(Failure::no_such("step", &wanted)),
    }
}

/// The detail of the step with this key.
pub(super) async fn panel(
    web: &Web,
    visitor: &Visitor,
    permit: &Permit<RunRead, RunRow>,
    run: &RunView,
    wanted: &str,
) -> Result<Option<StepPanel>, Failure> {
    let Some((target, found)) = steps(run).find(|(_, step)| key(step.step_ref) == wanted) else {
        return Ok(None);
    };
    let planned = planned(web, visitor, run, found.step_ref).await?;
    let past = if run.last_seq <= JOURNAL_MAX {
        events(permit, 0, run.last_seq).await?
    } else {
        Vec::new()
    };
    let over = run.summary.status.is_final();
    Ok(Some(StepPanel {
        run: run.summary.id.to_string(),
        key: wanted.to_owned(),
        job: run
            .jobs
            .get(usize::from(found.step_ref.job))
            .map(|job| job.name.to_string())
            .unwrap_or_default(),
        server: target.to_owned(),
        step: found.name.to_string(),
        uses: found.uses.to_string(),
        status: found.status,
        waiting: waiting(run, found, &past),
        note: note(found),
        check: check(found, planned.as_ref(), &past),
        decision: found.decision.as_ref().map(DecisionView::from),
        attempts: attempts(found, &past),
        output: output::last_lines(permit, found).await?,
        input: planned
            .and_then(|planned| planned.input)
            .map(|input| pretty(&input)),
        result: found.output.as_ref().map(pretty),
        can_resolve: (found.status == StepStatus::Unknown && !over).then_some(found.attempt),
        live: !over && !is_settled(found.status),
        csrf: visitor.csrf.clone(),
        now: web.now(),
    }))
}

fn pretty(value: &serde_json::Value) -> String {
    serde_json::to_string_pretty(value).unwrap_or_default()
}

const fn is_settled(status: StepStatus) -> bool {
    use StepStatus::{Cancelled, Changed, Denied, Failed, Skipped, Succeeded};
    matches!(
        status,
        Changed | Succeeded | Skipped | Failed | Denied | Cancelled
    )
}

async fn planned(
    web: &Web,
    visitor: &Visitor,
    run: &RunView,
    step: StepRef,
) -> Result<Option<PlannedStep>, Failure> {
    if !visitor.may("run.read") {
        return Ok(None);
    }
    let permit = web
        .app
        .permit_on::<RunRead, RunRow>(&visitor.caller, &run.summary.id)
        .await
        .map_err(Failure::refused)?;
    let plan = show_run_plan(&permit).await.ok().flatten();
    Ok(plan.and_then(|plan| plan.plan.step(step).cloned()))
}

fn note(step: &StepView) -> String {
    match (&step.skipped, &step.error) {
        (Some(reason), _) => reason.clone(),
        // An attempt says it itself.
        (None, Some(error)) if step.attempt == 0 => error.message.clone(),
        _ => String::new(),
    }
}

/// Why a step does not go on.
fn waiting(run: &RunView, step: &StepView, past: &[Recorded]) -> Option<Waiting> {
    match step.status {
        StepStatus::WaitingForVotes => {
            let missing = past.iter().rev().find_map(|recorded| match &recorded.event {
                Event::ApprovalRequested {
                    approval, missing, ..
                }
                | Event::ApprovalUpdated {
                    approval, missing, ..
                } if Some(*approval) == step.approval => Some(MissingView::all(missing)),
                _ => None,
            });
            Some(Waiting {
                what: "It waits for votes on its job.".to_owned(),
                missing: missing.unwrap_or_default(),
                href: step.approval.map(|approval| format!("/approvals/{approval}")),
            })
        }
        StepStatus::WaitingForRetry => {
            let at = past.iter().rev().find_map(|recorded| match &recorded.event {
                Event::RetryScheduled { step: of, at, .. } if *of == step.step_ref => Some(*at),
                _ => None,
            });
            Some(Waiting {
                what: match at {
                    Some(at) => format!("It is tried again at {at}."),
                    None => "It is tried again.".to_owned(),
                },
                missing: Vec::new(),
                href: None,
            })
        }
        StepStatus::Pending if !run.summary.status.is_final() => Some(Waiting {
            what: pending_because(run, step),
            missing: Vec::new(),
            href: None,
        }),
        _ => None,
    }
}

/// What has to come before a step whose turn has not come.
fn pending_because(run: &RunView, step: &StepView) -> String {
    let Some(job) = run.jobs.get(usize::from(step.step_ref.job)) else {
        return String::new();
    };
    let lane = usize::try_from(step.step_ref.lane).unwrap_or(usize::MAX);
    let begun =
        |lane: &clawd_model::api::LaneView| lane.steps.iter().any(|step| step.status != StepStatus::Pending);
    match job.lanes.get(lane) {
        Some(lane) if begun(lane) => "Earlier steps on this server come first.".to_owned(),
        _ if job.lanes.iter().any(begun) => "Its wave has not begun.".to_owned(),
        _ => {
            let names: Vec<&str> = job.needs.iter().map(clawd_model::JobName::as_str).collect();
            match names.as_slice() {
                [] => "Its turn has not come.".to_owned(),
                needs => format!("{} comes first.", needs.join(" and ")),
            }
        }
    }
}

/// The planned change, and whether it still was the same when it was dispatched.
fn check(step: &StepView, planned: Option<&PlannedStep>, past: &[Recorded]) -> Option<CheckView> {
    let change = step
        .change
        .as_ref()
        .or_else(|| planned.and_then(|planned| planned.change.as_ref()))?;
    let last = past.iter().rev().find_map(|recorded| match &recorded.event {
        Event::StepChecked {
            step: of,
            drifted,
            now,
            ..
        } if *of == step.step_ref => Some((recorded.at, *drifted, now)),
        _ => None,
    });
    let label = format!("changes of {}", step.name);
    let diff = Diff::read(label.clone(), &change.diff);
    Some(CheckView {
        planned: if change.needed {
            change.summary.clone()
        } else {
            "all is as wanted".to_owned()
        },
        diff: Some(diff).filter(|diff| !diff.is_empty()),
        fingerprint: Some(change.fingerprint()),
        drift: last
            .filter(|(_, drifted, _)| *drifted)
            .map(|(.., now)| Diff::read(format!("{label} now"), now)),
        confirmed_at: last.filter(|(_, drifted, _)| !drifted).map(|(at, ..)| at),
    })
}

/// All tries, the last one first.
fn attempts(step: &StepView, past: &[Recorded]) -> Vec<AttemptView> {
    let mut found: Vec<AttemptView> = Vec::new();
    for recorded in past {
        match &recorded.event {
            Event::AttemptStarted {
                step: of,
                attempt,
                id,
                ..
            } if *of == step.step_ref => found.push(AttemptView {
                number: *attempt,
                id: id.to_string(),
                status: StepStatus::Running,
                began: recorded.at,
                ended: None,
                error: None,
            }),
            Event::AttemptFinished {
                step: of,
                attempt,
                outcome,
            } if *of == step.step_ref => {
                let last = found.iter_mut().rev().find(|view| view.number == *attempt);
                if let Some(view) = last {
                    view.ended = Some(recorded.at);
                    (view.status, view.error) = ended(outcome);
                }
            }
            _ => {}
        }
    }
    if found.is_empty() {
        found.extend(last_attempt(step));
    }
    found.reverse();
    found
}

/// What the run itself says of the last try, for journals that are too long to be searched.
fn last_attempt(step: &StepView) -> Option<AttemptView> {
    Some(AttemptView {
        number: step.attempt,
        id: step.attempt_id?.to_string(),
        status: step.status,
        began: step.started_at?,
        ended: step.finished_at,
        error: step.error.as_ref().map(attempt_error),
    })
}

fn ended(outcome: &Outcome) -> (StepStatus, Option<AttemptError>) {
    match outcome {
        Outcome::Succeeded { changed: true, .. } => (StepStatus::Changed, None),
        Outcome::Succeeded { .. } => (StepStatus::Succeeded, None),
        Outcome::Failed { error } => (StepStatus::Failed, Some(attempt_error(error))),
        Outcome::Unknown { error } => (StepStatus::Unknown, Some(attempt_error(error))),
    }
}

fn attempt_error(error: &clawd_model::StepError) -> AttemptError {
    AttemptError {
        kind: error.kind.clone(),
        message: error.message.clone(),
        hint: error.hint.clone(),
    }
}
