//! Idempotency keys: a request that is sent twice is carried out once, and answered twice the same.

use clawd_model::{Digest, DurationMs, PrincipalName};

use crate::error::{ReadError, WriteError};
use crate::row::{self, Row, Stored};
use crate::sql::sql;
use crate::tenant::TenantStore;
use crate::writer::Refused;

/// What a key stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Claim {
    /// Nobody used it: carry the request out, then call [`TenantStore::finish_key`].
    New,
    /// The same request was answered with this.
    Answered(String),
    /// The same request is under way.
    UnderWay,
    /// It was used for another request.
    Different,
}

struct Use {
    request: Digest,
    response: Option<String>,
}

impl Stored for Use {
    const TABLE: &'static str = "idempotency";
    const KEY: &'static str = "key";
}

impl TryFrom<Row<'_>> for Use {
    type Error = ReadError;

    fn try_from(row: Row<'_>) -> Result<Self, ReadError> {
        Ok(Self {
            request: row.parse("request")?,
            response: row.optional("response", |row, column| row.text(column).map(str::to_owned))?,
        })
    }
}

impl TenantStore {
    /// Claims a principal's key for a request, for `ttl`. Of two who claim it at once, one gets [`Claim::New`].
    ///
    /// # Errors
    /// When the database fails.
    #[tracing::instrument(name = "db.idempotency.claim", skip_all)]
    pub async fn claim_key(
        &self,
        principal: &PrincipalName,
        key: &str,
        request: Digest,
        ttl: DurationMs,
    ) -> Result<Claim, WriteError> {
        let change = self.change();
        let now = change.at;
        let change = change
            .run(sql("DELETE FROM idempotency WHERE expires_at <= ?").bind(now.0))
            .one(
                sql("INSERT INTO idempotency (tenant, principal, key, request, expires_at) VALUES (?, ?, ?, ?, ?)
                     ON CONFLICT DO NOTHING")
                .bind(self.tenant.as_str())
                .bind(principal.as_str())
                .bind(key)
                .bind(request.to_string())
                .bind(now.plus(ttl).0),
            );
        match self.store.inner.writer.change(change).await {
            Ok(_) => return Ok(Claim::New),
            Err(Refused::Unmet) => {}
            Err(refused) => return Err(refused.into_write("idempotency key")),
        }
        let query = sql(
            "SELECT key, request, response FROM idempotency WHERE tenant = ? AND principal = ? AND key = ?",
        )
        .bind(self.tenant.as_str())
        .bind(principal.as_str())
        .bind(key);
        let used: Option<Use> = row::optional(self.store.readers(), query).await?;
        Ok(match used {
            Some(used) if used.request != request => Claim::Different,
            Some(Use {
                response: Some(response),
                ..
            }) => Claim::Answered(response),
            // Released between the two statements: whoever asks again gets it.
            Some(Use { response: None, .. }) | None => Claim::UnderWay,
        })
    }

    /// Keeps the answer of a claimed request.
    ///
    /// # Errors
    /// When the key is not claimed, or the database fails.
    #[tracing::instrument(name = "db.idempotency.finish", skip_all)]
    pub async fn finish_key(
        &self,
        principal: &PrincipalName,
        key: &str,
        response: &str,
    ) -> Result<(), WriteError> {
        let change = self.change().one(
            sql("UPDATE idempotency SET response = ?
                 WHERE tenant = ? AND principal = ? AND key = ? AND response IS NULL")
            .bind(response)
            .bind(self.tenant.as_str())
            .bind(principal.as_str())
            .bind(key),
        );
        self.write(change, "idempotency key").await
    }

    /// Gives a claimed key back, because the request failed and may be sent again. Does nothing once it is answered.
    ///
    /// # Errors
    /// When the database fails.
    #[tracing::instrument(name = "db.idempotency.release", skip_all)]
    pub async fn release_key(&self, principal: &PrincipalName, key: &str) -> Result<(), WriteError> {
        let change = self.change().run(
            sql(
                "DELETE FROM idempotency WHERE tenant = ? AND principal = ? AND key = ? AND response IS NULL",
            )
            .bind(self.tenant.as_str())
            .bind(principal.as_str())
            .bind(key),
        );
        self.write(change, "idempotency key").await
    }
}
