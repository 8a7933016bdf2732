//! Runbooks: every published version is kept, since runs are pinned to theirs; one of each name is active.

use clawd_audit::Draft;
use clawd_model::{Digest, PrincipalName, RunbookName, Timestamp};
use serde::{Deserialize, Serialize};

use crate::error::{ReadError, WriteError};
use crate::row::{self, Row, Stored};
use crate::sql::sql;
use crate::tenant::TenantStore;

/// One version of a runbook.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunbookVersion {
    /// Its name.
    pub name: RunbookName,
    /// The digest of the workflow that it makes.
    pub digest: Digest,
    /// The YAML.
    pub source: String,
    /// Who published it.
    pub published_by: PrincipalName,
    /// When it was first published.
    pub published_at: Timestamp,
    /// Whether new runs use it.
    pub active: bool,
}

impl Stored for RunbookVersion {
    const TABLE: &'static str = "runbooks";
    const KEY: &'static str = "digest";
}

impl TryFrom<Row<'_>> for RunbookVersion {
    type Error = ReadError;

    fn try_from(row: Row<'_>) -> Result<Self, ReadError> {
        Ok(Self {
            name: row.parse("name")?,
            digest: row.parse("digest")?,
            source: row.text("source")?.to_owned(),
            published_by: row.parse("published_by")?,
            published_at: row.time("published_at")?,
            active: row.flag("active")?,
        })
    }
}

impl TenantStore {
    /// Keeps a version and makes it the active one. Publishing an earlier version again makes that the active one.
    ///
    /// # Errors
    /// When the tenant does not exist, or the database fails.
    #[tracing::instrument(name = "db.runbook.publish", skip_all, fields(%name, %digest))]
    pub async fn publish_runbook(
        &self,
        name: &RunbookName,
        digest: Digest,
        source: &str,
        by: &PrincipalName,
        audit: &[Draft],
    ) -> Result<(), WriteError> {
        let change = self.change();
        let at = change.at;
        let change = change
            .run(
                sql("UPDATE runbooks SET active = 0 WHERE tenant = ? AND name = ? AND active")
                    .bind(self.tenant.as_str())
                    .bind(name.as_str()),
            )
            .one(
                sql(
                    "INSERT INTO runbooks (tenant, name, digest, source, published_by, published_at, active)
                     VALUES (?, ?, ?, ?, ?, ?, 1)
                     ON CONFLICT (tenant, name, digest) DO UPDATE SET active = 1",
                )
                .bind(self.tenant.as_str())
                .bind(name.as_str())
                .bind(digest.to_string())
                .bind(source)
                .bind(by.as_str())
                .bind(at.0),
            )
            .audit(audit);
        self.write(change, "tenant").await
    }

    /// The active version of each runbook, by name.
    ///
    /// # Errors
    /// When the database fails.
    #[tracing::instrument(name = "db.runbook.list", skip_all)]
    pub async fn runbooks(&self) -> Result<Vec<RunbookVersion>, ReadError> {
        let query = sql("SELECT * FROM runbooks WHERE tenant = ? AND active ORDER BY name")
            .bind(self.tenant.as_str());
        row::all(self.store.readers(), query).await
    }

    /// The active version of a runbook.
    ///
    /// # Errors
    /// When the database fails.
    #[tracing::instrument(name = "db.runbook.active", skip_all, fields(%name))]
    pub async fn runbook(&self, name: &RunbookName) -> Result<Option<RunbookVersion>, ReadError> {
        let query = sql("SELECT * FROM runbooks WHERE tenant = ? AND name = ? AND active")
            .bind(self.tenant.as_str())
            .bind(name.as_str());
        row::optional(self.store.readers(), query).await
    }

    /// All versions of a runbook, newest first.
    ///
    /// # Errors
    /// When the database fails.
    #[tracing::instrument(name = "db.runbook.versions", skip_all, fields(%name))]
    pub async fn runbook_versions(&self, name: &RunbookName) -> Result<Vec<RunbookVersion>, ReadError> {
        let query =
            sql("SELECT * FROM runbooks WHERE tenant = ? AND name = ? ORDER BY published_at DESC, digest")
                .bind(self.tenant.as_str())
                .bind(name.as_str());
        row::all(self.store.readers(), query).await
    }

    /// The version with this digest, active or not: what a run is pinned to.
    ///
    /// # Errors
    /// When the database fails.
    #[tracing::instrument(name = "db.runbook.by_digest", skip_all, fields(%digest))]
    pub async fn runbook_by_digest(&self, digest: Digest) -> Result<Option<RunbookVersion>, ReadError> {
        let query = sql("SELECT * FROM runbooks WHERE tenant = ? AND digest = ? LIMIT 1")
            .bind(self.tenant.as_str())
            .bind(digest.to_string());
        row::optional(self.store.readers(), query).await
    }
}
