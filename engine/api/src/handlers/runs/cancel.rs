//! Cancels a run: nothing new begins, attempts that began are finished.

use axum::Json;
use axum::http::StatusCode;
use clawd_control::{RunCancel, RunRow, cancel_run};
use clawd_model::RunId;
use clawd_model::api::{CancelRun, RunSummary};

use crate::{Authorized, Failure, Keyed};

/// Cancels a run: nothing new begins, attempts that began are finished.
#[utoipa::path(post, path = "/api/v1/runs/{run}/cancel", operation_id = "cancel_run", tag = "runs", request_body = CancelRun, params(("run" = RunId, Path, description = "its id"), ("idempotency-key" = Option<String>, Header, description = "carries the request out once")), responses((status = 202, description = "the run will be told", body = RunSummary)))]
pub(crate) async fn handle(
    Authorized(permit): Authorized<RunCancel, RunRow>,
    Keyed { body, key, what }: Keyed<CancelRun>,
) -> Result<(StatusCode, Json<RunSummary>), Failure> {
    let run = permit
        .once(key.as_deref(), what, |_| cancel_run(&permit, &body.reason))
        .await?;
    Ok((StatusCode::ACCEPTED, Json(run)))
}
