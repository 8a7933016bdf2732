//! Output of attempts: appended in the order in which it came, and cut off at a size.

use clawd_model::{AttemptId, RunId, TenantName, Timestamp};
use sqlx::sqlite::SqliteConnection;

use crate::output::{OUTPUT_MAX, Stream, TRUNCATED};
use crate::sql::sql;

/// A piece of an attempt's output.
pub(crate) struct Chunk {
    pub(crate) tenant: TenantName,
    pub(crate) run: RunId,
    pub(crate) attempt: AttemptId,
    pub(crate) stream: Stream,
    pub(crate) at: Timestamp,
    pub(crate) bytes: Vec<u8>,
}

impl Chunk {
    /// Stores the piece behind what is there, as far as there is room; marks the place where it was cut off.
    pub(super) async fn append(&self, connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
        let length: i64 = sqlx::query_scalar(
            "SELECT coalesce(max(position + length(bytes)), 0) FROM
                 (SELECT position, bytes FROM outputs WHERE tenant = ? AND attempt = ?
                  ORDER BY position DESC LIMIT 1)",
        )
        .bind(self.tenant.as_str())
        .bind(self.attempt.to_string())
        .fetch_one(&mut *connection)
        .await?;
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        // Once the mark is there, the output is longer than its limit.
        let room = OUTPUT_MAX.saturating_sub(length);
        if length > OUTPUT_MAX || self.bytes.is_empty() {
            return Ok(());
        }
        let (kept, cut) = self.bytes.split_at(room.min(self.bytes.len()));
        if !kept.is_empty() {
            self.insert(connection, length, self.stream, kept).await?;
        }
        if !cut.is_empty() {
            self.insert(
                connection,
                length + kept.len(),
                Stream::Mark,
                TRUNCATED.as_bytes(),
            )
            .await?;
        }
        Ok(())
    }

    async fn insert(
        &self,
        connection: &mut SqliteConnection,
        position: usize,
        stream: Stream,
        bytes: &[u8],
    ) -> Result<(), sqlx::Error> {
        sql("INSERT INTO outputs (tenant, attempt, position, run, at, stream, bytes) VALUES (?, ?, ?, ?, ?, ?, ?)")
            .bind(self.tenant.as_str())
            .bind(self.attempt.to_string())
            .bind(i64::try_from(position).unwrap_or(i64::MAX))
            .bind(self.run.to_string())
            .bind(self.at.0)
            .bind(stream.as_str())
            .bind(bytes)
            .run(connection)
            .await?;
        Ok(())
    }
}
