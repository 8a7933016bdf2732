//! Lists the caller's own tokens; all of them for somebody who may change principals.

use axum::Json;
use clawd_control::{TokenCreate, list_tokens};
use clawd_model::api::{Page, TokenView};

use crate::{Authorized, Failure};

/// Lists the caller's own tokens; all of them for somebody who may change principals.
#[utoipa::path(get, path = "/api/v1/tokens", operation_id = "list_tokens", tag = "tokens", responses((status = 200, description = "the tokens", body = Page<TokenView>)))]
pub(crate) async fn handle(
    Authorized(permit): Authorized<TokenCreate>,
) -> Result<Json<Page<TokenView>>, Failure> {
    Ok(Json(list_tokens(&permit).await?))
}
