//! Adds a server.

use axum::Json;
use axum::http::StatusCode;
use clawd_control::{ServerAdd, add_server};
use clawd_model::api::{AddServer, ServerView};

use crate::{Authorized, Failure, Keyed};

/// Adds a server.
///
/// A server over SSH needs the fingerprint of its host key in `host_key`. Without it the answer is the problem
/// `host-key-unconfirmed`, which shows the key, and nothing is added.
#[utoipa::path(post, path = "/api/v1/servers", operation_id = "add_server", tag = "servers", request_body = AddServer, params(("idempotency-key" = Option<String>, Header, description = "carries the request out once")), responses((status = 201, description = "the server", body = ServerView)))]
pub(crate) async fn handle(
    Authorized(permit): Authorized<ServerAdd>,
    Keyed { body, key, what }: Keyed<AddServer>,
) -> Result<(StatusCode, Json<ServerView>), Failure> {
    let added = permit
        .once(key.as_deref(), what, |_| add_server(&permit, body))
        .await?;
    Ok((StatusCode::CREATED, Json(added)))
}
