//! Makes a one-time link to sign in to the console.

use axum::Json;
use axum::http::StatusCode;
use clawd_control::{TokenCreate, create_sign_in_link};
use clawd_model::api::{CreateSignInLink, SignInLink};

use crate::{Authorized, Failure, Unkeyed};

/// Makes a one-time link to sign in to the console.
#[utoipa::path(post, path = "/api/v1/sign-in-links", operation_id = "create_sign_in_link", tag = "tokens", request_body = CreateSignInLink, responses((status = 201, description = "the link, which lasts 15 minutes", body = SignInLink)))]
pub(crate) async fn handle(
    Authorized(permit): Authorized<TokenCreate>,
    Unkeyed(wanted): Unkeyed<CreateSignInLink>,
) -> Result<(StatusCode, Json<SignInLink>), Failure> {
    Ok((
        StatusCode::CREATED,
        Json(create_sign_in_link(&permit, wanted).await?),
    ))
}
