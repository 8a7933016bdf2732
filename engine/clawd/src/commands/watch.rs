//! Watches a run: a live grid of steps on a terminal, plain lines elsewhere.

use std::collections::HashMap;
use std::io::IsTerminal as _;

use clawd_client::Client;
use clawd_model::api::RunView;
use clawd_model::{ErrorKind, Event, Recorded, RunId, RunStatus, StepStatus};
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use crate::cli::Format;
use crate::connect::failure;
use crate::exit::{Exit, Failure, Outcome};
use crate::render::plan::alternatives;
use crate::render::printable;
use crate::render::status::{painted_run, painted_step, step};

/// Follows a run's events until it is over, or waits for votes and that is enough.
pub(crate) async fn run(client: &Client, run: RunId, format: Format, exit_on_approval: bool) -> Outcome {
    let mut view = client.run(run).await.map_err(failure)?;
    let mut display = Display::new(format);
    display.show(&view);
    let mut events = client.run_events(run, view.last_seq);
    loop {
        if view.summary.status.is_final() {
            display.finish(&view);
            return Ok(exit_of(&view));
        }
        if exit_on_approval && view.summary.status == RunStatus::Waiting {
            display.finish(&view);
            return Ok(Exit::AwaitingApproval);
        }
        let next = tokio::select! {
            next = events.next() => next,
            _ = tokio::signal::ctrl_c() => {
                eprintln!("\nno longer watching; the run goes on: clawd run watch {run}");
                return Ok(Exit::Interrupted);
            }
        };
        if let Some(event) = next {
            display.event(&event.map_err(failure)?)?;
        }
        view = client.run(run).await.map_err(failure)?;
        display.show(&view);
    }
}

/// How a run's end is told to scripts.
fn exit_of(view: &RunView) -> Exit {
    let failed = || {
        view.jobs
            .iter()
            .flat_map(|job| &job.lanes)
            .flat_map(|lane| &lane.steps)
    };
    match view.summary.status {
        RunStatus::Succeeded => Exit::Ok,
        RunStatus::Denied => Exit::Denied,
        RunStatus::Cancelled => Exit::Interrupted,
        _ => {
            let mut errors = failed()
                .filter(|step| step.status == StepStatus::Failed)
                .filter_map(|step| step.error.as_ref())
                .peekable();
            let any = errors.peek().is_some();
            let unreachable =
                errors.all(|error| matches!(error.kind, ErrorKind::Connection | ErrorKind::HostKey));
            if any && unreachable {
                Exit::Unreachable
            } else {
                Exit::Failed
            }
        }
    }
}

enum Display {
    /// One line a lane, redrawn in place.
    Grid {
        all: MultiProgress,
        lines: HashMap<String, ProgressBar>,
    },
    /// A line for each step that changes its status.
    Lines {
        seen: HashMap<String, StepStatus>,
        waiting: bool,
    },
    /// The events as they are.
    Events,
}

impl Display {
    fn new(format: Format) -> Self {
        match format {
            Format::Json | Format::Ndjson => Self::Events,
            Format::Table if std::io::stderr().is_terminal() => Self::Grid {
                all: MultiProgress::new(),
                lines: HashMap::new(),
            },
            Format::Table => Self::Lines {
                seen: HashMap::new(),
                waiting: false,
            },
        }
    }

    fn event(&mut self, recorded: &Recorded) -> Result<(), Failure> {
        if let Self::Events = self {
            outln!(
                "{}",
                serde_json::to_string(recorded).map_err(anyhow::Error::from)?
            );
            return Ok(());
        }
        let note = match &recorded.event {
            Event::ApprovalRequested {
                approval,
                subject,
                missing,
                ..
            } => format!(
                "{approval}: job `{}` needs {}\n  vote with: clawd approve {approval}",
                subject.job,
                alternatives(missing)
            ),
            Event::VoteCast { vote } => {
                format!("{}: {} voted {:?}", vote.approval, vote.voter, vote.verdict).to_lowercase()
            }
            Event::ApprovalGranted { approval } => format!("{approval}: granted"),
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
            Self::Events => {}
            Self::Grid { all, lines } => grid(all, lines, view),
            Self::Lines { seen, waiting } => {
                print_changes(seen, view);
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

    fn finish(&self, view: &RunView) {
        match self {
            Self::Events => {}
            Self::Grid { all, lines } => {
                for line in lines.values() {
                    line.abandon();
                }
                let _ = all.println(format!(
                    "{} {}",
                    view.summary.id,
                    painted_run(view.summary.status)
                ));
                errors(view);
            }
            Self::Lines { .. } => {
                outln!("{} {}", view.summary.id, painted_run(view.summary.status));
                errors(view);
            }
        }
    }
}

fn grid(all: &MultiProgress, lines: &mut HashMap<String, ProgressBar>, view: &RunView) {
    for job in &view.jobs {
        for lane in &job.lanes {
            let key = format!("{}/{}", job.name, lane.target.name);
            let cells: Vec<String> = lane
                .steps
                .iter()
                .map(|cell| format!("{} {}", step(cell.status).0, cell.name))
                .collect();
            let line = lines.entry(key.clone()).or_insert_with(|| {
                let bar = all.add(ProgressBar::new_spinner());
                bar.set_style(
                    ProgressStyle::with_template("{msg}")
                        .unwrap_or_else(|_| ProgressStyle::default_spinner()),
                );
                bar
            });
            line.set_message(format!("{key:<28} {}", cells.join("  ")));
        }
    }
}

fn print_changes(seen: &mut HashMap<String, StepStatus>, view: &RunView) {
    for cell in view
        .jobs
        .iter()
        .flat_map(|job| &job.lanes)
        .flat_map(|lane| &lane.steps)
    {
        let before = seen.insert(cell.path.clone(), cell.status);
        if before != Some(cell.status) && cell.status != StepStatus::Pending {
            outln!("{:<34} {}", cell.path, painted_step(cell.status));
        }
    }
}

fn errors(view: &RunView) {
    for cell in view
        .jobs
        .iter()
        .flat_map(|job| &job.lanes)
        .flat_map(|lane| &lane.steps)
    {
        if let Some(error) = &cell.error {
            eprintln!("{}: {}", cell.path, printable(&error.message));
            if let Some(hint) = &error.hint {
                eprintln!("  hint: {}", printable(hint));
            }
        }
    }
}
