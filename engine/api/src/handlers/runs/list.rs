//! Lists runs, newest first.

use axum::Json;
use clawd_control::{ListRuns, RunRead, list_runs};
use clawd_model::api::{Page, RunSummary};
use clawd_model::{PrincipalName, RunId, RunStatus, RunbookName};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::{Authorized, Failure, Query};

/// Which runs.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Params {
    /// Of this runbook only.
    runbook: Option<RunbookName>,
    /// In this state only.
    status: Option<RunStatus>,
    /// Started by this principal only.
    requester: Option<PrincipalName>,
    /// After this run: the `next` of the page before.
    after: Option<RunId>,
    /// At most so many; 50 when absent, at most 200.
    limit: Option<u32>,
}

/// Lists runs, newest first.
#[utoipa::path(get, path = "/api/v1/runs", operation_id = "list_runs", tag = "runs", params(Params), responses((status = 200, description = "the runs", body = Page<RunSummary>)))]
pub(crate) async fn handle(
    Authorized(permit): Authorized<RunRead>,
    Query(which): Query<Params>,
) -> Result<Json<Page<RunSummary>>, Failure> {
    let which = ListRuns {
        runbook: which.runbook,
        statuses: which.status.into_iter().collect(),
        requester: which.requester,
        after: which.after,
        limit: which.limit,
    };
    Ok(Json(list_runs(&permit, which).await?))
}
