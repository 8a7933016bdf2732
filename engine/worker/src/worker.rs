//! The worker as the binary sees it.

use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use clawd_model::{Event, RunId, TenantName};
use clawd_scheduler::{Input, Program, RunState};
use clawd_store::{NewRunRow, Posted, RunRow, shard_of};
use futures::FutureExt as _;
use tokio::sync::{Semaphore, broadcast, mpsc, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::Instrument as _;

use crate::admit::{AdmitError, NewRun};
use crate::claim::ClaimError;
use crate::directory::Directory;
use crate::drive::{Driver, Handle, Handles, Mail};
use crate::env::{Deps, Env};
use crate::load::{self, LoadError};
use crate::{claim, stuck};

/// What a run's task is given: its mail, and the end of the channel that tells when it is over.
struct Mailbox {
    mail: mpsc::UnboundedReceiver<Mail>,
    alive: watch::Sender<()>,
}

/// Drives all runs of this process.
#[derive(Clone)]
pub struct Worker {
    env: Arc<Env>,
    handles: Arc<Mutex<Handles>>,
    tasks: TaskTracker,
    stop: CancellationToken,
}

impl Worker {
    /// Claims the shards, takes up every unfinished run, and is ready for new ones.
    ///
    /// # Errors
    /// When the store cannot be read. A single run that cannot be loaded is reported, and tried again.
    pub async fn start(deps: Deps) -> Result<Self, ClaimError> {
        let attempts_max = deps.attempts_max.max(1);
        let env = Arc::new(Env {
            deps,
            directory: Directory::default(),
            epochs: RwLock::new(HashMap::new()),
            rooms: Arc::new(Semaphore::new(attempts_max)),
            looks: Arc::new(Semaphore::new(attempts_max)),
        });
        let worker = Self {
            env,
            handles: Arc::default(),
            tasks: TaskTracker::new(),
            stop: CancellationToken::new(),
        };
        let posted = worker.env.deps.store.posted();
        let heads = claim::all(&worker.env).await?;
        let (listener, stop) = (worker.clone(), worker.stop.clone());
        worker.tasks.spawn(async move {
            tokio::select! { () = stop.cancelled() => {}, () = listener.listen(posted) => {} }
        });
        let (renewal, stop) = (Arc::clone(&worker.env), worker.stop.clone());
        worker.tasks.spawn(async move {
            tokio::select! { () = stop.cancelled() => {}, () = claim::renew_forever(renewal) => {} }
        });
        for head in heads {
            worker.take_up(head).await;
        }
        Ok(worker)
    }

    async fn take_up(&self, head: RunRow) {
        let (sender, mailbox) = self.mailbox(&head.tenant, head.id);
        match load::run(&self.env, &head).await {
            Ok((program, state)) => {
                let driver = self.resumed(program, state, sender);
                self.spawn(driver, mailbox);
            }
            Err(error) => {
                tracing::error!(run = %head.id, %error, "the run could not be taken up; trying again");
                self.spawn_stuck(head, sender, mailbox, error);
            }
        }
    }

    fn resumed(&self, program: Program, state: RunState, mailbox: mpsc::UnboundedSender<Mail>) -> Driver {
        tracing::info!(run = %state.run, seq = state.seq, "taking the run up again");
        let mut driver = self.driver(program, state, mailbox);
        driver.first.extend([Mail::Input(Input::Resume), Mail::Inbox]);
        driver
    }

    /// Makes the mailbox of a run known.
    fn mailbox(&self, tenant: &TenantName, run: RunId) -> (mpsc::UnboundedSender<Mail>, Mailbox) {
        let (sender, mail) = mpsc::unbounded_channel();
        let (alive, done) = watch::channel(());
        let handle = Handle {
            tenant: tenant.clone(),
            mailbox: sender.clone(),
            done,
        };
        self.table().insert(run, handle);
        (sender, Mailbox { mail, alive })
    }

    fn driver(&self, program: Program, state: RunState, mailbox: mpsc::UnboundedSender<Mail>) -> Driver {
        let env = Arc::clone(&self.env);
        Driver::new(env, (program, state), mailbox, self.stop.clone())
    }

    fn spawn(&self, driver: Driver, Mailbox { mail, alive }: Mailbox) {
        let (run, span) = (driver.state.run, driver.span.clone());
        self.supervise(run, alive, driver.work(mail).instrument(span));
    }

    fn spawn_stuck(
        &self,
        head: RunRow,
        sender: mpsc::UnboundedSender<Mail>,
        Mailbox { mut mail, alive }: Mailbox,
        error: LoadError,
    ) {
        let (worker, run) = (self.clone(), head.id);
        self.supervise(run, alive, async move {
            let loaded = stuck::loaded(&worker.env, &head, &mut mail, &worker.stop, error).await;
            if let Some((program, state)) = loaded {
                let driver = worker.resumed(program, state, sender);
                let span = driver.span.clone();
                driver.work(mail).instrument(span).await;
            }
        });
    }

    fn supervise(
        &self,
        run: RunId,
        alive: watch::Sender<()>,
        work: impl Future<Output = ()> + Send + 'static,
    ) {
        let worker = self.clone();
        self.tasks.spawn(async move {
            if AssertUnwindSafe(work).catch_unwind().await.is_err() {
                tracing::error!(%run, "the run's task ended in a panic; the next start of the process takes the run up");
            }
            worker.table().remove(&run);
            drop(alive);
        });
    }

    fn table(&self) -> MutexGuard<'_, Handles> {
        self.handles.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Wakes runs as messages are posted to them, whether or not whoever posted them still lives to say so.
    async fn listen(&self, mut posted: broadcast::Receiver<Posted>) {
        loop {
            match posted.recv().await {
                Ok(posted) => self.wake(posted.run),
                Err(broadcast::error::RecvError::Lagged(_)) => {
                    for handle in self.table().values() {
                        let _ = handle.mailbox.send(Mail::Inbox);
                    }
                }
                Err(broadcast::error::RecvError::Closed) => return,
            }
        }
    }

    /// Takes a new run. When this returns, the run and its first intents are durable. A caller that goes away in the
    /// middle does not stop it: what may be durable by then is driven.
    ///
    /// # Errors
    /// See [`AdmitError`].
    pub async fn admit(&self, new: NewRun) -> Result<(), AdmitError> {
        let worker = self.clone();
        let admitted = self.tasks.spawn(async move { worker.take_in(new).await });
        admitted.await.unwrap_or(Err(AdmitError::Stopping))
    }

    async fn take_in(&self, new: NewRun) -> Result<(), AdmitError> {
        if self.stop.is_cancelled() {
            return Err(AdmitError::Stopping);
        }
        if self.env.epoch(shard_of(new.run)).is_none() {
            return Err(AdmitError::NoLease);
        }
        let first = Event::RunStarted {
            run: new.run,
            tenant: new.tenant.clone(),
            runbook: new.workflow.name.clone(),
            workflow: new.workflow.digest,
            plan: new.plan_digest,
            inputs: new.plan.inputs.clone(),
            requester: new.requester.clone(),
            requester_kind: new.requester_kind,
            jobs: Arc::new(new.plan.jobs.clone()),
        };
        let row = NewRunRow {
            runbook: new.workflow.name.clone(),
            workflow: new.workflow.digest,
            plan_digest: new.plan_digest,
            plan: Arc::clone(&new.plan),
            requester: new.requester,
        };
        let program = Program::new(new.workflow, new.plan, self.env.deps.registry.specs());
        if program.plan_digest != new.plan_digest {
            return Err(AdmitError::Unfit("it has another digest".to_owned()));
        }
        let state = RunState::begin(&program, &first).map_err(|error| {
            tracing::error!(run = %new.run, %error, "a new run does not fit its plan");
            AdmitError::Unfit(error.to_string())
        })?;
        let (sender, mail) = self.mailbox(&new.tenant, new.run);
        let mut driver = self.driver(program, state, sender);
        let span = driver.span.clone();
        let begun = driver.begin(first, row, new.audit).instrument(span).await;
        if begun.is_err() {
            self.table().remove(&new.run);
        }
        begun?;
        self.spawn(driver, mail);
        Ok(())
    }

    /// Waits until a run's task has ended: the run is over, or this process has no longer to do with it.
    pub async fn join(&self, run: RunId) {
        let done = self.table().get(&run).map(|handle| handle.done.clone());
        if let Some(mut done) = done {
            // Nothing is ever sent: the channel closes when the task ends.
            let _ = done.changed().await;
        }
    }

    /// Something was posted to a run's inbox.
    pub fn wake(&self, run: RunId) {
        if let Some(handle) = self.table().get(&run) {
            let _ = handle.mailbox.send(Mail::Inbox);
        }
    }

    /// People, servers or policies of a tenant have changed: read them anew, and ask again what waits for votes.
    pub fn rules_changed(&self, tenant: &TenantName) {
        self.env.directory.forget(tenant);
        for handle in self.table().values().filter(|handle| handle.tenant == *tenant) {
            let _ = handle.mailbox.send(Mail::Input(Input::RulesChanged));
        }
    }

    /// How many runs are in memory.
    #[must_use]
    pub fn active_runs(&self) -> usize {
        self.table().len()
    }

    /// Begins nothing new, and waits until the tasks of all runs have ended. Attempts that are under way are left
    /// to the next process.
    pub async fn shutdown(&self) {
        self.stop.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }
}
