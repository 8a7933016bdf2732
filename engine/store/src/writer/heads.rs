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
    pub(super) tenant: TenantName,
    /// The number of the last event; 0 when there is no such run.
    pub(super) last_seq: u64,
    pub(super) finished: bool,
}

/// The ends of the journals of active runs.
#[derive(Default)]
pub(super) struct Heads {
    known: HashMap<RunId, Head>,
}

impl Heads {
    pub(super) fn forget(&mut self) {
        self.known.clear();
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
        let (_, rows) = sql("SELECT id, tenant, finished_at IS NOT NULL AS finished,
                    coalesce((SELECT max(seq) FROM journal WHERE run = runs.id), 0) AS last_seq
             FROM runs WHERE id = ?")
        .bind(run.to_string())
        .run(connection)
        .await?;
        let Some(row) = rows.first() else { return Ok(None) };
        let row = Row::new(row, "runs", "id");
        let read = || -> Result<Head, ReadError> {
            Ok(Head {
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
