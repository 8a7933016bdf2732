//! Lists runbooks: the active version of each.

use axum::Json;
use clawd_control::{RunbookRead, list_runbooks};
use clawd_model::api::{Page, RunbookSummary};

use crate::{Authorized, Failure};

/// Lists runbooks: the active version of each.
#[utoipa::path(get, path = "/api/v1/runbooks", operation_id = "list_runbooks", tag = "runbooks", responses((status = 200, description = "the runbooks", body = Page<RunbookSummary>)))]
pub(crate) async fn handle(
    Authorized(permit): Authorized<RunbookRead>,
) -> Result<Json<Page<RunbookSummary>>, Failure> {
    Ok(Json(list_runbooks(&permit).await?))
}
