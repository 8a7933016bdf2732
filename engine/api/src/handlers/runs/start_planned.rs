//! Starts a run of a stored plan.

use axum::Json;
use axum::http::StatusCode;
use clawd_control::{PlanOn, RunStart, start_run};
use clawd_model::Digest;
use clawd_model::api::RunSummary;

use crate::body::Nothing;
use crate::{Authorized, Failure, Keyed};

/// Starts a run of a stored plan.
///
/// A plan that is older than an hour, or of another version of the runbook than the active one, is refused.
#[utoipa::path(post, path = "/api/v1/plans/{digest}/runs", operation_id = "start_run", tag = "runs", params(("digest" = Digest, Path, description = "the digest of the plan"), ("idempotency-key" = Option<String>, Header, description = "carries the request out once")), responses((status = 201, description = "the run", body = RunSummary)))]
pub(crate) async fn handle(
    Authorized(permit): Authorized<RunStart, PlanOn>,
    Keyed {
        body: Nothing {},
        key,
        what,
    }: Keyed<Nothing>,
) -> Result<(StatusCode, Json<RunSummary>), Failure> {
    let run = permit
        .once(key.as_deref(), what, async |request| {
            start_run(&permit, &request).await
        })
        .await?;
    Ok((StatusCode::CREATED, Json(run)))
}
