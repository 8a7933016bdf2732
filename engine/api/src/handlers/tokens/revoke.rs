//! Ends a token.

use axum::http::StatusCode;
use clawd_control::{TokenCreate, revoke_token};
use clawd_model::TokenId;

use crate::{Authorized, Failure, Segment};

/// Ends a token.
#[utoipa::path(delete, path = "/api/v1/tokens/{id}", operation_id = "revoke_token", tag = "tokens", params(("id" = TokenId, Path, description = "its id")), responses((status = 204, description = "it is ended")))]
pub(crate) async fn handle(
    Authorized(permit): Authorized<TokenCreate>,
    Segment(id): Segment<TokenId>,
) -> Result<StatusCode, Failure> {
    revoke_token(&permit, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
