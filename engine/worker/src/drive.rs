//! Drives one run: a task that takes inputs, decides, commits, and then performs.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use clawd_audit::Draft;
use clawd_model::{ApprovalId, AttemptId, DurationMs, Event, Outcome, RunId, RunStatus, StepRef, TenantName};
use clawd_scheduler::{Effect, Input, Program, RunState, decide};
use clawd_store::{CommitError, Message, NewRunRow, Turn, shard_of};
use serde_json::Value;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use crate::attempt::Finished;
use crate::env::Env;
use crate::gate::{self, Passed};
use crate::load;
use crate::records::Recorder;

/// How long a run that the store refused waits before it is loaded anew.
const PAUSE: DurationMs = DurationMs::from_secs(1);

/// What a run's task is told.
pub(crate) enum Mail {
    /// Something for the scheduler.
    Input(Input),
    /// An attempt ended.
    Finished {
        step: StepRef,
        attempt: u32,
        id: AttemptId,
        finished: Finished,
    },
    /// The inbox holds something.
    Inbox,
}

/// One run, in memory.
pub(crate) struct Driver {
    pub(crate) env: Arc<Env>,
    pub(crate) program: Program,
    pub(crate) state: RunState,
    pub(crate) mailbox: mpsc::UnboundedSender<Mail>,
    /// Attempts that this process works on: they are not recovered a second time.
    pub(crate) in_flight: HashSet<AttemptId>,
    pub(crate) passed: HashMap<StepRef, Passed>,
    /// Ends when the run is cancelled.
    pub(crate) cancel: CancellationToken,
    /// Ends when the process stops: nothing new is begun, attempts are left to recovery.
    pub(crate) stop: CancellationToken,
    status: Option<RunStatus>,
    outputs: HashMap<(StepRef, u32), Value>,
    shard: u16,
}

/// What has to be committed together.
#[derive(Default)]
struct Pending {
    events: Vec<Event>,
    effects: Vec<Effect>,
    inbox_done: Vec<i64>,
    first: Option<(NewRunRow, Vec<Draft>)>,
}

impl Driver {
    pub(crate) fn new(
        env: Arc<Env>,
        (program, state): (Program, RunState),
        mailbox: mpsc::UnboundedSender<Mail>,
        stop: CancellationToken,
    ) -> Self {
        let shard = shard_of(state.run);
        Self {
            env,
            program,
            state,
            mailbox,
            in_flight: HashSet::new(),
            passed: HashMap::new(),
            cancel: CancellationToken::new(),
            stop,
            status: None,
            outputs: HashMap::new(),
            shard,
        }
    }

    /// The first turn of a new run: its beginning and the first intents in one commit.
    pub(crate) async fn begin(
        &mut self,
        first: Event,
        row: NewRunRow,
        audit: Vec<Draft>,
    ) -> Result<(), CommitError> {
        let mut pending = Pending {
            events: vec![first],
            first: Some((row, audit)),
            ..Pending::default()
        };
        self.take(Input::Resume, &mut pending).await;
        let effects = std::mem::take(&mut pending.effects);
        self.commit(pending).await?;
        self.perform(effects);
        Ok(())
    }

    /// Works until the run is over, the lease is lost, or the process stops.
    pub(crate) async fn work(mut self, mut mail: mpsc::UnboundedReceiver<Mail>) {
        while self.state.outcome.is_none() {
            let first = tokio::select! {
                biased;
                () = self.stop.cancelled() => return,
                first = mail.recv() => first,
            };
            let Some(first) = first else { return };
            let mut pending = Pending::default();
            self.open(first, &mut pending).await;
            while let Ok(next) = mail.try_recv() {
                self.open(next, &mut pending).await;
            }
            if let Err(error) = self.settle(pending).await {
                if matches!(error, CommitError::Fenced { .. } | CommitError::Conflict { .. }) {
                    tracing::warn!(run = %self.state.run, %error, "another node has the run; leaving it");
                    return;
                }
                tracing::error!(run = %self.state.run, %error, "the turn could not be stored; loading the run anew");
                if !self.reload().await {
                    return;
                }
            }
        }
    }

    async fn settle(&mut self, mut pending: Pending) -> Result<(), CommitError> {
        let effects = std::mem::take(&mut pending.effects);
        if !pending.events.is_empty() || !pending.inbox_done.is_empty() {
            self.commit(pending).await?;
        }
        self.perform(effects);
        Ok(())
    }

    async fn open(&mut self, mail: Mail, pending: &mut Pending) {
        match mail {
            Mail::Input(input) => self.take(input, pending).await,
            Mail::Finished {
                step,
                attempt,
                id,
                finished,
            } => {
                self.in_flight.remove(&id);
                if let Some(output) = finished.output {
                    self.outputs.insert((step, attempt), output);
                }
                // An attempt that the stopping process interrupted has no outcome: the next process takes it up.
                let interrupted =
                    self.stop.is_cancelled() && !matches!(finished.outcome, Outcome::Succeeded { .. });
                if !interrupted {
                    self.take(
                        Input::AttemptFinished {
                            step,
                            attempt,
                            outcome: finished.outcome,
                        },
                        pending,
                    )
                    .await;
                }
            }
            Mail::Inbox => match self.env.deps.store.inbox(self.state.run).await {
                Ok(items) => {
                    for item in items
                        .into_iter()
                        .filter(|item| !pending.inbox_done.contains(&item.id))
                        .collect::<Vec<_>>()
                    {
                        pending.inbox_done.push(item.id);
                        self.take(input_of(item.message), pending).await;
                    }
                }
                Err(error) => tracing::error!(run = %self.state.run, %error, "the inbox could not be read"),
            },
        }
    }

    /// Decides, and answers the gate's questions, until only work is left that needs the commit first.
    async fn take(&mut self, input: Input, pending: &mut Pending) {
        let now = self.env.deps.clock.now();
        let mut inputs = vec![input];
        while let Some(input) = inputs.pop() {
            let turn = decide(&self.program, &mut self.state, input, now);
            pending.events.extend(turn.events);
            for effect in turn.effects {
                match effect {
                    Effect::AskGate { step, .. } => inputs.insert(0, self.ask_gate(step).await),
                    other => pending.effects.push(other),
                }
            }
        }
    }

    async fn ask_gate(&mut self, step: StepRef) -> Input {
        let deps = &self.env.deps;
        let tenant = &self.state.tenant;
        let spec = self
            .program
            .step(step)
            .and_then(|step| deps.registry.spec(&step.uses));
        let decision = match (
            deps.policies.current(tenant),
            self.env.directory.members(&deps.store, tenant).await,
        ) {
            (Some(bundle), Ok(members)) => {
                let question = gate::Question {
                    program: &self.program,
                    state: &self.state,
                    step,
                    spec,
                    now: deps.clock.now(),
                };
                let (decision, passed) = gate::ask(&question, &bundle, &members);
                if let Some(passed) = passed {
                    self.passed.insert(step, passed);
                }
                decision
            }
            (None, _) => gate::no_bundle(),
            (Some(_), Err(error)) => {
                tracing::error!(%error, "people and servers could not be read; the gate denies");
                gate::no_bundle()
            }
        };
        Input::GateAnswered { step, decision }
    }

    async fn commit(&mut self, pending: Pending) -> Result<(), CommitError> {
        let Some(epoch) = self.env.epoch(self.shard) else {
            return Err(CommitError::Fenced {
                shard: self.shard,
                epoch: 0,
            });
        };
        let at = self.env.deps.clock.now();
        let recorder = Recorder {
            program: &self.program,
            state: &self.state,
            outputs: &self.outputs,
        };
        let (new_run, mut audit) = match pending.first {
            Some((row, audit)) => (Some(row), audit),
            None => (None, Vec::new()),
        };
        audit.extend(pending.events.iter().filter_map(|event| recorder.draft(event)));
        let count = u64::try_from(pending.events.len()).unwrap_or(0);
        let status = self.state.status();
        let turn = Turn {
            tenant: self.state.tenant.clone(),
            run: self.state.run,
            shard: self.shard,
            epoch,
            first_seq: self.state.seq + 1 - count,
            at,
            approvals: approvals_in(&pending.events)
                .into_iter()
                .filter_map(|id| self.state.approvals.get(&id).cloned())
                .collect(),
            finished: self.state.outcome.is_some(),
            status: (self.status != Some(status)).then_some(status),
            events: pending.events,
            audit,
            new_run,
            inbox_done: pending.inbox_done,
        };
        self.env.deps.store.commit(turn).await?;
        self.status = Some(status);
        self.outputs.clear();
        Ok(())
    }

    /// Reads the run back as it is stored, and goes on from there.
    async fn reload(&mut self) -> bool {
        tokio::time::sleep(PAUSE.to_std()).await;
        let run = self.state.run;
        match load::again(&self.env, &self.state.tenant, run).await {
            Ok((program, state)) => {
                self.program = program;
                self.state = state;
                self.passed.clear();
                self.status = None;
                let _ = self.mailbox.send(Mail::Input(Input::Resume));
                let _ = self.mailbox.send(Mail::Inbox);
                true
            }
            Err(error) => {
                tracing::error!(%run, %error, "the run could not be loaded; trying again");
                let _ = self.mailbox.send(Mail::Input(Input::Resume));
                !self.stop.is_cancelled()
            }
        }
    }
}

fn input_of(message: Message) -> Input {
    match message {
        Message::Vote { vote } => Input::VoteCast { vote },
        Message::Cancel { by, reason } => Input::CancelRequested { by, reason },
        Message::Resolve { step, outcome, by } => Input::UnknownResolved { step, by, outcome },
    }
}

/// Requests for votes that the events changed: all of them when the run ends.
fn approvals_in(events: &[Event]) -> HashSet<ApprovalId> {
    let mut ids = HashSet::new();
    for event in events {
        match event {
            Event::ApprovalRequested { approval, .. }
            | Event::ApprovalUpdated { approval, .. }
            | Event::ApprovalGranted { approval }
            | Event::ApprovalRejected { approval, .. }
            | Event::ApprovalVoided { approval, .. } => {
                ids.insert(*approval);
            }
            Event::VoteCast { vote } => {
                ids.insert(vote.approval);
            }
            _ => {}
        }
    }
    ids
}

/// Which run a mailbox belongs to, for the worker's table.
pub(crate) struct Handle {
    pub(crate) tenant: TenantName,
    pub(crate) mailbox: mpsc::UnboundedSender<Mail>,
    /// Closes when the run's task has ended.
    pub(crate) done: watch::Receiver<()>,
}

/// The worker's table of runs.
pub(crate) type Handles = HashMap<RunId, Handle>;
