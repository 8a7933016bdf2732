//! Checks and tests policies, and puts them in force.

use axum::Json;
use clawd_control::{PolicyPublish, publish_policy};
use clawd_model::api::{PublishPolicy, PublishedPolicy};

use crate::{Authorized, Body, Failure};

/// Checks and tests policies, and puts them in force.
#[utoipa::path(put, path = "/api/v1/policies", operation_id = "publish_policy", tag = "policies", request_body = PublishPolicy, responses((status = 200, description = "they passed, and are in force unless `check_only` was asked for", body = PublishedPolicy)))]
pub(crate) async fn handle(
    Authorized(permit): Authorized<PolicyPublish>,
    Body(bundle): Body<PublishPolicy>,
) -> Result<Json<PublishedPolicy>, Failure> {
    Ok(Json(publish_policy(&permit, bundle).await?))
}
