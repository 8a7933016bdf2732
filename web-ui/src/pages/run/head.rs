//! The head of a run: in one sentence, what it waits for or how it ended.

use clawd_model::api::{RunView, StepView};
use clawd_model::{Event, RunStatus, StepStatus, Timestamp};

use super::parts::Parts;
use crate::door::Visitor;
use crate::pages::plan::input_pairs;
use crate::ui::{MissingView, Tally};
use crate::view::run::RunHead;

pub(super) fn head(parts: &Parts, visitor: &Visitor, now: Timestamp) -> RunHead {
    let run = &parts.run;
    let summary = &run.summary;
    RunHead {
        id: summary.id.to_string(),
        runbook: summary.runbook.to_string(),
        status: summary.status,
        why: why(parts),
        requester: summary.requester.to_string(),
        started_at: summary.started_at,
        finished_at: summary.finished_at,
        plan: summary.plan,
        workflow: summary.workflow,
        selector: parts.selector.clone(),
        inputs: input_pairs(&run.inputs),
        tally: steps(run).map(|(_, step)| step.status).collect(),
        can_cancel: !summary.status.is_final() && summary.status != RunStatus::Cancelling,
        csrf: visitor.csrf.clone(),
        now,
    }
}

/// All steps of a run, with the names of their targets.
pub(super) fn steps(run: &RunView) -> impl Iterator<Item = (&str, &StepView)> {
    run.jobs
        .iter()
        .flat_map(|job| &job.lanes)
        .flat_map(|lane| lane.steps.iter().map(|step| (lane.target.name.as_str(), step)))
}

fn first(run: &RunView, status: StepStatus) -> Option<(&str, &StepView)> {
    steps(run).find(|(_, step)| step.status == status)
}

fn why(parts: &Parts) -> String {
    let run = &parts.run;
    match run.summary.status {
        RunStatus::Succeeded => succeeded(run),
        RunStatus::Failed => failed(run),
        RunStatus::Denied => denied(parts),
        RunStatus::Cancelled => cancelled(parts).unwrap_or_else(|| "It was cancelled.".to_owned()),
        RunStatus::Cancelling => {
            let by = cancelled(parts).unwrap_or_else(|| "It was cancelled.".to_owned());
            format!("{by} Attempts that began are being finished.")
        }
        RunStatus::Queued => queued(run),
        RunStatus::Waiting | RunStatus::Running => going(parts),
    }
}

fn queued(run: &RunView) -> String {
    match run.lock.as_ref().map(|lock| (lock, lock.held_by)) {
        Some((lock, Some(holder))) => {
            let others = match lock.ahead.saturating_sub(1) {
                0 => String::new(),
                1 => ", and behind 1 more run".to_owned(),
                more => format!(", and behind {more} more runs"),
            };
            format!("It waits for lock {}, held by {holder}{others}.", lock.name)
        }
        Some((lock, None)) => format!("It is about to take lock {}.", lock.name),
        None => "It waits for its lock.".to_owned(),
    }
}

fn going(parts: &Parts) -> String {
    let run = &parts.run;
    if let Some((target, step)) = first(run, StepStatus::Unknown) {
        return format!(
            "Nobody can know what `{}` on {target} came to: somebody has to decide.",
            step.name
        );
    }
    let wanted: Vec<String> = parts
        .open
        .iter()
        .map(|approval| {
            let missing = MissingView::all(&approval.approval.missing);
            let ways: Vec<&str> = missing.iter().map(|way| way.what.as_str()).collect();
            let what = if ways.is_empty() {
                "votes".to_owned()
            } else {
                ways.join(" or ")
            };
            format!("{what} for {}", approval.approval.subject.job)
        })
        .collect();
    if run.summary.status == RunStatus::Waiting && !wanted.is_empty() {
        return format!("Still missing: {}.", wanted.join("; "));
    }
    let tally: Tally = steps(run).map(|(_, step)| step.status).collect();
    let under_way = tally.of(StepStatus::Running) + tally.of(StepStatus::Checking);
    match (under_way, tally.of(StepStatus::WaitingForRetry)) {
        (0, 0) if run.summary.status == RunStatus::Waiting => "It waits for votes.".to_owned(),
        (0, 0) => "The next steps are about to begin.".to_owned(),
        (0, again) => format!("{} waits to be tried again.", count(again, "step")),
        (now, _) => match steps(run).find(|(_, step)| step.status == StepStatus::Running) {
            Some((target, step)) if now == 1 => format!("`{}` runs on {target}.", step.name),
            _ => format!("{} under way.", count(now, "step")),
        },
    }
}

fn succeeded(run: &RunView) -> String {
    let changed = steps(run).filter(|(_, step)| step.status == StepStatus::Changed);
    match changed.count() {
        0 => "Everything was already as wanted.".to_owned(),
        1 => "1 step changed something; every step did what it should.".to_owned(),
        many => format!("{many} steps changed something; every step did what it should."),
    }
}

fn failed(run: &RunView) -> String {
    match first(run, StepStatus::Failed) {
        Some((target, step)) => {
            let why = step.error.as_ref().map(|error| error.message.as_str());
            format!(
                "`{}` on {target} failed: {}",
                step.name,
                why.unwrap_or("no reason is recorded")
            )
        }
        None => match &run.error {
            Some(error) => format!("It was given up: {}.", error.message),
            None => "A job failed.".to_owned(),
        },
    }
}

fn denied(parts: &Parts) -> String {
    let rejected = parts
        .last
        .iter()
        .rev()
        .find_map(|recorded| match &recorded.event {
            Event::ApprovalRejected { by, .. } => Some(format!("{by} rejected it.")),
            _ => None,
        });
    rejected
        .or_else(|| {
            let (target, step) = first(&parts.run, StepStatus::Denied)?;
            let reasons = step.decision.as_ref().map(|decision| decision.reasons.join("; "));
            let reasons = reasons.filter(|reasons| !reasons.is_empty());
            Some(format!(
                "The policies deny `{}` on {target}: {}",
                step.name,
                reasons.unwrap_or_else(|| "no policy permits it".to_owned())
            ))
        })
        .unwrap_or_else(|| "The policies said no.".to_owned())
}

fn cancelled(parts: &Parts) -> Option<String> {
    parts
        .last
        .iter()
        .rev()
        .find_map(|recorded| match &recorded.event {
            Event::CancelRequested { by, reason } if reason.is_empty() => Some(format!("{by} cancelled it.")),
            Event::CancelRequested { by, reason } => Some(format!("{by} cancelled it: {reason}.")),
            _ => None,
        })
}

fn count(number: u32, noun: &str) -> String {
    match number {
        1 => format!("1 {noun}"),
        many => format!("{many} {noun}s"),
    }
}
