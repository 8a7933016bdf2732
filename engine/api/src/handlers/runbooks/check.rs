//! Finds all problems of a runbook, and publishes nothing.

use axum::Json;
use clawd_control::{RunbookRead, check_runbook};
use clawd_model::api::{CheckedRunbook, PublishRunbook};

use crate::{Authorized, Body, Failure};

/// Finds all problems of a runbook, and publishes nothing.
#[utoipa::path(post, path = "/api/v1/runbook-checks", operation_id = "check_runbook", tag = "runbooks", request_body = PublishRunbook, responses((status = 200, description = "all problems", body = CheckedRunbook)))]
pub(crate) async fn handle(
    Authorized(permit): Authorized<RunbookRead>,
    Body(runbook): Body<PublishRunbook>,
) -> Result<Json<CheckedRunbook>, Failure> {
    Ok(Json(check_runbook(&permit, &runbook.source)))
}
