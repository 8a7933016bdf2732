//! Lists requests for votes, newest first.

use axum::Json;
use clawd_control::{ApprovalRead, ListApprovals, list_approvals};
use clawd_model::api::{ApprovalView, Page};
use clawd_model::{ApprovalId, RunId};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::{Authorized, Failure, Query};

/// Which requests.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Params {
    /// Only those that votes may be cast on.
    open: Option<bool>,
    /// Of this run only.
    run: Option<RunId>,
    /// After this request: the `next` of the page before.
    after: Option<ApprovalId>,
    /// At most so many; 50 when absent, at most 200.
    limit: Option<u32>,
}

/// Lists requests for votes, newest first.
#[utoipa::path(get, path = "/api/v1/approvals", operation_id = "list_approvals", tag = "approvals", params(Params), responses((status = 200, description = "the requests", body = Page<ApprovalView>)))]
pub(crate) async fn handle(
    Authorized(permit): Authorized<ApprovalRead>,
    Query(which): Query<Params>,
) -> Result<Json<Page<ApprovalView>>, Failure> {
    let which = ListApprovals {
        open_only: which.open.unwrap_or(false),
        run: which.run,
        after: which.after,
        limit: which.limit,
    };
    Ok(Json(list_approvals(&permit, which).await?))
}
