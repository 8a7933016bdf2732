//! Decides what a step came to whose outcome nobody can know.

use axum::Json;
use axum::http::StatusCode;
use clawd_control::{RunResolve, RunRow, resolve_unknown};
use clawd_model::RunId;
use clawd_model::api::{ResolveStep, RunSummary};

use crate::{Authorized, Failure, Keyed};

/// Decides what a step came to whose outcome nobody can know.
#[utoipa::path(post, path = "/api/v1/runs/{run}/resolve", operation_id = "resolve_unknown", tag = "runs", request_body = ResolveStep, params(("run" = RunId, Path, description = "its id"), ("idempotency-key" = Option<String>, Header, description = "carries the request out once")), responses((status = 202, description = "the run will be told", body = RunSummary)))]
pub(crate) async fn handle(
    Authorized(permit): Authorized<RunResolve, RunRow>,
    Keyed { body, key, what }: Keyed<ResolveStep>,
) -> Result<(StatusCode, Json<RunSummary>), Failure> {
    let run = permit
        .once(key.as_deref(), what, |_| resolve_unknown(&permit, body))
        .await?;
    Ok((StatusCode::ACCEPTED, Json(run)))
}
