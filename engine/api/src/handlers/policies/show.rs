//! Shows the policies in force.

use axum::Json;
use clawd_control::{PolicyRead, show_policy};
use clawd_model::api::BundleView;

use crate::{Authorized, Failure};

/// Shows the policies in force.
#[utoipa::path(get, path = "/api/v1/policies", operation_id = "show_policy", tag = "policies", responses((status = 200, description = "the bundle in force", body = BundleView)))]
pub(crate) async fn handle(Authorized(permit): Authorized<PolicyRead>) -> Result<Json<BundleView>, Failure> {
    Ok(Json(show_policy(&permit).await?))
}
