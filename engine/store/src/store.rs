//! The handle on one database file: a writer, and connections that read.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use clawd_audit::SigningKey;
use clawd_model::{Clock, TenantName, Timestamp};
use sqlx::sqlite::SqlitePool;
use tokio::sync::broadcast;

use crate::error::OpenError;
use crate::journal::CommittedTurn;
use crate::output::Appended;
use crate::plan::KnownPlans;
use crate::tenant::TenantStore;
use crate::writer::{Counts, Writer};
use crate::{inbox::Posted, open};

/// How a store is opened.
pub struct Options {
    /// The database file; made if missing. Its folder must exist.
    pub path: PathBuf,
    /// Where the time comes from.
    pub clock: Arc<dyn Clock>,
    /// Signs checkpoints of the audit logs.
    pub audit_key: SigningKey,
    /// How many connections read at once; 4 is a good number.
    pub readers: u32,
    /// Told of every commit, by the writer itself, so it must not take long: for measuring, and for tests that kill the
    /// process there.
    pub watch: Option<CommitWatch>,
}

/// A place around a commit; commits count from 1 since the store was opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CommitPoint {
    /// So many jobs were taken into one transaction, which begins now.
    Begun(usize),
    /// The transaction is whole, and not yet durable.
    Before(u64),
    /// The transaction is durable, and nobody was told.
    After(u64),
}

/// Is told of commits.
pub type CommitWatch = Arc<dyn Fn(CommitPoint) + Send + Sync>;

pub(crate) struct Inner {
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) audit_key: SigningKey,
    pub(crate) readers: SqlitePool,
    pub(crate) writer: Writer,
    pub(crate) known_plans: KnownPlans,
}

/// One database. Cheap to clone; what belongs to a tenant is reached through [`Store::tenant`].
#[derive(Clone)]
pub struct Store {
    pub(crate) inner: Arc<Inner>,
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Store")
    }
}

impl Store {
    /// Opens the database, making or migrating it as needed, and starts its writer. Must be called within a
    /// tokio runtime.
    ///
    /// # Errors
    /// When it cannot be opened, or does not keep a setting that durability rests on.
    #[tracing::instrument(name = "db.store.open", skip_all)]
    pub async fn open(options: Options) -> Result<Self, OpenError> {
        let connection = open::writer(&options.path).await?;
        let readers = open::readers(&options.path, options.readers).await?;
        let writer = Writer::start(
            connection,
            options.clock.clone(),
            options.audit_key.clone(),
            options.watch,
        )
        .map_err(|error| OpenError::Open {
            path: options.path,
            source: error.into(),
        })?;
        Ok(Self {
            inner: Arc::new(Inner {
                clock: options.clock,
                audit_key: options.audit_key,
                readers,
                writer,
                known_plans: KnownPlans::default(),
            }),
        })
    }

    /// The handle that is bound to one tenant. Making it reads nothing: a tenant that does not exist has nothing.
    #[must_use]
    pub fn tenant(&self, tenant: TenantName) -> TenantStore {
        TenantStore::new(self.clone(), tenant)
    }

    /// Turns, after they were committed. A receiver that falls behind misses some, and reads the journal again.
    #[must_use]
    pub fn committed(&self) -> broadcast::Receiver<Arc<CommittedTurn>> {
        self.inner.writer.committed.subscribe()
    }

    /// Runs whose inbox got a message, after it was committed.
    #[must_use]
    pub fn posted(&self) -> broadcast::Receiver<Posted> {
        self.inner.writer.posted.subscribe()
    }

    /// Attempts whose output grew, after it was committed.
    #[must_use]
    pub fn appended(&self) -> broadcast::Receiver<Appended> {
        self.inner.writer.appended.subscribe()
    }

    /// How many transactions committed turns. Control writes, output and the renewal of leases are not counted
    /// unless they shared one.
    #[must_use]
    #[expect(
        clippy::misnamed_getters,
        reason = "the transactions that hold no turn are not what is asked for"
    )]
    pub fn commits(&self) -> u64 {
        self.counts().turn_commits
    }

    /// What the writer did so far.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.inner.writer.counts()
    }

    /// Commits what waits, signs a last checkpoint of each log, and closes the file. Later writes fail.
    pub async fn close(&self) {
        self.inner.writer.close().await;
        self.inner.readers.close().await;
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.inner.clock.now()
    }

    pub(crate) fn readers(&self) -> &SqlitePool {
        &self.inner.readers
    }
}
