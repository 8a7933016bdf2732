//! Output of attempts, for people. Not part of the journal: an outcome says all that the engine needs.

use clawd_model::{AttemptId, RunId, TenantName, Timestamp};
use serde::{Deserialize, Serialize};

use crate::error::{ReadError, WriteError};
use crate::row::{self, Row, Stored};
use crate::sql::sql;
use crate::store::Store;
use crate::tenant::TenantStore;
use crate::writer::Chunk;

/// How many bytes of one attempt's output are kept.
pub const OUTPUT_MAX: usize = 1024 * 1024;

/// What stands where output was cut off.
pub const TRUNCATED: &str = "\n… the rest of the output was cut off\n";

/// Where a piece of output came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stream {
    /// What the operation printed.
    Out,
    /// What it complained about.
    Err,
    /// Our own remark: the output was cut off.
    Mark,
}

impl Stream {
    /// The word in documents.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Out => "out",
            Self::Err => "err",
            Self::Mark => "mark",
        }
    }
}

/// A stored piece of output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutputChunk {
    /// Where its first byte stands in the whole output.
    pub position: u64,
    /// When it came.
    pub at: Timestamp,
    /// From where.
    pub stream: Stream,
    /// The bytes, which may be cut in the middle of a character.
    pub bytes: Vec<u8>,
}

/// An attempt's output grew.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Appended {
    /// Whose.
    pub tenant: TenantName,
    /// Of which run.
    pub run: RunId,
    /// Of which attempt.
    pub attempt: AttemptId,
}

impl Stored for OutputChunk {
    const TABLE: &'static str = "outputs";
    const KEY: &'static str = "attempt";
}

impl TryFrom<Row<'_>> for OutputChunk {
    type Error = ReadError;

    fn try_from(row: Row<'_>) -> Result<Self, ReadError> {
        Ok(Self {
            position: row.int("position")?,
            at: row.time("at")?,
            stream: row.word("stream")?,
            bytes: row.bytes("bytes")?.to_vec(),
        })
    }
}

impl Store {
    /// Appends to an attempt's output. Returns when it is queued: what is queued before a turn is durable no later
    /// than that turn.
    ///
    /// # Errors
    /// When the store is closed.
    pub async fn append_output(
        &self,
        tenant: &TenantName,
        run: RunId,
        attempt: AttemptId,
        stream: Stream,
        bytes: Vec<u8>,
        at: Timestamp,
    ) -> Result<(), WriteError> {
        let chunk = Chunk {
            tenant: tenant.clone(),
            run,
            attempt,
            stream,
            at,
            bytes,
        };
        self.inner.writer.chunk(chunk).await
    }
}

impl TenantStore {
    /// Output of an attempt from byte `from` on, in order; at most `limit` pieces.
    ///
    /// # Errors
    /// When the database fails.
    #[tracing::instrument(name = "db.output.read", skip_all, fields(%attempt))]
    pub async fn output(
        &self,
        attempt: AttemptId,
        from: u64,
        limit: u32,
    ) -> Result<Vec<OutputChunk>, ReadError> {
        let query = sql("SELECT attempt, position, at, stream, bytes FROM outputs
             WHERE tenant = ? AND attempt = ? AND position + length(bytes) > ?
             ORDER BY position LIMIT ?")
        .bind(self.tenant.as_str())
        .bind(attempt.to_string())
        .bind(i64::try_from(from).unwrap_or(i64::MAX))
        .bind(limit);
        row::all(self.store.readers(), query).await
    }
}
