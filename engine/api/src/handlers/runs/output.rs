//! Shows what a step has printed.

use axum::Json;
use clawd_control::{RunRead, RunRow, step_output};
use clawd_model::RunId;
use clawd_model::api::OutputView;
use serde::Deserialize;
use utoipa::IntoParams;

use crate::{Authorized, Failure, Query};

/// Which output.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Params {
    /// Of which step: `rollout/web-1/apply`.
    step: String,
    /// Of which attempt; the last when absent.
    attempt: Option<u32>,
    /// From which byte on: the `next` of the answer before.
    from: Option<u64>,
}

/// Shows what a step has printed.
#[utoipa::path(get, path = "/api/v1/runs/{run}/output", operation_id = "step_output", tag = "runs", params(("run" = RunId, Path, description = "its id"), Params), responses((status = 200, description = "pieces of output", body = OutputView)))]
pub(crate) async fn handle(
    Authorized(permit): Authorized<RunRead, RunRow>,
    Query(which): Query<Params>,
) -> Result<Json<OutputView>, Failure> {
    Ok(Json(
        step_output(&permit, &which.step, which.attempt, which.from.unwrap_or(0)).await?,
    ))
}
