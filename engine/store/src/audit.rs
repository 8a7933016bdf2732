//! Audit logs, read: pages for people, proofs and exports for those who do not trust us.

use clawd_audit::{Draft, Hash, Record, VerifierKey, inclusion_proof, origin};
use clawd_model::{RunId, Timestamp};

use crate::error::{ReadError, WriteError};
use crate::row::{self, Row, Stored};
use crate::sql::sql;
use crate::tenant::TenantStore;

/// Which records a page shows. The default is the 50 newest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditFilter {
    /// Only of this run.
    pub run: Option<RunId>,
    /// Only by this actor: `user:ana`.
    pub actor: Option<String>,
    /// Only of this kind, or of kinds that begin with it and a dot: `vote` finds `vote.cast`.
    pub kind: Option<String>,
    /// Only about this subject.
    pub subject: Option<String>,
    /// Only records before this one: the last of the page before.
    pub before: Option<u64>,
    /// At most so many.
    pub limit: u32,
}

impl Default for AuditFilter {
    fn default() -> Self {
        Self {
            run: None,
            actor: None,
            kind: None,
            subject: None,
            before: None,
            limit: 50,
        }
    }
}

/// A signed checkpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredCheckpoint {
    /// How many records it covers.
    pub size: u64,
    /// When it was signed.
    pub at: Timestamp,
    /// The signed note.
    pub note: String,
}

impl Stored for StoredCheckpoint {
    const TABLE: &'static str = "checkpoints";
    const KEY: &'static str = "size";
}

impl TryFrom<Row<'_>> for StoredCheckpoint {
    type Error = ReadError;

    fn try_from(row: Row<'_>) -> Result<Self, ReadError> {
        Ok(Self {
            size: row.int("size")?,
            at: row.time("at")?,
            note: row.text("note")?.to_owned(),
        })
    }
}

/// A record that anybody can check against a signed checkpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditProof {
    /// Its place in the log.
    pub index: u64,
    /// The text that was hashed.
    pub body: String,
    /// Its hash.
    pub leaf: Hash,
    /// The hashes that lead to the checkpoint's root, leaf first.
    pub path: Vec<Hash>,
    /// The checkpoint.
    pub checkpoint: StoredCheckpoint,
}

struct TileHashes(Vec<Hash>);

impl Stored for TileHashes {
    const TABLE: &'static str = "audit_tiles";
    const KEY: &'static str = "position";
}

impl TryFrom<Row<'_>> for TileHashes {
    type Error = ReadError;

    fn try_from(row: Row<'_>) -> Result<Self, ReadError> {
        let hashes = row.bytes("hashes")?.chunks_exact(32);
        Ok(Self(hashes.filter_map(Hash::from_slice).collect()))
    }
}

struct Body(String);

impl Stored for Body {
    const TABLE: &'static str = "audit";
    const KEY: &'static str = "position";
}

impl TryFrom<Row<'_>> for Body {
    type Error = ReadError;

    fn try_from(row: Row<'_>) -> Result<Self, ReadError> {
        Ok(Self(row.text("body")?.to_owned()))
    }
}

struct Entry(Record);

impl Stored for Entry {
    const TABLE: &'static str = "audit";
    const KEY: &'static str = "position";
}

impl TryFrom<Row<'_>> for Entry {
    type Error = ReadError;

    fn try_from(row: Row<'_>) -> Result<Self, ReadError> {
        row.json("body").map(Self)
    }
}

macro_rules! page {
    ($from:literal) => {
        concat!(
            "SELECT audit.position, body FROM ",
            $from,
            " WHERE audit.tenant = (SELECT number FROM tenants WHERE name = ?2)
                AND (?1 IS NULL OR body->>'run' = ?1) AND (?3 IS NULL OR audit.position < ?3)
                AND (?4 IS NULL OR body->>'actor' = ?4)
                AND (?5 IS NULL OR body->>'kind' = ?5 OR substr(body->>'kind', 1, length(?5) + 1) = ?5 || '.')
                AND (?6 IS NULL OR body->>'subject' = ?6)
              ORDER BY audit.position DESC LIMIT ?7"
        )
    };
}

const PAGE: &str = page!("audit");

/// The spans of records that the run's turns made, and the single ones that others made about it.
const PAGE_OF_RUN: &str = page!(
    "(SELECT records >> 16 AS first, records & 65535 AS count
      FROM runs JOIN journal ON journal.run = runs.number
      WHERE id = ?1 AND tenant = ?2 AND records IS NOT NULL
      UNION ALL
      SELECT position, 1 FROM runs JOIN audit_of_runs ON audit_of_runs.run = runs.number
      WHERE id = ?1 AND tenant = ?2) AS spans
     CROSS JOIN audit ON audit.position >= spans.first AND audit.position < spans.first + spans.count"
);

impl TenantStore {
    /// Records something that changes nothing else: a refusal, a failed attempt to sign in.
    ///
    /// # Errors
    /// When the database fails.
    #[tracing::instrument(name = "db.audit.record", skip_all)]
    pub async fn record(&self, audit: &[Draft]) -> Result<(), WriteError> {
        self.write(self.change().audit(audit), "tenant").await
    }

    /// Records of the tenant's log, newest first.
    ///
    /// # Errors
    /// When the database fails, or a record cannot be read.
    #[tracing::instrument(name = "db.audit.page", skip_all)]
    pub async fn audit(&self, filter: &AuditFilter) -> Result<Vec<Record>, ReadError> {
        // Two texts, so that the records of a run are found by their index.
        let query = match filter.run {
            Some(run) => sql(PAGE_OF_RUN).bind(run.to_string()),
            None => sql(PAGE).bind(None::<String>),
        }
        .bind(self.tenant.as_str())
        .bind(
            filter
                .before
                .map(|before| i64::try_from(before).unwrap_or(i64::MAX)),
        )
        .bind(filter.actor.as_deref())
        .bind(filter.kind.as_deref())
        .bind(filter.subject.as_deref())
        .bind(filter.limit);
        let records: Vec<Entry> = row::all(self.store.readers(), query).await?;
        Ok(records.into_iter().map(|record| record.0).collect())
    }

    /// One record.
    ///
    /// # Errors
    /// When the database fails, or the record cannot be read.
    #[tracing::instrument(name = "db.audit.get", skip_all, fields(index))]
    pub async fn audit_record(&self, index: u64) -> Result<Option<Record>, ReadError> {
        let query = sql("SELECT position, body FROM audit
             WHERE tenant = (SELECT number FROM tenants WHERE name = ?) AND position = ?")
        .bind(self.tenant.as_str())
        .bind(i64::try_from(index).unwrap_or(i64::MAX));
        let record: Option<Entry> = row::optional(self.store.readers(), query).await?;
        Ok(record.map(|record| record.0))
    }

    /// Bodies of records from `from` on, in order, exactly as they were hashed; at most `limit`.
    ///
    /// # Errors
    /// When the database fails.
    #[tracing::instrument(name = "db.audit.bodies", skip_all, fields(from))]
    pub async fn audit_bodies(&self, from: u64, limit: u32) -> Result<Vec<String>, ReadError> {
        let query = sql(
            "SELECT position, body FROM audit
             WHERE tenant = (SELECT number FROM tenants WHERE name = ?) AND position >= ? ORDER BY position LIMIT ?",
        )
        .bind(self.tenant.as_str())
        .bind(i64::try_from(from).unwrap_or(i64::MAX))
        .bind(limit);
        let bodies: Vec<Body> = row::all(self.store.readers(), query).await?;
        Ok(bodies.into_iter().map(|body| body.0).collect())
    }

    /// Signs a checkpoint that covers every record that is there now, and returns it.
    ///
    /// # Errors
    /// When the database fails.
    #[tracing::instrument(name = "db.audit.checkpoint", skip_all)]
    pub async fn checkpoint(&self) -> Result<StoredCheckpoint, WriteError> {
        self.store
            .inner
            .writer
            .sign(self.tenant.clone())
            .await
            .map_err(|refused| refused.into_write("audit log"))?;
        let newest = self.newest_checkpoint().await?;
        newest.ok_or(WriteError::Missing("audit log"))
    }

    /// The checkpoint that covers the most records.
    ///
    /// # Errors
    /// When the database fails.
    #[tracing::instrument(name = "db.audit.newest_checkpoint", skip_all)]
    pub async fn newest_checkpoint(&self) -> Result<Option<StoredCheckpoint>, ReadError> {
        let query = sql("SELECT size, at, note FROM checkpoints
             WHERE tenant = (SELECT number FROM tenants WHERE name = ?) ORDER BY size DESC LIMIT 1")
        .bind(self.tenant.as_str());
        row::optional(self.store.readers(), query).await
    }

    /// All signed checkpoints, by size.
    ///
    /// # Errors
    /// When the database fails.
    #[tracing::instrument(name = "db.audit.checkpoints", skip_all)]
    pub async fn checkpoints(&self) -> Result<Vec<StoredCheckpoint>, ReadError> {
        let query = sql("SELECT size, at, note FROM checkpoints
             WHERE tenant = (SELECT number FROM tenants WHERE name = ?) ORDER BY size")
        .bind(self.tenant.as_str());
        row::all(self.store.readers(), query).await
    }

    /// What the tenant's checkpoints are verified with.
    #[must_use]
    pub fn verifier_key(&self) -> VerifierKey {
        self.store.inner.audit_key.verifier(&origin(&self.tenant))
    }

    /// The hashes of all records, in order.
    ///
    /// # Errors
    /// When the database fails.
    #[tracing::instrument(name = "db.audit.leaves", skip_all)]
    pub async fn audit_leaves(&self) -> Result<Vec<Hash>, ReadError> {
        let query = sql("SELECT position, hashes FROM audit_tiles
             WHERE tenant = (SELECT number FROM tenants WHERE name = ?) AND level = 0 ORDER BY position")
        .bind(self.tenant.as_str());
        let tiles: Vec<TileHashes> = row::all(self.store.readers(), query).await?;
        let mut leaves: Vec<Hash> = tiles.into_iter().flat_map(|tile| tile.0).collect();
        // What follows the last full tile, and what was appended since it was read.
        loop {
            let bodies = self.audit_bodies(leaves.len() as u64, 10_000).await?;
            if bodies.is_empty() {
                return Ok(leaves);
            }
            leaves.extend(bodies.iter().map(|body| Record::leaf(body)));
        }
    }

    /// A record with the proof that it is in the log of a signed checkpoint; `None` when there is no such record.
    ///
    /// # Errors
    /// When the database fails.
    #[tracing::instrument(name = "db.audit.proof", skip_all, fields(index))]
    pub async fn audit_proof(&self, index: u64) -> Result<Option<AuditProof>, WriteError> {
        let Some(body) = self.audit_bodies(index, 1).await?.pop() else {
            return Ok(None);
        };
        let covering = self
            .newest_checkpoint()
            .await?
            .filter(|newest| newest.size > index);
        let checkpoint = match covering {
            Some(checkpoint) => checkpoint,
            None => self.checkpoint().await?,
        };
        let leaves = self.audit_leaves().await?;
        let covered = usize::try_from(checkpoint.size).unwrap_or(usize::MAX);
        let path = leaves
            .get(..covered)
            .and_then(|leaves| inclusion_proof(leaves, index))
            .ok_or(WriteError::Missing("audit record"))?;
        Ok(Some(AuditProof {
            index,
            leaf: Record::leaf(&body),
            body,
            path,
            checkpoint,
        }))
    }
}
