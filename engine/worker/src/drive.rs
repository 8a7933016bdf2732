//! Drives one run: a task that takes inputs, decides, commits, and then performs.

use std::collections::{HashMap, HashSet, VecDeque};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use clawd_audit::Draft;
use clawd_model::{AttemptId, Digest, Event, Outcome, RunId, RunStatus, StepError, StepRef, TenantName};
use clawd_scheduler::{Effect, Input, Program, RunState, decide};
use clawd_store::{CommitError, Message, NewRunRow, shard_of};
use futures::FutureExt as _;
use serde_json::Value;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::attempt::Finished;
use crate::env::{Env, Room};
use crate::gate::Passed;
use crate::turn::Pending;

/// What a run's task is told.
pub(crate) enum Mail {
    /// Something for the scheduler.
    Input(Input),
    /// A step was checked, perhaps with room for its attempt at hand.
    Checked {
        step: StepRef,
        result: Result<(Digest, String), StepError>,
        room: Option<Room>,
    },
    /// There is room for a step that the gate would have allowed before.
    Room { step: StepRef, room: Room },
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
    /// Whether the process was stopping by then, and may be the reason.
    pub(crate) stopped: bool,
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
    pub(crate) first: VecDeque<Mail>,
    /// Attempts that this process works on, until their outcome is durable: they are not recovered a second time.
    pub(crate) in_flight: HashSet<AttemptId>,
    /// Those of them that ended, and whose outcome is not durable.
    pub(crate) ended: Vec<Ended>,
    /// Allows of the present turn, each with the room that its attempt begins in.
    pub(crate) passed: HashMap<StepRef, (Passed, Room)>,
    /// Room that came with the mail of the present turn.
    pub(crate) rooms: HashMap<StepRef, Room>,
    /// Steps that wait for room.
    pub(crate) queued: HashSet<StepRef>,
    /// Ends when the run is cancelled.
    pub(crate) cancel: CancellationToken,
    /// Ends when the process stops: nothing new is begun, attempts are left to recovery.
    pub(crate) stop: CancellationToken,
    /// Ends when this task does, for whatever reason: what still waits then is not called.
    pub(crate) over: CancellationToken,
    _over: DropGuard,
    /// What everything that the run does is traced under.
    pub(crate) span: tracing::Span,
    /// What the store says of the run; `None` when that is not known.
    pub(crate) status: Option<RunStatus>,
    /// What became of the output of attempts that ended, for the audit log.
    pub(crate) outputs: HashMap<(StepRef, u32), Value>,
    pub(crate) shard: u16,
    /// Whether the state is ahead of the journal, since a commit failed.
    pub(crate) stale: bool,
    /// How many commits were refused in a row.
    pub(crate) refused: u32,
    /// How many turns could never have been stored, since the run is in memory.
    pub(crate) hopeless: u32,
}

impl Driver {
    pub(crate) fn new(
        env: Arc<Env>,
        (program, state): (Program, RunState),
        mailbox: mpsc::UnboundedSender<Mail>,
        stop: CancellationToken,
    ) -> Self {
        let shard = shard_of(state.run);
        let over = stop.child_token();
        let span = tracing::info_span!(parent: None, "run", run = %state.run, tenant = %state.tenant, runbook = %state.runbook);
        Self {
            env,
            program,
            state,
            mailbox,
            first: VecDeque::new(),
            in_flight: HashSet::new(),
            ended: Vec::new(),
            passed: HashMap::new(),
            rooms: HashMap::new(),
            queued: HashSet::new(),
            cancel: CancellationToken::new(),
            stop,
            _over: over.clone().drop_guard(),
            over,
            span,
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
        if self.stale && !self.reload(&mut mail).await {
            return;
        }
        while self.state.outcome.is_none() {
            let first = match self.first.pop_front() {
                Some(first) => Some(first),
                None => tokio::select! {
                    biased;
                    () = self.over.cancelled() => return self.leave(mail).await,
                    first = mail.recv() => first,
                },
            };
            let Some(first) = first else { return };
            self.first.push_front(first);
            // What the panic left half done is read back like what could not be stored.
            let run = self.state.run;
            let error = match AssertUnwindSafe(self.turn(&mut mail)).catch_unwind().await {
                Ok(Ok(())) => continue,
                Ok(Err(error @ CommitError::Fenced { shard, epoch })) => {
                    tracing::warn!(%run, %error, "another node has the run; leaving it");
                    return self.env.lose(shard, epoch);
                }
                Ok(Err(error)) => {
                    tracing::error!(%run, %error, "the turn could not be stored; loading the run anew");
                    Some(error)
                }
                Err(_) => {
                    tracing::error!(%run, "the turn ended in a panic; loading the run anew");
                    None
                }
            };
            if !self.reload(&mut mail).await {
                return;
            }
            if error.is_some_and(|error| error.is_permanent() && !self.give_up(&error)) {
                return;
            }
        }
    }

    /// The process stops: what is known by now is stored, and nothing new is begun.
    async fn leave(mut self, mut mail: mpsc::UnboundedReceiver<Mail>) {
        if self.env.epoch(self.shard).is_none() {
            return;
        }
        let mut pending = Pending::new(self.env.deps.clock.now());
        let told = async {
            while let Ok(next) = mail.try_recv() {
                if let Mail::Finished(ended) = next {
                    self.finished(ended, &mut pending).await?;
                }
            }
            self.flush(&mut pending).await
        };
        if let Err(error) = told.await {
            tracing::warn!(run = %self.state.run, %error, "the last outcomes could not be stored; the next process asks for them");
        }
    }

    /// One turn: all that waits, as far as one commit bears.
    async fn turn(&mut self, mail: &mut mpsc::UnboundedReceiver<Mail>) -> Result<(), CommitError> {
        let mut pending = Pending::new(self.env.deps.clock.now());
        while !pending.is_full() {
            let next = self.first.pop_front().or_else(|| mail.try_recv().ok());
            let Some(next) = next else { break };
            self.open(next, &mut pending).await?;
        }
        self.flush(&mut pending).await
    }

    /// Makes durable what was decided so far, and then performs it.
    async fn flush(&mut self, pending: &mut Pending) -> Result<(), CommitError> {
        if pending.has_news() {
            self.commit(pending).await?;
            // What is decided next is decided by what holds then.
            pending.at = self.env.deps.clock.now();
            self.refused = 0;
        }
        for ended in self.ended.drain(..) {
            self.in_flight.remove(&ended.id);
        }
        self.perform(pending.take_effects());
        // An allow is good for the turn that it was given in.
        self.passed.clear();
        self.rooms.clear();
        Ok(())
    }

    async fn open(&mut self, mail: Mail, pending: &mut Pending) -> Result<(), CommitError> {
        match mail {
            Mail::Input(input) => self.take(input, pending).await,
            Mail::Checked { step, result, room } => {
                self.rooms.extend(room.map(|room| (step, room)));
                self.take(Input::Checked { step, result }, pending).await
            }
            Mail::Room { step, room } => {
                // Somebody else asked for the step meanwhile, and was served.
                if !self.queued.remove(&step) {
                    return Ok(());
                }
                self.rooms.insert(step, room);
                self.go_on(Next::AskGate(step), pending).await
            }
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
        if ended.stopped && !matches!(ended.finished.outcome, Outcome::Succeeded { .. }) {
            return Ok(());
        }
        // Kept until it is durable, whatever happens on the way there.
        self.ended.push(ended.clone());
        let Ended {
            step,
            attempt,
            finished,
            ..
        } = ended;
        if let Some(output) = finished.output {
            self.outputs.insert((step, attempt), output);
        }
        pending.grow(finished.bytes);
        let outcome = finished.outcome;
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
        self.go_on(Next::Decide(input), pending).await
    }

    async fn go_on(&mut self, first: Next, pending: &mut Pending) -> Result<(), CommitError> {
        let mut next = VecDeque::from([first]);
        while let Some(work) = next.pop_front() {
            let input = match work {
                Next::Decide(input) => input,
                // A process that stops begins nothing: the next one asks.
                Next::AskGate(_) if self.stop.is_cancelled() => continue,
                Next::AskGate(step) => self.ask_gate(step, pending.at).await?,
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
}

fn input_of(message: Message) -> Input {
    match message {
        Message::Vote { vote } => Input::VoteCast { vote },
        Message::Cancel { by, reason } => Input::CancelRequested { by, reason },
        Message::Resolve {
            step,
            attempt,
            outcome,
            by,
        } => Input::UnknownResolved {
            step,
            attempt,
            by,
            outcome,
        },
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
