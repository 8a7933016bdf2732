//! Migrations: numbered SQL files, each applied once, in its own transaction.
//!
//! The number of the last one stands in the file's header (`user_version`); `application_id` marks the file as
//! ours. A file of a newer version is refused rather than guessed at.

use std::path::Path;

use sqlx::sqlite::SqliteConnection;

use crate::error::OpenError;

/// All migrations; number n stands at place n - 1. Never edited once released, only appended to.
const MIGRATIONS: [&str; 4] = [
    include_str!("migrations/0001_initial.sql"),
    include_str!("migrations/0002_origin_of_credentials.sql"),
    include_str!("migrations/0003_locks.sql"),
    include_str!("migrations/0004_allow_in_attempts.sql"),
];

/// `claw` in ASCII.
const APPLICATION_ID: i64 = 0x636c_6177;

pub(crate) async fn migrate(path: &Path, connection: &mut SqliteConnection) -> Result<(), OpenError> {
    let open = |source| OpenError::Open {
        path: path.to_owned(),
        source,
    };
    let pragma = async |connection: &mut SqliteConnection, question: &'static str| {
        sqlx::query_scalar::<_, i64>(question)
            .fetch_one(connection)
            .await
            .map_err(open)
    };
    let found = pragma(connection, "PRAGMA user_version").await?;
    let application = pragma(connection, "PRAGMA application_id").await?;
    let tables = pragma(connection, "SELECT count(*) FROM sqlite_schema").await?;
    if application != APPLICATION_ID && (application != 0 || found != 0 || tables != 0) {
        return Err(OpenError::Foreign {
            path: path.to_owned(),
        });
    }
    let known = i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX);
    if found > known {
        return Err(OpenError::Newer {
            path: path.to_owned(),
            found,
            known,
        });
    }
    for (version, migration) in (1_i64..).zip(MIGRATIONS) {
        if version <= found {
            continue;
        }
        let script = format!(
            "BEGIN IMMEDIATE;\n{migration}\nPRAGMA application_id = {APPLICATION_ID};\nPRAGMA user_version = {version};\nCOMMIT;"
        );
        let applied = sqlx::raw_sql(sqlx::AssertSqlSafe(script))
            .execute(&mut *connection)
            .await;
        if let Err(source) = applied {
            let _ = sqlx::raw_sql("ROLLBACK").execute(&mut *connection).await;
            return Err(OpenError::Migrate {
                path: path.to_owned(),
                version,
                source,
            });
        }
    }
    Ok(())
}
