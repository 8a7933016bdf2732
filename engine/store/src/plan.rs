//! Plans: stored under the digest of their whole text, so that none ever changes.

use std::collections::HashSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use clawd_audit::Draft;
use clawd_model::{Digest, Plan, TenantName, Timestamp};

use crate::error::{CommitError, ReadError, WriteError};
use crate::row::{self, Row, Stored};
use crate::sql::{Sql, sql};
use crate::store::Store;
use crate::tenant::TenantStore;
use crate::writer::{Change, Refused};

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

/// A plan as it is stored.
pub(crate) struct PlanText {
    /// The digest of the text: what it is stored under.
    pub(crate) content: Digest,
    digest: Digest,
    at: Timestamp,
    text: String,
}

impl PlanText {
    pub(crate) fn new(plan: &Plan, digest: Digest) -> Result<Self, serde_json::Error> {
        let text = serde_json::to_string(plan)?;
        Ok(Self {
            content: Digest::of(text.as_bytes()),
            digest,
            at: plan.at,
            text,
        })
    }

    /// A plan that is stored already is the same plan, since its key is the digest of its text.
    fn insert(self, tenant: &TenantName) -> Sql {
        sql("INSERT INTO plans (tenant, content, digest, made_at, body) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING")
            .bind(tenant.as_str())
            .bind(self.content.to_string())
            .bind(self.digest.to_string())
            .bind(self.at.0)
            .bind(self.text)
    }
}

/// How many plans are remembered.
const KNOWN_MAX: usize = 4096;

/// Plans that are known to be stored, so that a run that begins need not ask. None is ever removed.
#[derive(Default)]
pub(crate) struct KnownPlans(Mutex<HashSet<(TenantName, Digest)>>);

impl KnownPlans {
    fn set(&self) -> MutexGuard<'_, HashSet<(TenantName, Digest)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn has(&self, key: &(TenantName, Digest)) -> bool {
        self.set().contains(key)
    }

    fn add(&self, key: (TenantName, Digest)) {
        let mut known = self.set();
        if known.len() >= KNOWN_MAX {
            known.clear();
        }
        known.insert(key);
    }
}

impl Store {
    /// Sees to it that the plan of a run that begins is stored. Whoever made it has usually done so.
    pub(crate) async fn keep_plan(&self, tenant: &TenantName, plan: PlanText) -> Result<(), CommitError> {
        let key = (tenant.clone(), plan.content);
        if self.inner.known_plans.has(&key) {
            return Ok(());
        }
        self.put_if_new(tenant, plan).await?;
        self.inner.known_plans.add(key);
        Ok(())
    }

    async fn put_if_new(&self, tenant: &TenantName, plan: PlanText) -> Result<(), CommitError> {
        let query = sql("SELECT 1 FROM plans WHERE tenant = ? AND content = ?")
            .bind(tenant.as_str())
            .bind(plan.content.to_string());
        let known = query.query().fetch_optional(self.readers()).await;
        if known.map_err(CommitError::Database)?.is_some() {
            return Ok(());
        }
        let change = Change::new(tenant.clone(), self.now()).run(plan.insert(tenant));
        match self.inner.writer.change(change).await {
            Ok(_) => Ok(()),
            Err(Refused::Unmet) => Err(CommitError::Missed("plans")),
            Err(Refused::Database(sqlx::Error::Database(error))) if error.is_foreign_key_violation() => {
                Err(CommitError::Invalid("there is no such tenant"))
            }
            Err(Refused::Database(error)) => Err(CommitError::Database(error)),
            Err(Refused::Read(error)) => Err(CommitError::Read(error)),
            Err(Refused::Closed) => Err(CommitError::Closed),
        }
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
        let plan = PlanText::new(plan, digest)?;
        let change = self.change().run(plan.insert(&self.tenant)).audit(audit);
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
