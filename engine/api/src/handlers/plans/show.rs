//! Shows a stored plan.

use axum::Json;
use clawd_control::{PlannedRun, RunRead, show_plan};
use clawd_model::Digest;
use clawd_model::api::PlanView;

use crate::{Authorized, Failure};

/// Shows a stored plan.
#[utoipa::path(get, path = "/api/v1/plans/{digest}", operation_id = "show_plan", tag = "plans", params(("digest" = Digest, Path, description = "its digest")), responses((status = 200, description = "the newest plan with this digest", body = PlanView)))]
pub(crate) async fn handle(
    Authorized(permit): Authorized<RunRead, PlannedRun>,
) -> Result<Json<PlanView>, Failure> {
    Ok(Json(show_plan(&permit)))
}
