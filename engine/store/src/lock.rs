//! The queues for locks: one change at a time.

use clawd_model::RunId;

use crate::error::ReadError;
use crate::row::{self, Row, Stored};
use crate::sql::sql;
use crate::tenant::TenantStore;

/// What a turn does to its run's place in the queue for a lock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LockChange {
    /// Takes the last place in the queue for the lock with this name.
    Queue(String),
    /// Takes the lock itself. Refused while another run has a place before this one.
    Take,
    /// Gives the place up; who comes next is woken.
    Release,
}

/// A run's place in the queue for its lock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LockPlace {
    /// The lock.
    pub name: String,
    /// Whether the run holds it.
    pub held: bool,
    /// How many runs come before it.
    pub ahead: u32,
    /// The first of them: the one that holds the lock, or is about to.
    pub first: Option<RunId>,
}

impl Stored for LockPlace {
    const TABLE: &'static str = "run_locks";
    const KEY: &'static str = "run";
}

impl TryFrom<Row<'_>> for LockPlace {
    type Error = ReadError;

    fn try_from(row: Row<'_>) -> Result<Self, ReadError> {
        Ok(Self {
            name: row.text("name")?.to_owned(),
            held: row.flag("held")?,
            ahead: row.int("ahead")?,
            first: row.optional("first", Row::parse)?,
        })
    }
}

impl TenantStore {
    /// The place of one of the tenant's runs; nothing when it waits for no lock and holds none.
    ///
    /// # Errors
    /// When the database fails.
    #[tracing::instrument(name = "db.lock.of", skip_all, fields(%run))]
    pub async fn lock_of(&self, run: RunId) -> Result<Option<LockPlace>, ReadError> {
        let query = sql("SELECT mine.run AS run, mine.name AS name, mine.held AS held,
                (SELECT count(*) FROM run_locks AS other
                 WHERE other.tenant = mine.tenant AND other.name = mine.name AND other.place < mine.place) AS ahead,
                (SELECT other.run FROM run_locks AS other
                 WHERE other.tenant = mine.tenant AND other.name = mine.name AND other.place < mine.place
                 ORDER BY other.place LIMIT 1) AS first
             FROM run_locks AS mine WHERE mine.run = ? AND mine.tenant = ?")
        .bind(run.to_string())
        .bind(self.tenant.as_str());
        row::optional(self.store.readers(), query).await
    }
}
