//! Inboxes: messages to a run, which only the worker that holds its lease acts upon.

use clawd_audit::Draft;
use clawd_model::{Outcome, PrincipalName, RunId, StepRef, TenantName, Timestamp, Vote};
use serde::{Deserialize, Serialize};

use crate::error::{ReadError, WriteError};
use crate::row::{self, Row, Stored};
use crate::sql::sql;
use crate::store::Store;
use crate::tenant::TenantStore;

/// What somebody tells a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "is")]
pub enum Message {
    /// Somebody voted.
    Vote {
        /// The vote.
        vote: Vote,
    },
    /// Somebody wants it to end.
    Cancel {
        /// Who.
        by: PrincipalName,
        /// Why, in their words.
        reason: String,
    },
    /// Somebody decided what an unknown step came to.
    Resolve {
        /// Which step.
        step: StepRef,
        /// Which attempt they looked at. There is no attempt 0: a message without a number is about none.
        #[serde(default)]
        attempt: u32,
        /// What it came to; `None`: it did not take place, try again.
        outcome: Option<Outcome>,
        /// Who decided.
        by: PrincipalName,
    },
}

/// A message that waits.
#[derive(Clone, Debug, PartialEq)]
pub struct InboxItem {
    /// Its number; given back in [`crate::Turn::inbox_done`].
    pub id: i64,
    /// When it was posted.
    pub at: Timestamp,
    /// What it says.
    pub message: Message,
}

/// A run's inbox got a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Posted {
    /// Whose run.
    pub tenant: TenantName,
    /// Which run.
    pub run: RunId,
}

impl Stored for InboxItem {
    const TABLE: &'static str = "inbox";
    const KEY: &'static str = "id";
}

impl TryFrom<Row<'_>> for InboxItem {
    type Error = ReadError;

    fn try_from(row: Row<'_>) -> Result<Self, ReadError> {
        Ok(Self {
            id: row.number("id")?,
            at: row.time("at")?,
            message: row.json("message")?,
        })
    }
}

impl Store {
    /// What waits for a run, in the order in which it was posted.
    ///
    /// # Errors
    /// When the database fails, or a message cannot be read.
    #[tracing::instrument(name = "db.inbox.read", skip_all, fields(%run))]
    pub async fn inbox(&self, run: RunId) -> Result<Vec<InboxItem>, ReadError> {
        let query = sql("SELECT id, at, message FROM inbox WHERE run = ? ORDER BY id").bind(run.to_string());
        row::all(self.readers(), query).await
    }
}

impl TenantStore {
    /// Tells one of the tenant's runs something, and records that it was told.
    ///
    /// # Errors
    /// When there is no such run or it is over, or the database fails.
    #[tracing::instrument(name = "db.inbox.post", skip_all, fields(%run))]
    pub async fn post(&self, message: &Message, run: RunId, audit: &[Draft]) -> Result<(), WriteError> {
        let change = self.change();
        let at = change.at;
        let change = change
            .one(
                sql("INSERT INTO inbox (run, at, message)
                     SELECT id, ?, ? FROM runs WHERE id = ? AND tenant = ? AND finished_at IS NULL")
                .bind(at.0)
                .bind(serde_json::to_string(message)?)
                .bind(run.to_string())
                .bind(self.tenant.as_str()),
            )
            .audit(audit)
            .wake(Posted {
                tenant: self.tenant.clone(),
                run,
            });
        self.write(change, "unfinished run").await
    }
}
