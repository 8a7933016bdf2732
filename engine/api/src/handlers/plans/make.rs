//! Makes a plan: what a run would change, and what the gate would say.

use axum::Json;
use axum::http::StatusCode;
use clawd_control::{PlanCreate, RunbookOn, plan_run};
use clawd_model::RunbookName;
use clawd_model::api::{MakePlan, PlanView};

use crate::{Authorized, Failure, Keyed};

/// Makes a plan: what a run would change, and what the gate would say.
///
/// Nothing is changed. Read-only steps are carried out for real, and their outputs are frozen in the plan.
#[utoipa::path(post, path = "/api/v1/runbooks/{name}/plans", operation_id = "plan_run", tag = "plans", request_body = MakePlan, params(("name" = RunbookName, Path, description = "its name"), ("idempotency-key" = Option<String>, Header, description = "carries the request out once")), responses((status = 201, description = "the plan, which is kept under its digest", body = PlanView)))]
pub(crate) async fn handle(
    Authorized(permit): Authorized<PlanCreate, RunbookOn>,
    Keyed { body, key, what }: Keyed<MakePlan>,
) -> Result<(StatusCode, Json<PlanView>), Failure> {
    let plan = permit
        .once(key.as_deref(), what, |_| plan_run(&permit, &body))
        .await?;
    Ok((StatusCode::CREATED, Json(plan)))
}
