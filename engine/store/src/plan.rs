//! Plans: stored under the digest of their whole text, so that none ever changes.

use clawd_audit::Draft;
use clawd_model::{Digest, Plan, Timestamp};

use crate::error::{ReadError, WriteError};
use crate::row::{self, Row, Stored};
use crate::sql::sql;
use crate::tenant::TenantStore;

/// A plan with its digest.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredPlan {
    /// What approvals bind to.
    pub digest: Digest,
    /// When it was made.
    pub at: Timestamp,
    /// The plan.
    pub plan: Plan,
}

impl Stored for StoredPlan {
    const TABLE: &'static str = "plans";
    const KEY: &'static str = "content";
}

impl TryFrom<Row<'_>> for StoredPlan {
    type Error = ReadError;

    fn try_from(row: Row<'_>) -> Result<Self, ReadError> {
        Ok(Self {
            digest: row.parse("digest")?,
            at: row.time("made_at")?,
            plan: row.json("body")?,
        })
    }
}

impl TenantStore {
    /// Keeps a plan. Keeping the same again changes nothing.
    ///
    /// # Errors
    /// When the database fails.
    #[tracing::instrument(name = "db.plan.put", skip_all)]
    pub async fn put_plan(&self, plan: &Plan, audit: &[Draft]) -> Result<Digest, WriteError> {
        let digest = plan.digest();
        let body = serde_json::to_string(plan)?;
        let change = self
            .change()
            .run(
                sql(
                    "INSERT INTO plans (tenant, content, digest, made_at, body) VALUES (?, ?, ?, ?, ?)
                     ON CONFLICT DO NOTHING",
                )
                .bind(self.tenant.as_str())
                .bind(Digest::of(body.as_bytes()).to_string())
                .bind(digest.to_string())
                .bind(plan.at.0)
                .bind(body),
            )
            .audit(audit);
        self.write(change, "plan").await?;
        Ok(digest)
    }

    /// The newest plan with this digest. Others may differ from it in what the digest leaves out; a run's own is
    /// [`TenantStore::run_plan`].
    ///
    /// # Errors
    /// When the database fails, or the plan cannot be read.
    #[tracing::instrument(name = "db.plan.get", skip_all, fields(%digest))]
    pub async fn plan(&self, digest: Digest) -> Result<Option<Plan>, ReadError> {
        let query = sql(
            "SELECT content, digest, made_at, body FROM plans WHERE tenant = ? AND digest = ?
             ORDER BY made_at DESC LIMIT 1",
        )
        .bind(self.tenant.as_str())
        .bind(digest.to_string());
        let stored: Option<StoredPlan> = row::optional(self.store.readers(), query).await?;
        Ok(stored.map(|stored| stored.plan))
    }
}
