//! Shows one run, step by step.

use axum::Json;
use clawd_control::{RunRead, RunRow, show_run};
use clawd_model::RunId;
use clawd_model::api::RunView;

use crate::{Authorized, Failure};

/// Shows one run, step by step.
#[utoipa::path(get, path = "/api/v1/runs/{run}", operation_id = "show_run", tag = "runs", params(("run" = RunId, Path, description = "its id")), responses((status = 200, description = "the run", body = RunView)))]
pub(crate) async fn handle(
    Authorized(permit): Authorized<RunRead, RunRow>,
) -> Result<Json<RunView>, Failure> {
    Ok(Json(show_run(&permit).await?))
}
