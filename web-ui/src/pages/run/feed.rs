//! What happened last in a run, in words.

use clawd_model::api::RunView;
use clawd_model::{Event, Outcome, Recorded, RunStatus, StepRef, Verdict};

use crate::ui::{MissingView, Status, Symbol};
use crate::view::run::{FeedLine, RunFeed};

/// How many facts are shown.
const LINES: usize = 16;

/// The last facts, newest first.
pub(super) fn feed(run: &RunView, events: &[Recorded]) -> RunFeed {
    let lines = events
        .iter()
        .rev()
        .filter_map(|recorded| line(run, recorded))
        .take(LINES);
    RunFeed {
        run: run.summary.id.to_string(),
        lines: lines.collect(),
    }
}

fn line(run: &RunView, recorded: &Recorded) -> Option<FeedLine> {
    let (symbol, place, text) = say(run, &recorded.event)?;
    Some(FeedLine {
        seq: recorded.seq,
        at: recorded.at,
        symbol,
        place,
        text,
    })
}

/// `web-1 / apply`.
fn place(run: &RunView, step: StepRef) -> String {
    let lane = run
        .jobs
        .get(usize::from(step.job))
        .and_then(|job| job.lanes.get(usize::try_from(step.lane).ok()?));
    let name = lane.and_then(|lane| lane.steps.get(usize::from(step.step)));
    match (lane, name) {
        (Some(lane), Some(step)) => format!("{} / {}", lane.target.name, step.name),
        _ => String::new(),
    }
}

fn job(run: &RunView, index: u16) -> String {
    let job = run.jobs.get(usize::from(index));
    job.map(|job| job.name.to_string()).unwrap_or_default()
}

/// Whether a job has more than one wave.
fn has_waves(run: &RunView, index: u16) -> bool {
    let job = run.jobs.get(usize::from(index));
    job.is_some_and(|job| job.lanes.iter().any(|lane| lane.wave > 0))
}

/// A fact in words; nothing for facts that only machines need.
#[expect(clippy::too_many_lines, reason = "an arm for each event")]
fn say(run: &RunView, event: &Event) -> Option<(Symbol, String, String)> {
    let of_step = |symbol, step: &StepRef, text: String| Some((symbol, place(run, *step), text));
    let of_job = |symbol, index: &u16, text: String| Some((symbol, job(run, *index), text));
    let of_run = |symbol, text: String| Some((symbol, String::new(), text));
    match event {
        Event::RunStarted { requester, .. } => {
            of_run(Symbol::Running, format!("{requester} started the run"))
        }
        Event::StepFailed { step, error } => of_step(
            Symbol::Failed,
            step,
            format!("could not begin: {}", error.message),
        ),
        Event::StepChecked {
            step, drifted: true, ..
        } => of_step(
            Symbol::Void,
            step,
            "would now change something else than planned".to_owned(),
        ),
        Event::GateDecided { step, decision } if !decision.is_allow() => {
            of_step(decision.kind.symbol(), step, decision.kind.word().to_owned())
        }
        Event::ApprovalRequested { subject, missing, .. } => {
            let ways: Vec<String> = MissingView::all(missing)
                .into_iter()
                .map(|way| way.what)
                .collect();
            let what = if ways.is_empty() {
                "votes".to_owned()
            } else {
                ways.join(" or ")
            };
            Some((Symbol::Votes, subject.job.to_string(), format!("{what} wanted")))
        }
        Event::VoteCast { vote } => {
            let did = match vote.verdict {
                Verdict::Approve => "approved",
                Verdict::Reject => "rejected",
            };
            let text = if vote.comment.is_empty() {
                format!("{} {did}", vote.voter)
            } else {
                format!("{} {did}: “{}”", vote.voter, vote.comment)
            };
            of_run(vote.verdict.symbol(), text)
        }
        Event::ApprovalGranted { .. } => of_run(Symbol::Ok, "the votes are in".to_owned()),
        Event::ApprovalRejected { by, .. } => of_run(Symbol::Denied, format!("{by} rejected it")),
        Event::ApprovalVoided { reason, .. } => {
            of_run(Symbol::Void, format!("votes no longer count: {reason}"))
        }
        Event::AttemptStarted { step, attempt, .. } if *attempt > 1 => {
            of_step(Symbol::Running, step, format!("attempt {attempt} began"))
        }
        Event::AttemptFinished { step, outcome, .. } => {
            let (symbol, text) = ended(outcome);
            of_step(symbol, step, text)
        }
        Event::UnknownResolved { step, by, outcome } => {
            let text = match outcome {
                None => format!("{by} says that it did not take place: again"),
                Some(outcome) => format!("{by} says: {}", ended(outcome).1),
            };
            of_step(Symbol::Unknown, step, text)
        }
        Event::SoakStarted { job, .. } => of_job(Symbol::Retry, job, "soaks before the next wave".to_owned()),
        Event::WaveStarted { job, .. } if !has_waves(run, *job) => None,
        Event::WaveStarted { job, wave } => of_job(Symbol::Running, job, format!("wave {} began", wave + 1)),
        Event::JobSkipped { job, reason, .. } => of_job(Symbol::Skipped, job, format!("skipped: {reason}")),
        Event::CancelRequested { by, reason } => {
            let because = if reason.is_empty() {
                String::new()
            } else {
                format!(": {reason}")
            };
            of_run(Symbol::Cancelled, format!("{by} cancelled the run{because}"))
        }
        Event::RunFinished { outcome, error } => {
            let status = RunStatus::from(*outcome);
            let because = match error {
                Some(error) => format!(": {}", error.message),
                None => String::new(),
            };
            of_run(
                status.symbol(),
                format!("the run {}{because}", ended_word(status)),
            )
        }
        Event::LockRequested { lock } => of_run(Symbol::Pending, format!("waits for lock {lock}")),
        Event::LockTaken { lock } => of_run(Symbol::Running, format!("holds lock {lock}")),
        Event::ApprovalAnnounced { channel, .. } => {
            of_run(Symbol::Votes, format!("{channel} was told that votes are wanted"))
        }
        Event::StepSkipped { .. }
        | Event::StepChecked { .. }
        | Event::InputSeen { .. }
        | Event::GateDecided { .. }
        | Event::AttemptStarted { .. }
        | Event::ApprovalUpdated { .. }
        | Event::RetryScheduled { .. } => None,
    }
}

fn ended_word(status: RunStatus) -> &'static str {
    match status {
        RunStatus::Denied => "was denied",
        RunStatus::Cancelled => "was cancelled",
        RunStatus::Failed => "failed",
        _ => "succeeded",
    }
}

fn ended(outcome: &Outcome) -> (Symbol, String) {
    match outcome {
        Outcome::Succeeded { changed: true, .. } => (Symbol::Changed, "changed".to_owned()),
        Outcome::Succeeded { .. } => (Symbol::Ok, "ok".to_owned()),
        Outcome::Failed { error } => (Symbol::Failed, format!("failed: {}", error.message)),
        Outcome::Unknown { error } => (Symbol::Unknown, format!("nobody can know: {}", error.message)),
    }
}
