//! Makes a plan, and starts it at once.

use axum::Json;
use axum::http::StatusCode;
use clawd_control::{RunStart, RunbookOn, plan_and_start};
use clawd_model::RunbookName;
use clawd_model::api::{MakePlan, RunSummary};

use crate::{Authorized, Failure, Keyed};

/// Makes a plan, and starts it at once.
///
/// The policies are asked for `plan.create` as well.
#[utoipa::path(post, path = "/api/v1/runbooks/{name}/runs", operation_id = "plan_and_start", tag = "runs", request_body = MakePlan, params(("name" = RunbookName, Path, description = "its name"), ("idempotency-key" = Option<String>, Header, description = "carries the request out once")), responses((status = 201, description = "the run", body = RunSummary)))]
pub(crate) async fn handle(
    Authorized(permit): Authorized<RunStart, RunbookOn>,
    Keyed { body, key, what }: Keyed<MakePlan>,
) -> Result<(StatusCode, Json<RunSummary>), Failure> {
    let start = async |request| plan_and_start(&permit, &body, &request).await;
    let run = permit.once(key.as_deref(), what, start).await?;
    Ok((StatusCode::CREATED, Json(run)))
}
