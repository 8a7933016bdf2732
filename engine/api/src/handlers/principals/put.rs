//! Adds a principal, or changes the one of that name.

use axum::Json;
use clawd_control::{PrincipalWrite, put_principal};
use clawd_model::api::PutPrincipal;
use clawd_model::{Principal, PrincipalName};

use crate::{Authorized, Body, Failure, Segment};

/// Adds a principal, or changes the one of that name.
#[utoipa::path(put, path = "/api/v1/principals/{name}", operation_id = "put_principal", tag = "principals", request_body = PutPrincipal, params(("name" = PrincipalName, Path, description = "its name")), responses((status = 200, description = "the principal", body = Principal)))]
pub(crate) async fn handle(
    Authorized(permit): Authorized<PrincipalWrite>,
    Segment(name): Segment<PrincipalName>,
    Body(wanted): Body<PutPrincipal>,
) -> Result<Json<Principal>, Failure> {
    Ok(Json(put_principal(&permit, name, wanted).await?))
}
