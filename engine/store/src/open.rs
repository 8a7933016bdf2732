//! Opening the file: the settings that durability rests on are set, read back, and insisted upon.

use std::path::Path;
use std::time::Duration;

use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqlitePool, SqlitePoolOptions};
use sqlx::{ConnectOptions as _, Connection as _, Row as _};

use crate::error::OpenError;
use crate::schema;

/// How long a connection waits for another process that holds the database, such as a backup.
const BUSY: Duration = Duration::from_secs(10);

/// Settings of the writer's connection, what they must read as afterwards, and the value that means it.
const SETTINGS: [(&str, &str, &str); 3] = [
    ("PRAGMA journal_mode", "journal_mode", "wal"),
    ("PRAGMA synchronous", "synchronous", "2"),
    ("PRAGMA foreign_keys", "foreign_keys", "1"),
];

fn options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .busy_timeout(BUSY)
        .disable_statement_logging()
}

/// The one connection that writes, with the schema brought up to date.
pub(crate) async fn writer(path: &Path) -> Result<SqliteConnection, OpenError> {
    let open = |source| OpenError::Open {
        path: path.to_owned(),
        source,
    };
    let mut connection = options(path)
        .create_if_missing(true)
        .connect()
        .await
        .map_err(open)?;
    // The WAL may grow to 64 MiB before it is copied into the file, so that copying does not stall each commit.
    sqlx::raw_sql(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; \
         PRAGMA wal_autocheckpoint = 16384; PRAGMA journal_size_limit = 67108864; PRAGMA cache_size = -65536; \
         PRAGMA temp_store = MEMORY; \
         PRAGMA trusted_schema = OFF;",
    )
    .execute(&mut connection)
    .await
    .map_err(open)?;
    for (question, setting, wanted) in SETTINGS {
        let row = sqlx::query(question)
            .fetch_one(&mut connection)
            .await
            .map_err(open)?;
        let found: String = row.try_get_unchecked::<String, _>(0).map_err(open)?;
        if !found.eq_ignore_ascii_case(wanted) {
            let _ = connection.close().await;
            return Err(OpenError::Setting {
                path: path.to_owned(),
                setting,
                wanted,
                found,
            });
        }
    }
    schema::migrate(path, &mut connection).await?;
    Ok(connection)
}

/// Connections that can only read.
pub(crate) async fn readers(path: &Path, count: u32) -> Result<SqlitePool, OpenError> {
    SqlitePoolOptions::new()
        .max_connections(count.max(1))
        .connect_with(options(path).read_only(true).pragma("query_only", "ON"))
        .await
        .map_err(|source| OpenError::Open {
            path: path.to_owned(),
            source,
        })
}
