//! Journals: turns are committed to them, and runs are read back from them.

use std::sync::Arc;

use clawd_audit::Draft;
use clawd_model::{
    Approval, Digest, Event, Plan, PrincipalName, Recorded, RunId, RunStatus, RunbookName, TenantName,
    Timestamp,
};

use crate::error::{CommitError, ReadError};
use crate::lock::LockChange;
use crate::row::{self, Row, Stored};
use crate::sql::sql;
use crate::store::Store;
use crate::tenant::TenantStore;
use crate::writer::TurnRows;

/// How many shards runs are spread over. Stored: a change needs a migration.
pub const SHARDS: u16 = 16;

/// The shard that a run belongs to for life.
#[must_use]
pub fn shard_of(run: RunId) -> u16 {
    // The low bits of an id are chance. The remainder is below 16.
    u16::try_from(run.to_u128() % u128::from(SHARDS)).unwrap_or_default()
}

/// What the first turn of a run says of it besides its events.
#[derive(Clone, Debug)]
pub struct NewRunRow {
    /// Of which runbook.
    pub runbook: RunbookName,
    /// Pinned for the life of the run.
    pub workflow: Digest,
    /// What approvals bind to.
    pub plan_digest: Digest,
    /// The plan itself. It is stored exactly as it is, before the turn, unless it is stored already.
    pub plan: Arc<Plan>,
    /// Who started it.
    pub requester: PrincipalName,
}

/// What one decision of the engine makes durable, all or nothing.
#[derive(Clone, Debug)]
pub struct Turn {
    /// Whose run.
    pub tenant: TenantName,
    /// Which run.
    pub run: RunId,
    /// Its shard: [`shard_of`] the run.
    pub shard: u16,
    /// The epoch of the lease on the shard under which the turn was decided.
    pub epoch: u64,
    /// The number of the first event; 1 for a new run. The journal must end just before it.
    pub first_seq: u64,
    /// When it was decided.
    pub at: Timestamp,
    /// What happened, in order.
    pub events: Vec<Event>,
    /// What is recorded of it.
    pub audit: Vec<Draft>,
    /// For the first turn of a run, and only for it.
    pub new_run: Option<NewRunRow>,
    /// The status to show from now on, when it changes.
    pub status: Option<RunStatus>,
    /// Whether the run is over: no turn may follow.
    pub finished: bool,
    /// Approvals as they are from now on.
    pub approvals: Vec<Approval>,
    /// What happens to the run's place in the queue for its lock, in order.
    pub locks: Vec<LockChange>,
    /// Inbox messages that this turn has dealt with.
    pub inbox_done: Vec<i64>,
}

/// A turn that was committed.
#[derive(Clone, Debug)]
pub struct CommittedTurn {
    /// Whose run.
    pub tenant: TenantName,
    /// Which run.
    pub run: RunId,
    /// What happened.
    pub events: Vec<Recorded>,
    /// The new status, when it changed.
    pub status: Option<RunStatus>,
}

impl CommittedTurn {
    pub(crate) fn new(
        tenant: TenantName,
        run: RunId,
        first_seq: u64,
        at: Timestamp,
        events: Vec<Event>,
        status: Option<RunStatus>,
    ) -> Self {
        let events = (first_seq..)
            .zip(events)
            .map(|(seq, event)| Recorded { seq, at, event })
            .collect();
        Self {
            tenant,
            run,
            events,
            status,
        }
    }
}

struct Entry(Recorded);

impl Stored for Entry {
    const TABLE: &'static str = "journal";
    const KEY: &'static str = "name";
}

impl TryFrom<Row<'_>> for Entry {
    type Error = ReadError;

    fn try_from(row: Row<'_>) -> Result<Self, ReadError> {
        Ok(Self(Recorded {
            seq: row.int("seq")?,
            at: row.time("at")?,
            event: row.json("event")?,
        }))
    }
}

impl Store {
    /// Makes a turn durable: its events, audit records, and the projections that they change. Returns only after
    /// it is.
    ///
    /// # Errors
    /// When the lease's epoch is not the turn's, when the journal does not end where the turn begins, or when the
    /// database fails. Nothing of the turn is kept then.
    #[tracing::instrument(name = "db.journal.commit", level = "debug", skip_all, fields(run = %turn.run))]
    pub async fn commit(&self, turn: Turn) -> Result<(), CommitError> {
        // Rendered here, in the caller's task, so that the writer only numbers, hashes and inserts.
        let mut rows = TurnRows::new(turn)?;
        if let Some(plan) = rows.plan.take() {
            self.keep_plan(&rows.tenant, plan).await?;
        }
        self.inner.writer.turn(rows).await
    }

    /// All events of a run, in order. Empty when there is no such run.
    ///
    /// # Errors
    /// When the database fails, or an event cannot be read.
    #[tracing::instrument(name = "db.journal.read", skip_all, fields(%run))]
    pub async fn journal(&self, run: RunId) -> Result<Vec<Recorded>, ReadError> {
        let query = sql("SELECT id || '/' || seq AS name, seq, at, event
             FROM runs JOIN journal ON journal.run = runs.number WHERE id = ? ORDER BY seq")
        .bind(run.to_string());
        let entries: Vec<Entry> = row::all(self.readers(), query).await?;
        Ok(entries.into_iter().map(|entry| entry.0).collect())
    }
}

impl TenantStore {
    /// Events of one of the tenant's runs that come after number `after`, at most `limit`.
    ///
    /// # Errors
    /// When the database fails, or an event cannot be read.
    #[tracing::instrument(name = "db.journal.page", skip_all, fields(%run))]
    pub async fn events(&self, run: RunId, after: u64, limit: u32) -> Result<Vec<Recorded>, ReadError> {
        let query = sql("SELECT id || '/' || seq AS name, seq, at, event
             FROM runs JOIN journal ON journal.run = runs.number
             WHERE id = ? AND tenant = ? AND seq > ? ORDER BY seq LIMIT ?")
        .bind(run.to_string())
        .bind(self.tenant.as_str())
        .bind(i64::try_from(after).unwrap_or(i64::MAX))
        .bind(limit);
        let entries: Vec<Entry> = row::all(self.store.readers(), query).await?;
        Ok(entries.into_iter().map(|entry| entry.0).collect())
    }
}
