//! Where each journal ends: read once per run, then known to the one who appends.

use std::collections::HashMap;

use clawd_model::{RunId, TenantName};
use sqlx::sqlite::SqliteConnection;

use crate::error::ReadError;
use crate::row::Row;
use crate::sql::sql;

/// How many runs are remembered; more than that many active ones are read again now and then.
const HEADS_MAX: usize = 65_536;

/// The end of one journal.
#[derive(Clone, Debug)]
pub(super) struct Head {
    /// What stands for the run in the journal.
    pub(super) number: i64,
    pub(super) tenant: TenantName,
    /// The number of the last event.
    pub(super) last_seq: u64,
    pub(super) finished: bool,
}

/// The ends of the journals of active runs.
#[derive(Default)]
pub(super) struct Heads {
    known: HashMap<RunId, Head>,
    /// The number of the next new run, once it was asked for.
    next_number: Option<i64>,
}

impl Heads {
    pub(super) fn forget(&mut self) {
        self.known.clear();
        self.next_number = None;
    }

    /// The number of a run that begins.
    pub(super) async fn number(&mut self, connection: &mut SqliteConnection) -> Result<i64, ReadError> {
        let number = match self.next_number {
            Some(number) => number,
            None => {
                sqlx::query_scalar("SELECT coalesce(max(number), 0) + 1 FROM runs")
                    .fetch_one(connection)
                    .await?
            }
        };
        self.next_number = Some(number + 1);
        Ok(number)
    }

    /// Where the run's journal ends; `None` when there is no such run.
    pub(super) async fn get(
        &mut self,
        connection: &mut SqliteConnection,
        run: RunId,
    ) -> Result<Option<Head>, ReadError> {
        if let Some(head) = self.known.get(&run) {
            return Ok(Some(head.clone()));
        }
        let (_, rows) = sql("SELECT number, id, tenant, finished_at IS NOT NULL AS finished,
                    coalesce((SELECT max(seq) FROM journal WHERE run = runs.number), 0) AS last_seq
             FROM runs WHERE id = ?")
        .bind(run.to_string())
        .run(connection)
        .await?;
        let Some(row) = rows.first() else { return Ok(None) };
        let row = Row::new(row, "runs", "id");
        let read = || -> Result<Head, ReadError> {
            Ok(Head {
                number: row.number("number")?,
                tenant: row.parse("tenant")?,
                last_seq: row.int("last_seq")?,
                finished: row.flag("finished")?,
            })
        };
        Ok(Some(read()?))
    }

    /// Remembers where a journal ends, after it was committed.
    pub(super) fn set(&mut self, run: RunId, head: Head) {
        if head.finished {
            self.known.remove(&run);
            return;
        }
        if self.known.len() >= HEADS_MAX {
            self.known.clear();
        }
        self.known.insert(run, head);
    }
}
