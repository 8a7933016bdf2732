//! Leases: a holder's time-limited claim on a shard of runs. Each claim has a new epoch; a commit under an old one
//! is fenced. Who claims a shard need not trust clocks for safety, only for politeness.

use clawd_model::{DurationMs, Timestamp};

use crate::error::{ReadError, WriteError};
use crate::row::{self, Row, Stored};
use crate::sql::sql;
use crate::store::Store;
use crate::writer::{Change, Refused};

/// A claim on a shard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    /// Which shard.
    pub shard: u16,
    /// Its fencing number: higher than that of every earlier claim.
    pub epoch: u64,
    /// Until when nobody else may claim the shard.
    pub expires_at: Timestamp,
}

/// Who holds a shard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeaseHolder {
    /// The claim.
    pub lease: Lease,
    /// Whose; nobody's after a release.
    pub holder: Option<String>,
}

impl Stored for LeaseHolder {
    const TABLE: &'static str = "leases";
    const KEY: &'static str = "shard";
}

impl TryFrom<Row<'_>> for LeaseHolder {
    type Error = ReadError;

    fn try_from(row: Row<'_>) -> Result<Self, ReadError> {
        Ok(Self {
            lease: Lease {
                shard: row.int("shard")?,
                epoch: row.int("epoch")?,
                expires_at: row.time("expires_at")?,
            },
            holder: row.optional("holder", |row, column| row.text(column).map(str::to_owned))?,
        })
    }
}

impl Store {
    /// Claims a shard for `ttl` under a new epoch; `None` while somebody else's claim lasts.
    ///
    /// `previous_is_gone` says that no other process can hold the database, which the lock on the data folder
    /// proves: then a claim that was left behind is taken over at once.
    ///
    /// # Errors
    /// When the database fails.
    #[tracing::instrument(name = "db.lease.acquire", skip_all, fields(shard, holder))]
    pub async fn acquire(
        &self,
        holder: &str,
        shard: u16,
        ttl: DurationMs,
        previous_is_gone: bool,
    ) -> Result<Option<Lease>, WriteError> {
        let now = self.now();
        let expires_at = now.plus(ttl);
        let change = Change::of_nobody(now).one(
            sql(
                "INSERT INTO leases (shard, holder, epoch, expires_at) VALUES (?1, ?2, 1, ?3)
                 ON CONFLICT (shard) DO UPDATE
                 SET holder = excluded.holder, epoch = leases.epoch + 1, expires_at = excluded.expires_at
                 -- Free, its time is up, or its holder is known to be gone.
                 WHERE leases.holder IS NULL OR leases.expires_at <= ?4 OR ?5
                 RETURNING epoch",
            )
            .bind(shard)
            .bind(holder)
            .bind(expires_at.0)
            .bind(now.0)
            .bind(previous_is_gone),
        );
        match self.inner.writer.change(change).await {
            Ok(answers) => Ok(answers.first().copied().flatten().map(|epoch| Lease {
                shard,
                epoch: u64::try_from(epoch).unwrap_or_default(),
                expires_at,
            })),
            Err(Refused::Unmet) => Ok(None),
            Err(refused) => Err(refused.into_write("lease")),
        }
    }

    /// Makes a claim last `ttl` from now; `None` when it was taken over.
    ///
    /// # Errors
    /// When the database fails.
    #[tracing::instrument(name = "db.lease.renew", level = "debug", skip_all, fields(shard = lease.shard))]
    pub async fn renew(&self, lease: &Lease, ttl: DurationMs) -> Result<Option<Lease>, WriteError> {
        let now = self.now();
        let expires_at = now.plus(ttl);
        let change = Change::of_nobody(now).one(
            sql("UPDATE leases SET expires_at = ? WHERE shard = ? AND epoch = ? AND holder IS NOT NULL")
                .bind(expires_at.0)
                .bind(lease.shard)
                .bind(i64::try_from(lease.epoch).unwrap_or(i64::MAX)),
        );
        match self.inner.writer.change(change).await {
            Ok(_) => Ok(Some(Lease {
                expires_at,
                ..lease.clone()
            })),
            Err(Refused::Unmet) => Ok(None),
            Err(refused) => Err(refused.into_write("lease")),
        }
    }

    /// Gives a claim back, so that another may take it at once. Does nothing when it was taken over.
    ///
    /// # Errors
    /// When the database fails.
    #[tracing::instrument(name = "db.lease.release", skip_all, fields(shard = lease.shard))]
    pub async fn release(&self, lease: Lease) -> Result<(), WriteError> {
        let change = Change::of_nobody(self.now()).run(
            sql("UPDATE leases SET holder = NULL WHERE shard = ? AND epoch = ?")
                .bind(lease.shard)
                .bind(i64::try_from(lease.epoch).unwrap_or(i64::MAX)),
        );
        match self.inner.writer.change(change).await {
            Ok(_) => Ok(()),
            Err(refused) => Err(refused.into_write("lease")),
        }
    }

    /// All claims, by shard.
    ///
    /// # Errors
    /// When the database fails.
    #[tracing::instrument(name = "db.lease.list", skip_all)]
    pub async fn leases(&self) -> Result<Vec<LeaseHolder>, ReadError> {
        let query = sql("SELECT shard, holder, epoch, expires_at FROM leases ORDER BY shard");
        row::all(self.readers(), query).await
    }
}
