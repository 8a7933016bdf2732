//! Shows the active version of a runbook.

use axum::Json;
use clawd_control::{RunbookOn, RunbookRead, show_runbook};
use clawd_model::RunbookName;
use clawd_model::api::RunbookView;

use crate::{Authorized, Failure};

/// Shows the active version of a runbook.
#[utoipa::path(get, path = "/api/v1/runbooks/{name}", operation_id = "show_runbook", tag = "runbooks", params(("name" = RunbookName, Path, description = "its name")), responses((status = 200, description = "the runbook", body = RunbookView)))]
pub(crate) async fn handle(
    Authorized(permit): Authorized<RunbookRead, RunbookOn>,
) -> Result<Json<RunbookView>, Failure> {
    Ok(Json(show_runbook(&permit)))
}
