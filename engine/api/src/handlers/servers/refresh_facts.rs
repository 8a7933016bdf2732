//! Reads a server's facts anew.

use axum::Json;
use clawd_control::{ServerRead, refresh_facts};
use clawd_model::api::ServerView;
use clawd_model::{Server, ServerName};

use crate::body::Nothing;
use crate::{Authorized, Body, Failure};

/// Reads a server's facts anew.
///
/// That is the operation `host.facts`, so the policies are asked for it as well.
#[utoipa::path(post, path = "/api/v1/servers/{name}/facts", operation_id = "refresh_facts", tag = "servers", params(("name" = ServerName, Path, description = "its name")), responses((status = 200, description = "the server with fresh facts", body = ServerView)))]
pub(crate) async fn handle(
    Authorized(permit): Authorized<ServerRead, Server>,
    Body(Nothing {}): Body<Nothing>,
) -> Result<Json<ServerView>, Failure> {
    Ok(Json(refresh_facts(&permit).await?))
}
