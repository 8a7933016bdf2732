//! Reading rows: each column is parsed into the model's type, or the error names table, column and row.

use std::error::Error;
use std::str::FromStr;

use clawd_model::Timestamp;
use serde::de::DeserializeOwned;
use sqlx::sqlite::{SqlitePool, SqliteRow};
use sqlx::{Row as _, ValueRef as _};

use crate::error::ReadError;
use crate::sql::Sql;

/// A row of a known table.
pub(crate) struct Row<'r> {
    row: &'r SqliteRow,
    table: &'static str,
    key: &'static str,
}

impl<'r> Row<'r> {
    pub(crate) const fn new(row: &'r SqliteRow, table: &'static str, key: &'static str) -> Self {
        Self { row, table, key }
    }

    fn corrupt(&self, column: &'static str, source: Box<dyn Error + Send + Sync>) -> ReadError {
        let row = self
            .row
            .try_get_unchecked::<String, _>(self.key)
            .unwrap_or_else(|_| "?".to_owned());
        ReadError::Corrupt {
            table: self.table,
            column,
            row,
            source,
        }
    }

    pub(crate) fn text(&self, column: &'static str) -> Result<&'r str, ReadError> {
        self.row
            .try_get(column)
            .map_err(|error| self.corrupt(column, error.into()))
    }

    pub(crate) fn number(&self, column: &'static str) -> Result<i64, ReadError> {
        self.row
            .try_get(column)
            .map_err(|error| self.corrupt(column, error.into()))
    }

    pub(crate) fn bytes(&self, column: &'static str) -> Result<&'r [u8], ReadError> {
        self.row
            .try_get(column)
            .map_err(|error| self.corrupt(column, error.into()))
    }

    /// A number that fits a smaller or an unsigned type.
    pub(crate) fn int<T: TryFrom<i64>>(&self, column: &'static str) -> Result<T, ReadError>
    where
        T::Error: Error + Send + Sync + 'static,
    {
        T::try_from(self.number(column)?).map_err(|error| self.corrupt(column, error.into()))
    }

    pub(crate) fn flag(&self, column: &'static str) -> Result<bool, ReadError> {
        Ok(self.number(column)? != 0)
    }

    pub(crate) fn time(&self, column: &'static str) -> Result<Timestamp, ReadError> {
        self.number(column).map(Timestamp)
    }

    /// A text that the model's type reads.
    pub(crate) fn parse<T: FromStr>(&self, column: &'static str) -> Result<T, ReadError>
    where
        T::Err: Error + Send + Sync + 'static,
    {
        self.text(column)?
            .parse()
            .map_err(|error: T::Err| self.corrupt(column, error.into()))
    }

    /// A JSON document.
    pub(crate) fn json<T: DeserializeOwned>(&self, column: &'static str) -> Result<T, ReadError> {
        serde_json::from_str(self.text(column)?).map_err(|error| self.corrupt(column, error.into()))
    }

    /// One of the words of a model's enum, stored without quotes.
    pub(crate) fn word<T: DeserializeOwned>(&self, column: &'static str) -> Result<T, ReadError> {
        let word = serde_json::Value::from(self.text(column)?);
        serde_json::from_value(word).map_err(|error| self.corrupt(column, error.into()))
    }

    /// What `read` makes of the column, or nothing when it is null.
    pub(crate) fn optional<T>(
        &self,
        column: &'static str,
        read: impl FnOnce(&Self, &'static str) -> Result<T, ReadError>,
    ) -> Result<Option<T>, ReadError> {
        let null = self
            .row
            .try_get_raw(column)
            .map_err(|error| self.corrupt(column, error.into()))?
            .is_null();
        if null {
            Ok(None)
        } else {
            read(self, column).map(Some)
        }
    }
}

/// A type that a table's rows hold.
pub(crate) trait Stored: Sized + for<'r> TryFrom<Row<'r>, Error = ReadError> {
    /// The table.
    const TABLE: &'static str;
    /// The column that names the row in errors.
    const KEY: &'static str;
}

/// All rows.
pub(crate) async fn all<T: Stored>(pool: &SqlitePool, query: Sql) -> Result<Vec<T>, ReadError> {
    query
        .query()
        .fetch_all(pool)
        .await?
        .iter()
        .map(|row| T::try_from(Row::new(row, T::TABLE, T::KEY)))
        .collect()
}

/// The one row, if there is one.
pub(crate) async fn optional<T: Stored>(pool: &SqlitePool, query: Sql) -> Result<Option<T>, ReadError> {
    query
        .query()
        .fetch_optional(pool)
        .await?
        .map(|row| T::try_from(Row::new(&row, T::TABLE, T::KEY)))
        .transpose()
}

/// The word of a model's enum, without quotes.
pub(crate) fn word<T: serde::Serialize>(value: &T) -> Result<String, serde_json::Error> {
    match serde_json::to_value(value)? {
        serde_json::Value::String(word) => Ok(word),
        other => Ok(other.to_string()),
    }
}
