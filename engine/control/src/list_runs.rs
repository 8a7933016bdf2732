//! Lists runs, newest first.

use clawd_model::api::{Page, RunSummary};
use clawd_model::{PrincipalName, RunId, RunStatus, RunbookName};
use clawd_store::{RunFilter, RunRow};

use crate::error::StoreFailed;
use crate::gate::{Permit, RunRead};

/// Which runs. The default is all.
#[derive(Clone, Debug, Default)]
pub struct ListRuns {
    /// Of this runbook only.
    pub runbook: Option<RunbookName>,
    /// In one of these states only; empty means all.
    pub statuses: Vec<RunStatus>,
    /// Started by this principal only.
    pub requester: Option<PrincipalName>,
    /// After this one: the `next` of the page before.
    pub after: Option<RunId>,
    /// At most so many; 50 when absent, at most 200.
    pub limit: Option<u32>,
}

/// The runs that the caller may see.
///
/// # Errors
/// When the store fails.
pub async fn list_runs(permit: &Permit<RunRead>, which: ListRuns) -> Result<Page<RunSummary>, StoreFailed> {
    let limit = crate::page::limit(which.limit);
    let filter = RunFilter {
        runbook: which.runbook,
        statuses: which.statuses,
        requester: which.requester,
        before: which.after,
        limit: limit.saturating_add(1),
    };
    let rows = permit.store().runs(&filter).await?;
    let (rows, next) = crate::page::cut(rows, limit, |row: &RunRow| row.id.to_string());
    let items = rows
        .iter()
        .filter(|row| permit.covers(*row))
        .map(run_summary)
        .collect();
    Ok(Page { items, next })
}

/// A run as lists show it.
pub(crate) fn run_summary(row: &RunRow) -> RunSummary {
    RunSummary {
        id: row.id,
        runbook: row.runbook.clone(),
        workflow: row.workflow,
        plan: row.plan,
        requester: row.requester.clone(),
        status: row.status,
        started_at: row.started_at,
        finished_at: row.finished_at,
    }
}
