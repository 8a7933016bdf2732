//! A control write: a few statements and their audit records, all or nothing.

use clawd_audit::{Draft, Prepared};
use clawd_model::{TenantName, Timestamp};
use sqlx::Row as _;
use sqlx::sqlite::SqliteConnection;

use crate::error::WriteError;
use crate::inbox::Posted;
use crate::sql::{Sql, sql};
use crate::writer::turn::prepare;

/// How many rows a statement has to affect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Expect {
    Any,
    /// It changes one row.
    One,
    /// It returns one row.
    Row,
}

/// The first column of the last row that a statement returned.
pub(crate) type Answer = Option<i64>;

/// Why a change was not made; nothing of it was kept.
#[derive(Debug)]
pub(crate) enum Refused {
    /// A statement did not change, or return, exactly one row.
    Unmet,
    Database(sqlx::Error),
    Read(crate::error::ReadError),
    Closed,
}

impl Refused {
    /// For verbs whose conditions all mean that something is missing.
    pub(crate) fn into_write(self, what: &'static str) -> WriteError {
        match self {
            Self::Unmet => WriteError::Missing(what),
            Self::Database(sqlx::Error::Database(error)) if error.is_unique_violation() => {
                WriteError::Exists(what)
            }
            Self::Database(sqlx::Error::Database(error)) if error.is_foreign_key_violation() => {
                WriteError::Missing(what)
            }
            Self::Database(error) => WriteError::Database(error),
            Self::Read(error) => WriteError::Read(error),
            Self::Closed => WriteError::Closed,
        }
    }
}

/// A control write of one tenant.
pub(crate) struct Change {
    /// Whose; nobody's for what belongs to the installation, which has no audit records.
    pub(crate) tenant: Option<TenantName>,
    pub(crate) at: Timestamp,
    statements: Vec<(Sql, Expect)>,
    pub(crate) audit: Vec<Prepared>,
    pub(crate) posted: Option<Posted>,
}

impl Change {
    pub(crate) fn new(tenant: TenantName, at: Timestamp) -> Self {
        let mut change = Self::of_nobody(at);
        change.tenant = Some(tenant);
        change
    }

    pub(crate) const fn of_nobody(at: Timestamp) -> Self {
        Self {
            tenant: None,
            at,
            statements: Vec::new(),
            audit: Vec::new(),
            posted: None,
        }
    }

    /// A statement that may affect any number of rows.
    pub(crate) fn run(mut self, statement: Sql) -> Self {
        self.statements.push((statement, Expect::Any));
        self
    }

    /// A statement that has to affect exactly one row, or the change is refused.
    pub(crate) fn one(mut self, statement: Sql) -> Self {
        self.statements.push((statement, Expect::One));
        self
    }

    /// A question that has to be answered with exactly one row, or the change is refused.
    pub(crate) fn one_row(mut self, question: Sql) -> Self {
        self.statements.push((question, Expect::Row));
        self
    }

    /// What is recorded with it.
    pub(crate) fn audit(mut self, drafts: &[Draft]) -> Self {
        if let Some(tenant) = &self.tenant {
            self.audit.extend(prepare(drafts, tenant, self.at));
        }
        self
    }

    /// Whom to wake when it is done.
    pub(crate) fn wake(mut self, posted: Posted) -> Self {
        self.posted = Some(posted);
        self
    }

    /// Runs the statements within a savepoint of the group's transaction. What is refused is undone, and the
    /// neighbours do not notice.
    ///
    /// # Errors
    /// When the savepoint itself fails: SQLite has given up the whole transaction, as it does when the disk is full.
    /// Nothing may run after that, since it would be committed by itself, without its group and its audit record.
    pub(super) async fn apply(
        &self,
        connection: &mut SqliteConnection,
    ) -> Result<Result<Vec<Answer>, Refused>, sqlx::Error> {
        sql("SAVEPOINT change").run(connection).await?;
        let answers = self.statements(connection).await;
        if answers.is_err()
            && let Err(error) = sql("ROLLBACK TO change").run(connection).await
        {
            // The statement's own error says why; this one says only that the savepoint is gone.
            return Err(match answers {
                Err(Refused::Database(cause)) => cause,
                _ => error,
            });
        }
        sql("RELEASE change").run(connection).await?;
        Ok(answers)
    }

    async fn statements(&self, connection: &mut SqliteConnection) -> Result<Vec<Answer>, Refused> {
        let mut answers = Vec::with_capacity(self.statements.len());
        for (statement, expect) in &self.statements {
            let (result, rows) = statement
                .clone()
                .run(connection)
                .await
                .map_err(Refused::Database)?;
            let met = match expect {
                Expect::Any => true,
                Expect::One => result.rows_affected() == 1,
                Expect::Row => rows.len() == 1,
            };
            if !met {
                return Err(Refused::Unmet);
            }
            answers.push(rows.last().and_then(|row| row.try_get(0).ok()));
        }
        Ok(answers)
    }
}
