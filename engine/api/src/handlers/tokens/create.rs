//! Makes a token.

use axum::Json;
use axum::http::StatusCode;
use clawd_control::{TokenCreate, create_token};
use clawd_model::api::{CreateToken, NewToken};

use crate::{Authorized, Failure, Unkeyed};

/// Makes a token.
///
/// Its secret is in this answer and nowhere else. For somebody else the policies are asked for `principal.write` as
/// well.
#[utoipa::path(post, path = "/api/v1/tokens", operation_id = "create_token", tag = "tokens", request_body = CreateToken, responses((status = 201, description = "the token, with its secret", body = NewToken)))]
pub(crate) async fn handle(
    Authorized(permit): Authorized<TokenCreate>,
    Unkeyed(wanted): Unkeyed<CreateToken>,
) -> Result<(StatusCode, Json<NewToken>), Failure> {
    Ok((StatusCode::CREATED, Json(create_token(&permit, wanted).await?)))
}
