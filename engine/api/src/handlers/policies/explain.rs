//! Says what the gate would answer, and why.

use axum::Json;
use clawd_control::{PolicyRead, explain};
use clawd_model::api::{Explain, ExplanationView};

use crate::{Authorized, Body, Failure};

/// Says what the gate would answer, and why.
#[utoipa::path(post, path = "/api/v1/policies/explain", operation_id = "explain", tag = "policies", request_body = Explain, responses((status = 200, description = "the answer, policy by policy", body = ExplanationView)))]
pub(crate) async fn handle(
    Authorized(permit): Authorized<PolicyRead>,
    Body(question): Body<Explain>,
) -> Result<Json<ExplanationView>, Failure> {
    Ok(Json(explain(&permit, &question).await?))
}
