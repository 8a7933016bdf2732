//! Runs as rows: what lists show, and what a restarted worker takes up again.

use clawd_model::{Digest, Plan, PrincipalName, RunId, RunStatus, RunbookName, TenantName, Timestamp};
use serde::{Deserialize, Serialize};

use crate::error::ReadError;
use crate::row::{self, Row, Stored};
use crate::sql::sql;
use crate::store::Store;
use crate::tenant::TenantStore;

/// A run as lists show it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunRow {
    /// Its id.
    pub id: RunId,
    /// Whose.
    pub tenant: TenantName,
    /// Its shard.
    pub shard: u16,
    /// Of which runbook.
    pub runbook: RunbookName,
    /// Of which version of it.
    pub workflow: Digest,
    /// What approvals bind to.
    pub plan: Digest,
    /// Who started it.
    pub requester: PrincipalName,
    /// Where it stands.
    pub status: RunStatus,
    /// When it was started.
    pub started_at: Timestamp,
    /// When its status last changed.
    pub updated_at: Timestamp,
    /// When it was over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finished_at: Option<Timestamp>,
}

/// Which runs a list shows. The default is the 50 newest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunFilter {
    /// Only of this runbook.
    pub runbook: Option<RunbookName>,
    /// Only with one of these statuses; empty means all.
    pub statuses: Vec<RunStatus>,
    /// Only those that this principal started.
    pub requester: Option<PrincipalName>,
    /// Only those made before this one: the last of the page before.
    pub before: Option<RunId>,
    /// At most so many.
    pub limit: u32,
}

impl Default for RunFilter {
    fn default() -> Self {
        Self {
            runbook: None,
            statuses: Vec::new(),
            requester: None,
            before: None,
            limit: 50,
        }
    }
}

impl Stored for RunRow {
    const TABLE: &'static str = "runs";
    const KEY: &'static str = "id";
}

impl TryFrom<Row<'_>> for RunRow {
    type Error = ReadError;

    fn try_from(row: Row<'_>) -> Result<Self, ReadError> {
        Ok(Self {
            id: row.parse("id")?,
            tenant: row.parse("tenant")?,
            shard: row.int("shard")?,
            runbook: row.parse("runbook")?,
            workflow: row.parse("workflow")?,
            plan: row.parse("plan")?,
            requester: row.parse("requester")?,
            status: row.word("status")?,
            started_at: row.time("started_at")?,
            updated_at: row.time("updated_at")?,
            finished_at: row.optional("finished_at", Row::time)?,
        })
    }
}

/// How many runs stand somewhere.
struct Counted {
    status: RunStatus,
    runs: u64,
}

impl Stored for Counted {
    const TABLE: &'static str = "runs";
    const KEY: &'static str = "status";
}

impl TryFrom<Row<'_>> for Counted {
    type Error = ReadError;

    fn try_from(row: Row<'_>) -> Result<Self, ReadError> {
        Ok(Self {
            status: row.word("status")?,
            runs: row.int("runs")?,
        })
    }
}

impl Store {
    /// Runs of these shards that are not over, oldest first: what a worker takes up when it claims the shards.
    ///
    /// # Errors
    /// When the database fails.
    #[tracing::instrument(name = "db.run.unfinished", skip_all)]
    pub async fn unfinished(&self, shards: &[u16]) -> Result<Vec<RunRow>, ReadError> {
        let query = sql(
            "SELECT id, tenant, shard, runbook, workflow, plan, requester, status, started_at, updated_at,
                    finished_at
             FROM runs
             WHERE finished_at IS NULL AND shard IN (SELECT value FROM json_each(?))
             ORDER BY id",
        )
        .bind(serde_json::Value::from(shards).to_string());
        row::all(self.readers(), query).await
    }

    /// How many runs of all tenants that are not over stand where.
    ///
    /// # Errors
    /// When the database fails.
    #[tracing::instrument(name = "db.run.count", level = "debug", skip_all)]
    pub async fn count_unfinished(&self) -> Result<Vec<(RunStatus, u64)>, ReadError> {
        let query =
            sql("SELECT status, count(*) AS runs FROM runs WHERE finished_at IS NULL GROUP BY status");
        let counts: Vec<Counted> = row::all(self.readers(), query).await?;
        Ok(counts
            .into_iter()
            .map(|counted| (counted.status, counted.runs))
            .collect())
    }
}

impl TenantStore {
    /// The tenant's runs, newest first.
    ///
    /// # Errors
    /// When the database fails.
    #[tracing::instrument(name = "db.run.list", skip_all)]
    pub async fn runs(&self, filter: &RunFilter) -> Result<Vec<RunRow>, ReadError> {
        let statuses: Vec<&str> = filter.statuses.iter().map(|status| status.as_str()).collect();
        let query = sql(
            "SELECT id, tenant, shard, runbook, workflow, plan, requester, status, started_at, updated_at,
                    finished_at
             FROM runs
             WHERE tenant = ?1 AND (?2 IS NULL OR id < ?2) AND (?3 IS NULL OR runbook = ?3)
               AND (?4 IS NULL OR requester = ?4)
               AND (?5 = '[]' OR status IN (SELECT value FROM json_each(?5)))
             ORDER BY id DESC LIMIT ?6",
        )
        .bind(self.tenant.as_str())
        .bind(filter.before.map(|run| run.to_string()))
        .bind(filter.runbook.as_ref().map(RunbookName::as_str))
        .bind(filter.requester.as_ref().map(PrincipalName::as_str))
        .bind(serde_json::Value::from(statuses).to_string())
        .bind(filter.limit);
        row::all(self.store.readers(), query).await
    }

    /// One of the tenant's runs.
    ///
    /// # Errors
    /// When the database fails.
    #[tracing::instrument(name = "db.run.get", skip_all, fields(%run))]
    pub async fn run(&self, run: RunId) -> Result<Option<RunRow>, ReadError> {
        let query = sql(
            "SELECT id, tenant, shard, runbook, workflow, plan, requester, status, started_at, updated_at,
                    finished_at
             FROM runs WHERE id = ? AND tenant = ?",
        )
        .bind(run.to_string())
        .bind(self.tenant.as_str());
        row::optional(self.store.readers(), query).await
    }

    /// The plan that a run was started with, exactly.
    ///
    /// # Errors
    /// When the database fails, or the plan cannot be read.
    #[tracing::instrument(name = "db.run.plan", skip_all, fields(%run))]
    pub async fn run_plan(&self, run: RunId) -> Result<Option<Plan>, ReadError> {
        let query = sql("SELECT plans.content, plans.digest, plans.made_at, plans.body
             FROM runs JOIN plans ON plans.tenant = runs.tenant AND plans.content = runs.plan_content
             WHERE runs.id = ? AND runs.tenant = ?")
        .bind(run.to_string())
        .bind(self.tenant.as_str());
        let stored: Option<crate::plan::StoredPlan> = row::optional(self.store.readers(), query).await?;
        Ok(stored.map(|stored| stored.plan))
    }
}
