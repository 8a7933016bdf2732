//! Shows a request for votes, with what the job would change.

use axum::Json;
use clawd_control::{ApprovalOn, ApprovalRead, show_approval};
use clawd_model::ApprovalId;
use clawd_model::api::ApprovalView;

use crate::{Authorized, Failure};

/// Shows a request for votes, with what the job would change.
#[utoipa::path(get, path = "/api/v1/approvals/{approval}", operation_id = "show_approval", tag = "approvals", params(("approval" = ApprovalId, Path, description = "its id")), responses((status = 200, description = "the request", body = ApprovalView)))]
pub(crate) async fn handle(
    Authorized(permit): Authorized<ApprovalRead, ApprovalOn>,
) -> Result<Json<ApprovalView>, Failure> {
    Ok(Json(show_approval(&permit).await?))
}
