//! Drives one run: a task that takes inputs, decides, commits, and then performs.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;

use clawd_audit::Draft;
use clawd_model::{
    AttemptId, DurationMs, ErrorKind, Event, Outcome, RunId, RunStatus, StepError, StepRef, TenantName,
};
use clawd_scheduler::{Effect, Input, Program, RunState, decide};
use clawd_store::{CommitError, Message, NewRunRow, shard_of};
use serde_json::Value;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use crate::attempt::Finished;
use crate::claim::LEASE;
use crate::env::Env;
use crate::gate::{self, Passed};
use crate::load;
use crate::turn::Pending;

/// How long a run that the store refused waits before it is loaded anew; longer each time that it is refused again.
const PAUSE: DurationMs = DurationMs::from_secs(1);
/// The pause doubles so often at most.
const DOUBLINGS_MAX: u32 = 5;

/// How often a run may decide what can never be stored.
const HOPELESS_MAX: u32 = 2;

/// What a run's task is told.
pub(crate) enum Mail {
    /// Something for the scheduler.
    Input(Input),
    /// An attempt ended.
    Finished(Ended),
    /// The inbox holds something.
    Inbox,
}

/// An attempt that ended.
#[derive(Clone)]
pub(crate) struct Ended {
    pub(crate) step: StepRef,
    pub(crate) attempt: u32,
    pub(crate) id: AttemptId,
    pub(crate) finished: Finished,
}

/// What is left to do within one decision.
enum Next {
    Decide(Input),
    AskGate(StepRef),
}

/// One run, in memory.
pub(crate) struct Driver {
    pub(crate) env: Arc<Env>,
    pub(crate) program: Program,
    pub(crate) state: RunState,
    pub(crate) mailbox: mpsc::UnboundedSender<Mail>,
    /// What comes before the mail: told again after the run was loaded anew.
    first: VecDeque<Mail>,
    /// Attempts that this process works on, until their outcome is durable: they are not recovered a second time.
    pub(crate) in_flight: HashSet<AttemptId>,
    /// Those of them that ended, and whose outcome is not durable.
    ended: Vec<Ended>,
    /// Allows of the present turn.
    pub(crate) passed: HashMap<StepRef, Passed>,
    /// Ends when the run is cancelled.
    pub(crate) cancel: CancellationToken,
    /// Ends when the process stops: nothing new is begun, attempts are left to recovery.
    pub(crate) stop: CancellationToken,
    /// What the store says of the run; `None` when that is not known.
    pub(crate) status: Option<RunStatus>,
    /// What became of the output of attempts that ended, for the audit log.
    pub(crate) outputs: HashMap<(StepRef, u32), Value>,
    pub(crate) shard: u16,
    /// Whether the state is ahead of the journal, since a commit failed.
    stale: bool,
    /// How many commits were refused in a row.
    refused: u32,
    /// How many turns could never have been stored, since the run is in memory.
    hopeless: u32,
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
            first: VecDeque::new(),
            in_flight: HashSet::new(),
            ended: Vec::new(),
            passed: HashMap::new(),
            cancel: CancellationToken::new(),
            stop,
            status: None,
            outputs: HashMap::new(),
            shard,
            stale: false,
            refused: 0,
            hopeless: 0,
        }
    }

    /// The first turn of a new run: its beginning and the first intents in one commit. Only the beginning of a very
    /// large run takes several; once the first of them is durable, the run exists, and is driven on.
    pub(crate) async fn begin(
        &mut self,
        first: Event,
        row: NewRunRow,
        audit: Vec<Draft>,
    ) -> Result<(), CommitError> {
        let mut pending = Pending::first(self.env.deps.clock.now(), row, audit);
        let record = self.recorder().draft(&first);
        let bytes = self.weight(&first, record.as_ref());
        pending.push(first, record, bytes);
        let begun = match self.take(Input::Resume, &mut pending).await {
            Ok(()) => self.flush(&mut pending).await,
            Err(error) => Err(error),
        };
        if let Err(error) = begun {
            if self.status.is_none() {
                return Err(error);
            }
            tracing::error!(run = %self.state.run, %error, "the run has begun, and a turn of it could not be stored");
            self.stale = true;
        }
        Ok(())
    }

    /// Works until the run is over, the lease is lost, or the process stops.
    pub(crate) async fn work(mut self, mut mail: mpsc::UnboundedReceiver<Mail>) {
        if self.stale && !self.reload().await {
            return;
        }
        while self.state.outcome.is_none() {
            let first = match self.first.pop_front() {
                Some(first) => Some(first),
                None => tokio::select! {
                    biased;
                    () = self.stop.cancelled() => return,
                    first = mail.recv() => first,
                },
            };
            let Some(first) = first else { return };
            let Err(error) = self.turn(first, &mut mail).await else {
                continue;
            };
            if let CommitError::Fenced { .. } = error {
                tracing::warn!(run = %self.state.run, %error, "another node has the run; leaving it");
                return;
            }
            tracing::error!(run = %self.state.run, %error, "the turn could not be stored; loading the run anew");
            if !self.reload().await {
                return;
            }
            if error.is_permanent() && !self.give_up(&error) {
                return;
            }
        }
    }

    /// A turn that can never be stored is decided anew, since the state in memory may have been to blame; but not for
    /// ever: then the run ends, and says why. False when not even that can be stored: the run is left as it is.
    fn give_up(&mut self, error: &CommitError) -> bool {
        self.hopeless += 1;
        let run = self.state.run;
        if self.hopeless > HOPELESS_MAX {
            tracing::error!(%run, %error, "not even the end of the run can be stored; leaving it until the next start");
            return false;
        }
        if self.hopeless == HOPELESS_MAX {
            tracing::error!(%run, %error, "what the run decides can never be stored; giving it up");
            let message = format!("the engine gave the run up: {error}");
            let error = StepError::new(ErrorKind::Internal, message).with_hint(
                "look at what its steps did, and start what is left in smaller runs; the process's log says more",
            );
            self.first = VecDeque::from([Mail::Input(Input::GiveUp { error })]);
        }
        true
    }

    /// One turn: all that waits, as far as one commit bears.
    async fn turn(
        &mut self,
        first: Mail,
        mail: &mut mpsc::UnboundedReceiver<Mail>,
    ) -> Result<(), CommitError> {
        let mut pending = Pending::new(self.env.deps.clock.now());
        self.open(first, &mut pending).await?;
        while !pending.is_full() {
            let next = self.first.pop_front().or_else(|| mail.try_recv().ok());
            let Some(next) = next else { break };
            self.open(next, &mut pending).await?;
        }
        self.flush(&mut pending).await
    }

    /// Makes durable what was decided so far, and then performs it.
    async fn flush(&mut self, pending: &mut Pending) -> Result<(), CommitError> {
        self.commit(pending).await?;
        self.refused = 0;
        for ended in self.ended.drain(..) {
            self.in_flight.remove(&ended.id);
        }
        self.perform(pending.take_effects());
        // An allow is good for the turn that it was given in.
        self.passed.clear();
        Ok(())
    }

    async fn open(&mut self, mail: Mail, pending: &mut Pending) -> Result<(), CommitError> {
        match mail {
            Mail::Input(input) => self.take(input, pending).await,
            Mail::Finished(ended) => self.finished(ended, pending).await,
            Mail::Inbox => {
                for item in self.env.deps.store.inbox(self.state.run).await? {
                    if pending.done_with(item.id) {
                        self.take(input_of(item.message), pending).await?;
                    }
                }
                // Whoever lets a lock go wakes the next in the queue in the same way.
                self.take(Input::LockFreed, pending).await
            }
        }
    }

    async fn finished(&mut self, ended: Ended, pending: &mut Pending) -> Result<(), CommitError> {
        // An attempt that the stopping process interrupted has no outcome: the next process takes it up.
        if self.stop.is_cancelled() && !matches!(ended.finished.outcome, Outcome::Succeeded { .. }) {
            return Ok(());
        }
        let Ended { step, attempt, .. } = ended;
        if let Some(output) = &ended.finished.output {
            self.outputs.insert((step, attempt), output.clone());
        }
        let outcome = ended.finished.outcome.clone();
        pending.grow(ended.finished.bytes);
        self.ended.push(ended);
        let input = Input::AttemptFinished {
            step,
            attempt,
            outcome,
        };
        self.take(input, pending).await
    }

    /// Decides, and answers the gate's questions, each when its turn comes, until only work is left that needs the
    /// commit first. A decision that has grown too large for one commit is committed in parts; each part ends where
    /// a decision of the scheduler does, so that the journal says at every end what is to follow.
    async fn take(&mut self, input: Input, pending: &mut Pending) -> Result<(), CommitError> {
        let mut next = VecDeque::from([Next::Decide(input)]);
        while let Some(work) = next.pop_front() {
            let input = match work {
                Next::Decide(input) => input,
                Next::AskGate(step) => self.ask_gate(step, pending).await?,
            };
            let turn = decide(&self.program, &mut self.state, input, pending.at);
            for event in turn.events {
                // Recorded now: later decisions of the turn change what an earlier one was made by.
                let record = self.recorder().draft(&event);
                let bytes = self.weight(&event, record.as_ref());
                pending.push(event, record, bytes);
            }
            for effect in turn.effects {
                match effect {
                    Effect::AskGate { step, .. } => next.push_back(Next::AskGate(step)),
                    other => pending.perform_later(other),
                }
            }
            if pending.is_full() {
                self.flush(pending).await?;
            }
        }
        Ok(())
    }

    async fn ask_gate(&mut self, step: StepRef, pending: &Pending) -> Result<Input, CommitError> {
        let deps = &self.env.deps;
        let tenant = &self.state.tenant;
        self.passed.remove(&step);
        let Some(bundle) = deps.policies.current(tenant) else {
            let decision = gate::no_bundle();
            return Ok(Input::GateAnswered { step, decision });
        };
        let members = self.env.directory.members(&deps.store, tenant).await?;
        let uses = self.program.step(step).map(|step| &step.uses);
        let question = gate::Question {
            program: &self.program,
            state: &self.state,
            step,
            spec: uses.and_then(|uses| deps.registry.spec(uses)),
            now: pending.at,
        };
        let (decision, passed) = gate::ask(&question, &bundle, &members);
        if let Some(passed) = passed {
            self.passed.insert(step, passed);
        }
        Ok(Input::GateAnswered { step, decision })
    }

    /// Reads the run back as it is stored, and goes on from there. Until that is done nothing is decided: the state
    /// in memory says things that never happened.
    async fn reload(&mut self) -> bool {
        let run = self.state.run;
        loop {
            let pause = PAUSE.to_std() * 2_u32.pow(self.refused.min(DOUBLINGS_MAX));
            self.refused = self.refused.saturating_add(1);
            tokio::select! {
                biased;
                () = self.stop.cancelled() => return false,
                () = tokio::time::sleep(pause) => {}
            }
            match self.read_back().await {
                Ok(true) => break,
                Ok(false) => {
                    tracing::warn!(%run, "another node has the run; leaving it");
                    return false;
                }
                Err(error) => tracing::error!(%run, %error, "the run could not be loaded; trying again"),
            }
        }
        self.stale = false;
        self.passed.clear();
        self.status = None;
        // Outcomes that were not stored are told again, before anybody asks for them.
        let ended = std::mem::take(&mut self.ended).into_iter().map(Mail::Finished);
        let rest = [Mail::Input(Input::Resume), Mail::Inbox];
        self.first = ended.chain(rest).collect();
        true
    }

    /// False when the lease is no longer ours: attempts are not taken up again without it.
    async fn read_back(&mut self) -> Result<bool, Box<dyn std::error::Error + Send + Sync>> {
        let Some(lease) = self.env.lease(self.shard) else {
            return Ok(false);
        };
        if self.env.deps.store.renew(&lease, LEASE).await?.is_none() {
            return Ok(false);
        }
        (self.program, self.state) = load::again(&self.env, &self.state.tenant, self.state.run).await?;
        Ok(true)
    }
}

fn input_of(message: Message) -> Input {
    match message {
        Message::Vote { vote } => Input::VoteCast { vote },
        Message::Cancel { by, reason } => Input::CancelRequested { by, reason },
        Message::Resolve { step, outcome, by } => Input::UnknownResolved { step, by, outcome },
    }
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
