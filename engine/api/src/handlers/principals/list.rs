//! Lists people, agents and programs.

use axum::Json;
use clawd_control::{PrincipalRead, list_principals};
use clawd_model::Principal;
use clawd_model::api::Page;

use crate::{Authorized, Failure};

/// Lists people, agents and programs.
#[utoipa::path(get, path = "/api/v1/principals", operation_id = "list_principals", tag = "principals", responses((status = 200, description = "all of the tenant", body = Page<Principal>)))]
pub(crate) async fn handle(
    Authorized(permit): Authorized<PrincipalRead>,
) -> Result<Json<Page<Principal>>, Failure> {
    Ok(Json(list_principals(&permit).await?))
}
