//! What can go wrong with the store: reading, writing, committing, opening.

use std::error::Error;
use std::path::PathBuf;

/// The store cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The file cannot be opened as a database.
    #[error("cannot open the database `{}`", path.display())]
    Open {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: sqlx::Error,
    },
    /// A setting that durability rests on did not take.
    #[error("the database `{}` does not keep `{setting}`: wanted `{wanted}`, found `{found}`; is it on a network file system?", path.display())]
    Setting {
        /// Which file.
        path: PathBuf,
        /// Which setting.
        setting: &'static str,
        /// What we asked for.
        wanted: &'static str,
        /// What it says now.
        found: String,
    },
    /// It is some other program's database.
    #[error("`{}` is a database of another program", path.display())]
    Foreign {
        /// Which file.
        path: PathBuf,
    },
    /// It was written by a newer version of this program.
    #[error("the database `{}` has schema {found}, and this version knows {known} at most", path.display())]
    Newer {
        /// Which file.
        path: PathBuf,
        /// Its schema version.
        found: i64,
        /// The newest that we know.
        known: i64,
    },
    /// A migration failed; nothing of it was kept.
    #[error("cannot bring the database `{}` to schema {version}", path.display())]
    Migrate {
        /// Which file.
        path: PathBuf,
        /// Which version could not be reached.
        version: i64,
        /// Why.
        source: sqlx::Error,
    },
}

/// Nothing could be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The database failed.
    #[error("the database failed")]
    Database(#[from] sqlx::Error),
    /// A row says something that cannot be.
    #[error("corrupt database: table `{table}`, column `{column}`, row `{row}`")]
    Corrupt {
        /// Which table.
        table: &'static str,
        /// Which column.
        column: &'static str,
        /// The row's key.
        row: String,
        /// What is wrong with it.
        source: Box<dyn Error + Send + Sync>,
    },
}

/// Nothing was written.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// There is such a thing already.
    #[error("there is such a {0} already")]
    Exists(&'static str),
    /// There is no such thing, or not in the needed state.
    #[error("there is no such {0}")]
    Missing(&'static str),
    /// It was changed in the meantime.
    #[error("the {0} was changed in the meantime")]
    Changed(&'static str),
    /// The database failed.
    #[error("the database failed")]
    Database(#[source] sqlx::Error),
    /// What is stored makes no sense.
    #[error("the database holds something that cannot be")]
    Read(#[from] ReadError),
    /// A document cannot be written as JSON.
    #[error("a document cannot be written as JSON")]
    Encode(#[from] serde_json::Error),
    /// The store was closed.
    #[error("the store is closed")]
    Closed,
}

/// A turn was not committed; nothing of it was kept.
#[derive(Debug, thiserror::Error)]
pub enum CommitError {
    /// Another epoch holds the shard: this worker may write nothing more of it.
    #[error("fenced: the lease of shard {shard} with epoch {epoch} is gone")]
    Fenced {
        /// Which shard.
        shard: u16,
        /// The epoch that the turn was made under.
        epoch: u64,
    },
    /// The journal does not end where the turn begins.
    #[error("conflict: the journal's next number is {expected}, the turn begins with {found}")]
    Conflict {
        /// The number that the next event has to have.
        expected: u64,
        /// The number that the turn began with.
        found: u64,
    },
    /// The turn makes no sense: an event without a run, an unknown tenant.
    #[error("the turn cannot be committed: {0}")]
    Invalid(&'static str),
    /// A row that it changes is not there, or is another run's.
    #[error("the turn cannot be committed: rows of `{0}` would not be written as they have to be")]
    Missed(&'static str),
    /// The database failed.
    #[error("the database failed")]
    Database(#[source] sqlx::Error),
    /// What is stored makes no sense.
    #[error("the database holds something that cannot be")]
    Read(#[from] ReadError),
    /// An event cannot be written as JSON.
    #[error("an event cannot be written as JSON")]
    Encode(#[from] serde_json::Error),
    /// The store was closed.
    #[error("the store is closed")]
    Closed,
}

impl CommitError {
    /// Whether the same turn would be refused again, whenever it is tried.
    #[must_use]
    pub fn is_permanent(&self) -> bool {
        match self {
            Self::Invalid(_) | Self::Missed(_) | Self::Encode(_) => true,
            Self::Database(sqlx::Error::Database(error)) => {
                error.is_unique_violation() || error.is_foreign_key_violation() || error.is_check_violation()
            }
            Self::Fenced { .. }
            | Self::Conflict { .. }
            | Self::Database(_)
            | Self::Read(_)
            | Self::Closed => false,
        }
    }
}
