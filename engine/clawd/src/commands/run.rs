//! `clawd run`: start, list, show, watch, cancel, resolve, output.

use clap::{Args, Subcommand};
use clawd_client::{Client, OutputQuery, RunsQuery};
use clawd_model::api::{OutputView, Resolution, ResolveStep, RunSummary, RunView};
use clawd_model::product::BINARY;
use clawd_model::{Clock as _, Digest, RunId, RunbookName};

use crate::cli::{Format, Globals};
use crate::commands::plan::What;
use crate::commands::watch;
use crate::connect::{client, failure};
use crate::exit::{Exit, Failure, Outcome};
use crate::render::simulated::Simulated;
use crate::render::status::{painted_run, painted_step};
use crate::render::{ago, print, print_list, printable, table};
use crate::system::SystemClock;

/// Runs: start, list, show, watch, cancel, resolve, output.
#[derive(Debug, Subcommand)]
pub(crate) enum Run {
    /// Plan and start a run, or start a plan that you looked at.
    Start(Start),
    /// List runs, newest first.
    Ls {
        /// Of one runbook only.
        #[arg(long)]
        runbook: Option<RunbookName>,
        /// At most so many.
        #[arg(long, default_value = "20")]
        limit: u32,
    },
    /// Show a run, step by step.
    Show { run: RunId },
    /// Watch a run until it is over.
    Watch {
        run: RunId,
        #[command(flatten)]
        until: watch::Until,
    },
    /// Cancel a run: attempts that began are finished, nothing new begins.
    Cancel {
        run: RunId,
        /// Why.
        #[arg(long, default_value = "")]
        reason: String,
    },
    /// Say what an unknown step came to.
    Resolve(Resolve),
    /// Print what a step has printed.
    Output {
        run: RunId,
        /// Which step: `rollout/web-1/apply`.
        step: String,
        /// Of which attempt; the last when absent.
        #[arg(long)]
        attempt: Option<u32>,
    },
}

/// Plan and start a run, or start a plan that you looked at.
#[derive(Debug, Args)]
pub(crate) struct Start {
    /// Which runbook.
    runbook: RunbookName,
    #[command(flatten)]
    what: What,
    /// The digest of a plan of this runbook that you looked at; it is started exactly as it is.
    #[arg(long, conflicts_with_all = ["on", "inputs", "inputs_file"])]
    plan: Option<Digest>,
    /// Watch it until it is over.
    #[arg(long, short = 'w')]
    watch: bool,
    /// With --watch: end with exit code 6 as soon as the run waits for votes.
    #[arg(long, requires = "watch")]
    exit_on_approval: bool,
    /// With --watch: end with exit code 8 when another run holds the lock that the run waits for.
    #[arg(long, requires = "watch")]
    exit_on_lock: bool,
    /// The same key starts one run, however often the request is sent.
    #[arg(long, value_name = "KEY")]
    idempotency_key: Option<String>,
}

/// Say what an unknown step came to, after you have looked at the server.
#[derive(Debug, Args)]
pub(crate) struct Resolve {
    run: RunId,
    /// Which step: `rollout/web-1/apply`.
    step: String,
    /// Which attempt you looked at; the last when absent.
    #[arg(long)]
    attempt: Option<u32>,
    #[command(flatten)]
    verdict: Verdict,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct Verdict {
    /// It took place: go on. Optionally with the output that it would have given, as JSON.
    #[arg(long, num_args = 0..=1, default_missing_value = "{}", value_name = "OUTPUT")]
    happened: Option<String>,
    /// It did not take place: try again.
    #[arg(long)]
    did_not_happen: bool,
    /// It failed: go on as after a failure.
    #[arg(long, value_name = "WHAT")]
    failed: Option<String>,
}

impl Start {
    pub(crate) fn of(runbook: RunbookName, what: What, watch: bool) -> Self {
        Self {
            runbook,
            what,
            plan: None,
            watch,
            exit_on_approval: false,
            exit_on_lock: false,
            idempotency_key: None,
        }
    }

    pub(crate) async fn run(self, globals: &Globals) -> Outcome {
        let client = client(globals)?;
        let key = self.idempotency_key.as_deref();
        let started = match self.plan {
            Some(plan) => {
                self.is_of(&client, plan).await?;
                client.start_planned(plan, key).await
            }
            None => client.start(&self.runbook, &self.what.request()?, key).await,
        };
        let run = started.map_err(failure)?;
        if self.watch {
            eprintln!("started {}", run.id);
            let until = watch::Until {
                exit_on_approval: self.exit_on_approval,
                exit_on_lock: self.exit_on_lock,
            };
            return watch::run(&client, run.id, globals.output, until).await;
        }
        print(globals.output, &run, |run| {
            outln!("{}", run.id);
            eprintln!("watch it with: {BINARY} run watch {}", run.id);
        })?;
        Ok(Exit::Ok)
    }

    /// A digest that was pasted from elsewhere must not start another runbook than the one that is named.
    async fn is_of(&self, client: &Client, digest: Digest) -> Result<(), Failure> {
        let planned = client.stored_plan(digest).await.map_err(failure)?.plan.runbook;
        if planned == self.runbook {
            return Ok(());
        }
        Err(Failure::usage(format!(
            "the plan is of runbook `{planned}`, not of `{}`",
            self.runbook
        ))
        .with_hint(format!(
            "make a plan with `{BINARY} plan {}`, or start `{planned}`",
            self.runbook
        )))
    }
}

impl Run {
    pub(crate) async fn run(self, globals: &Globals) -> Outcome {
        match self {
            Self::Start(start) => return start.run(globals).await,
            Self::Watch { run, until } => {
                return watch::run(&client(globals)?, run, globals.output, until).await;
            }
            Self::Ls { runbook, limit } => {
                let which = RunsQuery {
                    runbook,
                    limit: Some(limit),
                    ..RunsQuery::default()
                };
                let runs = client(globals)?.runs(&which).await.map_err(failure)?;
                print_list(globals.output, &runs.items, list)?;
            }
            Self::Show { run } => {
                let client = client(globals)?;
                let view = client.run(run).await.map_err(failure)?;
                let simulated = Simulated::ask(&client).await;
                print(globals.output, &view, |view| show(view, &simulated))?;
            }
            Self::Cancel { run, reason } => {
                let run = client(globals)?.cancel_run(run, &reason).await.map_err(failure)?;
                print(globals.output, &run, |run| {
                    eprintln!("cancelling {}; attempts that began are finished", run.id)
                })?;
            }
            Self::Resolve(resolve) => return resolve.run(globals).await,
            Self::Output { run, step, attempt } => return output(globals, run, step, attempt).await,
        }
        Ok(Exit::Ok)
    }
}

impl Resolve {
    async fn run(self, globals: &Globals) -> Outcome {
        let resolution = if let Some(output) = self.verdict.happened {
            let output = serde_json::from_str(&output)
                .map_err(|error| Failure::usage(format!("the output is not JSON: {error}")))?;
            Resolution::Happened {
                output,
                changed: true,
            }
        } else if let Some(message) = self.verdict.failed {
            Resolution::Failed { message }
        } else {
            Resolution::DidNotHappen
        };
        let client = client(globals)?;
        let attempt = match self.attempt {
            Some(attempt) => attempt,
            None => last_attempt(&client.run(self.run).await.map_err(failure)?, &self.step),
        };
        let resolve = ResolveStep {
            step: self.step,
            attempt,
            resolution,
        };
        let run = client.resolve_step(self.run, &resolve).await.map_err(failure)?;
        print(globals.output, &run, |run| {
            eprintln!("recorded; {} goes on", run.id)
        })?;
        Ok(Exit::Ok)
    }
}

/// The number of a step's last attempt; 0 before the first one, and of a step that there is not: the engine says so.
fn last_attempt(run: &RunView, path: &str) -> u32 {
    let lanes = run.jobs.iter().flat_map(|job| &job.lanes);
    let mut steps = lanes.flat_map(|lane| &lane.steps);
    steps
        .find(|step| step.path == path)
        .map_or(0, |step| step.attempt)
}

async fn output(globals: &Globals, run: RunId, step: String, attempt: Option<u32>) -> Outcome {
    let client = client(globals)?;
    let mut whole: Option<OutputView> = None;
    let mut from = 0;
    loop {
        let which = OutputQuery {
            step: step.clone(),
            attempt,
            from,
        };
        let view = client.output(run, &which).await.map_err(failure)?;
        from = view.next;
        let is_last = view.chunks.is_empty();
        match globals.output {
            Format::Table => {
                for chunk in &view.chunks {
                    match chunk.stream.as_str() {
                        "stdout" => out!("{}", printable(&chunk.text)),
                        _ => eprint!("{}", printable(&chunk.text)),
                    }
                }
            }
            Format::Ndjson => print_list(globals.output, &view.chunks, |_| {})?,
            Format::Json | Format::Yaml => match &mut whole {
                Some(whole) => {
                    whole.chunks.extend(view.chunks);
                    (whole.next, whole.complete) = (view.next, view.complete);
                }
                None => whole = Some(view),
            },
        }
        if is_last {
            break;
        }
    }
    if let Some(whole) = &whole {
        print(globals.output, whole, |_| {})?;
    }
    Ok(Exit::Ok)
}

fn list(runs: &[RunSummary]) {
    let now = SystemClock.now();
    let rows = runs.iter().map(|run| {
        vec![
            run.id.to_string(),
            run.runbook.to_string(),
            painted_run(run.status),
            run.requester.to_string(),
            ago(now, run.started_at),
            run.plan.short(),
        ]
    });
    table::print(
        &["RUN", "RUNBOOK", "STATUS", "BY", "STARTED", "PLAN"],
        rows.collect(),
        "no runs",
    );
}

fn show(view: &RunView, simulated: &Simulated) {
    let run = &view.summary;
    outln!(
        "{}  {}  {}  by {}",
        run.id,
        run.runbook,
        painted_run(run.status),
        run.requester
    );
    outln!("plan {}\nworkflow {}", run.plan, run.workflow);
    if let Some(line) = watch::lock_line(view) {
        outln!("{line}");
    } else if let Some(lock) = &view.lock {
        outln!("lock {}", lock.name);
    }
    if let Some(error) = &view.error {
        outln!("error: {}", printable(&error.message));
        if let Some(hint) = &error.hint {
            outln!("  hint: {}", printable(hint));
        }
    }
    for job in &view.jobs {
        outln!();
        match &job.skipped {
            Some(reason) => outln!("{}: skipped, {}", job.name, printable(reason)),
            None => outln!("{}", job.name),
        }
        for lane in &job.lanes {
            outln!("  {}{}", lane.target.name, simulated.mark(&lane.target));
            for step in &lane.steps {
                let path = &step.path;
                outln!("    {path:<34} {}", painted_step(step.status));
                if let Some(error) = &step.error {
                    outln!("      error: {}", printable(&error.message));
                    if let Some(hint) = &error.hint {
                        outln!("      hint: {}", printable(hint));
                    }
                }
                if let Some(reason) = &step.skipped {
                    outln!("      {}", printable(reason));
                }
            }
        }
    }
    for approval in &view.approvals {
        outln!("\napproval {approval}");
    }
}
