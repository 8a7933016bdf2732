//! A statement with its arguments: a constant text, so that nothing can be spliced into it.

use sqlx::sqlite::{SqliteArguments, SqliteConnection, SqliteQueryResult, SqliteRow};
use sqlx::{Arguments as _, Either, Encode, Executor as _, Sqlite, Type};

use futures::TryStreamExt as _;

/// A statement. Cloned when a group of commits is tried again one by one.
#[derive(Clone)]
pub(crate) struct Sql {
    text: &'static str,
    arguments: SqliteArguments,
}

/// A query as sqlx has it.
pub(crate) type Query = sqlx::query::Query<'static, Sqlite, SqliteArguments>;

/// A statement without arguments as yet.
pub(crate) fn sql(text: &'static str) -> Sql {
    Sql {
        text,
        arguments: SqliteArguments::default(),
    }
}

impl Sql {
    /// Adds the next argument.
    pub(crate) fn bind<'t>(mut self, value: impl Encode<'t, Sqlite> + Type<Sqlite>) -> Self {
        self.arguments
            .add(value)
            .expect("texts, numbers and bytes always encode");
        self
    }

    /// The same arguments for another text.
    pub(crate) const fn with_text(mut self, text: &'static str) -> Self {
        self.text = text;
        self
    }

    /// As sqlx wants it.
    pub(crate) fn query(self) -> Query {
        sqlx::query_with(self.text, self.arguments)
    }

    /// Runs the statement; tells what it changed, and its rows.
    pub(crate) async fn run(
        self,
        connection: &mut SqliteConnection,
    ) -> Result<(SqliteQueryResult, Vec<SqliteRow>), sqlx::Error> {
        let (mut done, rows) = self.run_each(connection).await?;
        // A stream that ends without a result is that of a connection whose thread has died.
        Ok((done.pop().ok_or(sqlx::Error::WorkerCrashed)?, rows))
    }

    /// Runs the statements of a text that holds several; tells what each changed, and the rows of all.
    pub(crate) async fn run_each(
        self,
        connection: &mut SqliteConnection,
    ) -> Result<(Vec<SqliteQueryResult>, Vec<SqliteRow>), sqlx::Error> {
        let mut done = Vec::new();
        let mut rows = Vec::new();
        let mut stream = connection.fetch_many(self.query());
        while let Some(item) = stream.try_next().await? {
            match item {
                Either::Left(result) => done.push(result),
                Either::Right(row) => rows.push(row),
            }
        }
        Ok((done, rows))
    }
}
