//! Watches a run: a live grid of steps on a terminal, plain lines elsewhere.

use std::collections::HashMap;
use std::io::IsTerminal as _;

use clap::Args;
use clawd_client::Client;
use clawd_model::api::{RunView, StepView};
use clawd_model::product::BINARY;
use clawd_model::{Event, LaneTarget, Recorded, RunId, RunStatus, StepStatus};
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use crate::cli::Format;
use crate::connect::failure;
use crate::exit::{Exit, Failure, Outcome};
use crate::render::document::Series;
use crate::render::plan::alternatives;
use crate::render::printable;
use crate::render::simulated::Simulated;
use crate::render::status::{painted_run, painted_step, step};

/// When watching ends before the run does.
#[derive(Clone, Copy, Debug, Default, Args)]
pub(crate) struct Until {
    /// End with exit code 6 as soon as the run waits for votes.
    #[arg(long)]
    pub(crate) exit_on_approval: bool,
    /// End with exit code 8 when another run holds the lock that the run waits for.
    #[arg(long)]
    pub(crate) exit_on_lock: bool,
}

/// What a queued run waits for: `waits for lock env/prod, held by run_…`.
pub(crate) fn lock_line(view: &RunView) -> Option<String> {
    let lock = view.lock.as_ref()?;
    let holder = lock.held_by?;
    let others = match lock.ahead.saturating_sub(1) {
        0 => String::new(),
        more => format!(", and {more} more before this one"),
    };
    Some(format!("waits for lock {}, held by {holder}{others}", lock.name))
}

/// Follows a run's events until it is over, or waits and that is enough.
pub(crate) async fn run(client: &Client, run: RunId, format: Format, until: Until) -> Outcome {
    let view = client.run(run).await.map_err(failure)?;
    let mut display = Display::new(format, client).await;
    let outcome = follow(client, view, &mut display, until).await;
    display.leave();
    outcome
}

async fn follow(client: &Client, mut view: RunView, display: &mut Display, until: Until) -> Outcome {
    let run = view.summary.id;
    display.show(&view);
    // Programs get all events from the first one on; people see the steps that went before in the view.
    let mut told = if display.is_for_programs() {
        0
    } else {
        view.last_seq
    };
    let mut events = client.run_events(run, told);
    loop {
        // Where the run stands counts once everything is told that led there.
        let is_told = told >= view.last_seq;
        if is_told && view.summary.status.is_final() {
            display.finish(&view);
            return Ok(exit_of(&view));
        }
        if is_told
            && until.exit_on_lock
            && view.summary.status == RunStatus::Queued
            && lock_line(&view).is_some()
        {
            display.finish(&view);
            return Ok(Exit::Locked);
        }
        if is_told && until.exit_on_approval && view.summary.status == RunStatus::Waiting {
            display.finish(&view);
            return Ok(Exit::AwaitingApproval);
        }
        let next = tokio::select! {
            next = events.next() => next,
            _ = tokio::signal::ctrl_c() => {
                eprintln!("\nno longer watching; the run goes on: {BINARY} run watch {run}");
                return Ok(Exit::Interrupted);
            }
        };
        let is_over = next.is_none();
        match next {
            Some(event) => {
                let event = event.map_err(failure)?;
                told = event.seq;
                display.event(&event)?;
            }
            None => told = u64::MAX,
        }
        if told >= view.last_seq {
            view = client.run(run).await.map_err(failure)?;
            display.show(&view);
        }
        if is_over && !view.summary.status.is_final() {
            return Err(
                Failure::new(Exit::Unreachable, format!("what `{run}` does is no longer told")).with_hint(
                    format!("the run goes on; watch it again: {BINARY} run watch {run}"),
                ),
            );
        }
    }
}

/// How a run's end is told to scripts.
fn exit_of(view: &RunView) -> Exit {
    match view.summary.status {
        RunStatus::Succeeded => Exit::Ok,
        RunStatus::Denied => Exit::Denied,
        RunStatus::Cancelled => Exit::Failed,
        _ => {
            let failed = steps(view).filter(|(_, step)| step.status == StepStatus::Failed);
            Exit::of_errors(failed.filter_map(|(_, step)| step.error.as_ref())).unwrap_or(Exit::Failed)
        }
    }
}

/// All steps, each with its target.
fn steps(view: &RunView) -> impl Iterator<Item = (&LaneTarget, &StepView)> {
    let lanes = view.jobs.iter().flat_map(|job| &job.lanes);
    lanes.flat_map(|lane| lane.steps.iter().map(|step| (&lane.target, step)))
}

enum Display {
    /// One line a lane, redrawn in place.
    Grid {
        all: MultiProgress,
        lines: HashMap<String, ProgressBar>,
        simulated: Simulated,
    },
    /// A line for each step that changes its status.
    Lines {
        seen: HashMap<String, StepStatus>,
        waiting: bool,
        simulated: Simulated,
        queued: Option<String>,
    },
    /// The events as they are.
    Events(Series),
}

impl Display {
    async fn new(format: Format, client: &Client) -> Self {
        match format {
            Format::Json | Format::Ndjson | Format::Yaml => Self::Events(Series::new(format)),
            Format::Table if std::io::stderr().is_terminal() => Self::Grid {
                all: MultiProgress::new(),
                lines: HashMap::new(),
                simulated: Simulated::ask(client).await,
            },
            Format::Table => Self::Lines {
                seen: HashMap::new(),
                waiting: false,
                simulated: Simulated::ask(client).await,
                queued: None,
            },
        }
    }

    fn is_for_programs(&self) -> bool {
        matches!(self, Self::Events(_))
    }

    fn event(&mut self, recorded: &Recorded) -> Result<(), Failure> {
        if let Self::Events(series) = self {
            return series.item(recorded);
        }
        let note = match &recorded.event {
            Event::ApprovalRequested {
                approval,
                subject,
                missing,
                ..
            } => format!(
                "{approval}: job `{}` needs {}\n  vote with: {BINARY} approve {approval}",
                subject.job,
                alternatives(missing)
            ),
            Event::VoteCast { vote } => {
                format!("{}: {} voted {:?}", vote.approval, vote.voter, vote.verdict).to_lowercase()
            }
            Event::ApprovalGranted { approval, .. } => format!("{approval}: granted"),
            Event::ApprovalVoided { approval, reason } => format!("{approval}: void, {}", printable(reason)),
            Event::ApprovalRejected { approval, by } => format!("{approval}: rejected by {by}"),
            _ => return Ok(()),
        };
        match self {
            Self::Grid { all, .. } => {
                let _ = all.println(note);
            }
            _ => outln!("{note}"),
        }
        Ok(())
    }

    fn show(&mut self, view: &RunView) {
        match self {
            Self::Events(_) => {}
            Self::Grid {
                all,
                lines,
                simulated,
            } => grid(all, lines, simulated, view),
            Self::Lines {
                seen,
                waiting,
                simulated,
                queued,
            } => {
                let behind = lock_line(view);
                if let (Some(line), true) = (&behind, behind != *queued) {
                    outln!("{line}");
                }
                *queued = behind;
                print_changes(seen, simulated, view);
                let now = view.summary.status == RunStatus::Waiting;
                if now && !*waiting {
                    outln!(
                        "waiting: {}",
                        view.approvals
                            .iter()
                            .map(ToString::to_string)
                            .collect::<Vec<_>>()
                            .join(", ")
                    );
                }
                *waiting = now;
            }
        }
    }

    /// What is on the screen stays there.
    fn leave(&self) {
        match self {
            Self::Events(series) => series.end(),
            Self::Grid { lines, .. } => lines.values().for_each(ProgressBar::abandon),
            Self::Lines { .. } => {}
        }
    }

    fn finish(&self, view: &RunView) {
        let end = format!("{} {}", view.summary.id, painted_run(view.summary.status));
        match self {
            Self::Events(_) => {}
            Self::Grid { all, simulated, .. } => {
                self.leave();
                let _ = all.println(end);
                errors(simulated, view);
            }
            Self::Lines { simulated, .. } => {
                outln!("{end}");
                errors(simulated, view);
            }
        }
    }
}

fn grid(
    all: &MultiProgress,
    lines: &mut HashMap<String, ProgressBar>,
    simulated: &Simulated,
    view: &RunView,
) {
    let bar = |line: &str| {
        let bar = all.add(ProgressBar::new_spinner());
        bar.set_style(
            ProgressStyle::with_template("{msg}").unwrap_or_else(|_| ProgressStyle::default_spinner()),
        );
        bar.set_message(line.to_owned());
        bar
    };
    // The line of the lock has the key of no lane.
    match lock_line(view) {
        Some(line) => lines
            .entry(String::new())
            .or_insert_with(|| bar(&line))
            .set_message(line.clone()),
        None => {
            if let Some(line) = lines.remove("") {
                line.finish_and_clear();
            }
        }
    }
    for job in &view.jobs {
        for lane in &job.lanes {
            let key = format!(
                "{}/{}{}",
                job.name,
                lane.target.name,
                simulated.mark(&lane.target)
            );
            let cells: Vec<String> = lane
                .steps
                .iter()
                .map(|cell| format!("{} {}", step(cell.status).0, cell.name))
                .collect();
            let line = lines.entry(key.clone()).or_insert_with(|| bar(&key));
            line.set_message(format!("{key:<34} {}", cells.join("  ")));
        }
    }
}

fn print_changes(seen: &mut HashMap<String, StepStatus>, simulated: &Simulated, view: &RunView) {
    for (target, cell) in steps(view) {
        let before = seen.insert(cell.path.clone(), cell.status);
        if before != Some(cell.status) && cell.status != StepStatus::Pending {
            outln!(
                "{:<34} {}{}",
                cell.path,
                painted_step(cell.status),
                simulated.mark(target)
            );
        }
    }
}

fn errors(simulated: &Simulated, view: &RunView) {
    if let Some(error) = &view.error {
        eprintln!("{}: {}", view.summary.id, printable(&error.message));
        if let Some(hint) = &error.hint {
            eprintln!("  hint: {}", printable(hint));
        }
    }
    for (target, cell) in steps(view) {
        if let Some(error) = &cell.error {
            eprintln!(
                "{}{}: {}",
                cell.path,
                simulated.mark(target),
                printable(&error.message)
            );
            if let Some(hint) = &error.hint {
                eprintln!("  hint: {}", printable(hint));
            }
        }
    }
}
