//! Policy bundles: every published one is kept, since decisions name theirs; one is active.

use std::collections::BTreeMap;

use clawd_audit::Draft;
use clawd_model::{Digest, PrincipalName, Timestamp};
use serde::{Deserialize, Serialize};

use crate::error::{ReadError, WriteError};
use crate::row::{self, Row, Stored};
use crate::sql::sql;
use crate::tenant::TenantStore;

/// One published bundle.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BundleVersion {
    /// Its digest.
    pub digest: Digest,
    /// Path → text.
    pub files: BTreeMap<String, String>,
    /// Who published it.
    pub published_by: PrincipalName,
    /// When it was first published.
    pub published_at: Timestamp,
    /// Whether the gate uses it.
    pub active: bool,
}

impl Stored for BundleVersion {
    const TABLE: &'static str = "bundles";
    const KEY: &'static str = "digest";
}

impl TryFrom<Row<'_>> for BundleVersion {
    type Error = ReadError;

    fn try_from(row: Row<'_>) -> Result<Self, ReadError> {
        Ok(Self {
            digest: row.parse("digest")?,
            files: row.json("files")?,
            published_by: row.parse("published_by")?,
            published_at: row.time("published_at")?,
            active: row.flag("active")?,
        })
    }
}

impl TenantStore {
    /// Keeps a bundle and makes it the active one. Publishing an earlier one again makes that the active one.
    ///
    /// # Errors
    /// When the tenant does not exist, or the database fails.
    #[tracing::instrument(name = "db.bundle.publish", skip_all, fields(%digest))]
    pub async fn publish_bundle(
        &self,
        digest: Digest,
        files: &BTreeMap<String, String>,
        by: &PrincipalName,
        audit: &[Draft],
    ) -> Result<(), WriteError> {
        let change = self.change();
        let at = change.at;
        let change = change
            .run(sql("UPDATE bundles SET active = 0 WHERE tenant = ? AND active").bind(self.tenant.as_str()))
            .one(
                sql(
                    "INSERT INTO bundles (tenant, digest, files, published_by, published_at, active)
                     VALUES (?, ?, ?, ?, ?, 1)
                     ON CONFLICT (tenant, digest) DO UPDATE SET active = 1",
                )
                .bind(self.tenant.as_str())
                .bind(digest.to_string())
                .bind(serde_json::to_string(files)?)
                .bind(by.as_str())
                .bind(at.0),
            )
            .audit(audit);
        self.write(change, "tenant").await
    }

    /// The bundle that the gate uses.
    ///
    /// # Errors
    /// When the database fails.
    #[tracing::instrument(name = "db.bundle.active", skip_all)]
    pub async fn bundle(&self) -> Result<Option<BundleVersion>, ReadError> {
        let query = sql("SELECT * FROM bundles WHERE tenant = ? AND active").bind(self.tenant.as_str());
        row::optional(self.store.readers(), query).await
    }

    /// All bundles, newest first.
    ///
    /// # Errors
    /// When the database fails.
    #[tracing::instrument(name = "db.bundle.list", skip_all)]
    pub async fn bundles(&self) -> Result<Vec<BundleVersion>, ReadError> {
        let query = sql("SELECT * FROM bundles WHERE tenant = ? ORDER BY published_at DESC, digest")
            .bind(self.tenant.as_str());
        row::all(self.store.readers(), query).await
    }

    /// The bundle with this digest, active or not.
    ///
    /// # Errors
    /// When the database fails.
    #[tracing::instrument(name = "db.bundle.get", skip_all, fields(%digest))]
    pub async fn bundle_by_digest(&self, digest: Digest) -> Result<Option<BundleVersion>, ReadError> {
        let query = sql("SELECT * FROM bundles WHERE tenant = ? AND digest = ?")
            .bind(self.tenant.as_str())
            .bind(digest.to_string());
        row::optional(self.store.readers(), query).await
    }
}
