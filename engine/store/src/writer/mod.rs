//! The one writer of a database, in a thread of its own: it takes all that waits into one transaction and one fsync.
//!
//! ```text
//! callers ──jobs──▶ queue ──all that waits──▶ group ──▶ BEGIN, checks, rows, COMMIT ──▶ answers, broadcasts
//! ```
//!
//! 1. A job is answered only after the transaction that holds it is durable.
//! 2. A job that is refused changes nothing, and its neighbours in the group do not notice.
//! 3. An audit record and the fact that it is about are in the same transaction.
//! 4. Nobody waits for a timer: an idle writer commits at once; while it commits, the next group gathers.
//!
//! Callers serialise their rows in their own tasks; the writer numbers and hashes audit records and inserts.

mod answer;
mod bulk;
pub(crate) mod change;
mod gather;
mod group;
mod heads;
mod log;
mod outputs;
mod packed;
mod rows;
pub(crate) mod turn;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use clawd_audit::SigningKey;
use clawd_model::{Clock, TenantName};
use sqlx::sqlite::SqliteConnection;
use tokio::sync::{broadcast, mpsc, oneshot};

use crate::error::{CommitError, WriteError};
use crate::inbox::Posted;
use crate::journal::CommittedTurn;
use crate::output::Appended;
use crate::store::CommitWatch;
pub(crate) use change::{Answer, Change, Refused};
use group::State;
pub(crate) use outputs::Chunk;
pub(crate) use turn::TurnRows;

/// How many jobs may wait before callers have to.
const QUEUE: usize = 4096;
/// How many jobs one transaction takes at most, which bounds how long it holds everybody else up.
const GROUP_MAX: usize = 1024;
/// How many broadcasts a slow receiver may lag behind.
const BROADCAST: usize = 4096;

/// What became of a turn. Its rows go back to the caller, whose task frees them while the writer goes on.
pub(crate) struct TurnAnswer {
    verdict: Result<(), CommitError>,
    _rows: Box<TurnRows>,
}

/// What the writer is asked to do.
pub(crate) enum Job {
    Turn(Box<TurnRows>, oneshot::Sender<TurnAnswer>),
    Change(Box<Change>, oneshot::Sender<Result<Vec<Answer>, Refused>>),
    Chunk(Box<Chunk>),
    Sign(TenantName, oneshot::Sender<Result<(), Refused>>),
}

impl Job {
    /// About how much it will write.
    fn bytes(&self) -> usize {
        match self {
            Self::Turn(turn, _) => turn.bytes,
            Self::Chunk(chunk) => chunk.bytes.len(),
            Self::Change(..) | Self::Sign(..) => 0,
        }
    }

    /// Whether it runs statements of its own, beside the bulk statements.
    const fn runs_statements(&self) -> bool {
        matches!(self, Self::Change(..) | Self::Chunk(_))
    }
}

/// What the writer did so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Turns that were committed.
    pub turns: u64,
    /// Transactions that held at least one turn.
    pub turn_commits: u64,
    /// All transactions.
    pub commits: u64,
}

#[derive(Default)]
struct Counters {
    turns: AtomicU64,
    turn_commits: AtomicU64,
    commits: AtomicU64,
}

/// The handle on the writer's thread.
pub(crate) struct Writer {
    jobs: mpsc::Sender<Job>,
    closing: mpsc::Sender<oneshot::Sender<()>>,
    counters: Arc<Counters>,
    pub(crate) committed: broadcast::Sender<Arc<CommittedTurn>>,
    pub(crate) posted: broadcast::Sender<Posted>,
    pub(crate) appended: broadcast::Sender<Appended>,
}

impl Writer {
    pub(crate) fn start(
        connection: SqliteConnection,
        clock: Arc<dyn Clock>,
        key: SigningKey,
        watch: Option<CommitWatch>,
    ) -> std::io::Result<Self> {
        let (jobs, queue) = mpsc::channel(QUEUE);
        let (closing, close) = mpsc::channel(1);
        let writer = Self {
            jobs,
            closing,
            counters: Arc::default(),
            committed: broadcast::channel(BROADCAST).0,
            posted: broadcast::channel(BROADCAST).0,
            appended: broadcast::channel(BROADCAST).0,
        };
        let state = State::new(connection, clock, key, &writer, watch);
        // A thread of its own: as one of many tasks it would wait for its turn among the very runs that wait for it.
        let runtime = tokio::runtime::Handle::current();
        std::thread::Builder::new()
            .name("store-writer".to_owned())
            .spawn(move || runtime.block_on(work(queue, close, state)))
            .map(|_| writer)
    }

    pub(crate) async fn turn(&self, turn: TurnRows) -> Result<(), CommitError> {
        let (reply, answer) = oneshot::channel();
        let job = Job::Turn(Box::new(turn), reply);
        self.jobs.send(job).await.map_err(|_| CommitError::Closed)?;
        answer
            .await
            .map_or(Err(CommitError::Closed), |answer| answer.verdict)
    }

    pub(crate) async fn change(&self, change: Change) -> Result<Vec<Answer>, Refused> {
        let (reply, answer) = oneshot::channel();
        let job = Job::Change(Box::new(change), reply);
        self.jobs.send(job).await.map_err(|_| Refused::Closed)?;
        answer.await.unwrap_or(Err(Refused::Closed))
    }

    pub(crate) async fn chunk(&self, chunk: Chunk) -> Result<(), WriteError> {
        let job = Job::Chunk(Box::new(chunk));
        self.jobs.send(job).await.map_err(|_| WriteError::Closed)
    }

    pub(crate) async fn sign(&self, tenant: TenantName) -> Result<(), Refused> {
        let (reply, answer) = oneshot::channel();
        let job = Job::Sign(tenant, reply);
        self.jobs.send(job).await.map_err(|_| Refused::Closed)?;
        answer.await.unwrap_or(Err(Refused::Closed))
    }

    pub(crate) async fn close(&self) {
        let (done, closed) = oneshot::channel();
        if self.closing.send(done).await.is_ok() {
            let _ = closed.await;
        }
    }

    pub(crate) fn counts(&self) -> Counts {
        Counts {
            turns: self.counters.turns.load(Ordering::Relaxed),
            turn_commits: self.counters.turn_commits.load(Ordering::Relaxed),
            commits: self.counters.commits.load(Ordering::Relaxed),
        }
    }
}

async fn work(
    mut queue: mpsc::Receiver<Job>,
    mut close: mpsc::Receiver<oneshot::Sender<()>>,
    mut state: State,
) {
    let mut jobs = Vec::with_capacity(GROUP_MAX);
    let mut closed = None;
    loop {
        tokio::select! {
            biased;
            taken = queue.recv_many(&mut jobs, GROUP_MAX) => {
                if taken == 0 {
                    break;
                }
                state.group(&mut jobs).await;
            }
            done = close.recv(), if closed.is_none() => {
                // What is queued is still taken; new jobs are refused.
                queue.close();
                closed = Some(done);
            }
        }
    }
    state.finish().await;
    if let Some(Some(done)) = closed {
        let _ = done.send(());
    }
}
