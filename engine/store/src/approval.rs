//! Approvals as projections: written by turns only, read by people.

use clawd_model::{Approval, ApprovalId, ApprovalStatus, RunId};

use crate::error::ReadError;
use crate::row::{self, Row, Stored};
use crate::sql::sql;
use crate::tenant::TenantStore;

/// Which approvals a list shows. The default is the 50 newest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApprovalFilter {
    /// Only with this status.
    pub status: Option<ApprovalStatus>,
    /// Only of this run.
    pub run: Option<RunId>,
    /// Only those opened before this one: the last of the page before.
    pub before: Option<ApprovalId>,
    /// At most so many.
    pub limit: u32,
}

impl Default for ApprovalFilter {
    fn default() -> Self {
        Self {
            status: None,
            run: None,
            before: None,
            limit: 50,
        }
    }
}

struct Projection(Approval);

impl Stored for Projection {
    const TABLE: &'static str = "approvals";
    const KEY: &'static str = "id";
}

impl TryFrom<Row<'_>> for Projection {
    type Error = ReadError;

    fn try_from(row: Row<'_>) -> Result<Self, ReadError> {
        row.json("body").map(Self)
    }
}

impl TenantStore {
    /// The tenant's approvals, newest first.
    ///
    /// # Errors
    /// When the database fails, or an approval cannot be read.
    #[tracing::instrument(name = "db.approval.list", skip_all)]
    pub async fn approvals(&self, filter: &ApprovalFilter) -> Result<Vec<Approval>, ReadError> {
        let status = filter
            .status
            .as_ref()
            .map(row::word)
            .transpose()
            .unwrap_or_default();
        let query = sql("SELECT id, body FROM approvals
             WHERE tenant = ?1 AND (?2 IS NULL OR status = ?2) AND (?3 IS NULL OR run = ?3)
               AND (?4 IS NULL OR id < ?4)
             ORDER BY id DESC LIMIT ?5")
        .bind(self.tenant.as_str())
        .bind(status)
        .bind(filter.run.map(|run| run.to_string()))
        .bind(filter.before.map(|approval| approval.to_string()))
        .bind(filter.limit);
        let rows: Vec<Projection> = row::all(self.store.readers(), query).await?;
        Ok(rows.into_iter().map(|row| row.0).collect())
    }

    /// One of the tenant's approvals.
    ///
    /// # Errors
    /// When the database fails, or the approval cannot be read.
    #[tracing::instrument(name = "db.approval.get", skip_all, fields(%approval))]
    pub async fn approval(&self, approval: ApprovalId) -> Result<Option<Approval>, ReadError> {
        let query = sql("SELECT id, body FROM approvals WHERE id = ? AND tenant = ?")
            .bind(approval.to_string())
            .bind(self.tenant.as_str());
        let row: Option<Projection> = row::optional(self.store.readers(), query).await?;
        Ok(row.map(|row| row.0))
    }
}
