//! Shows one server.

use axum::Json;
use clawd_control::{ServerRead, show_server};
use clawd_model::api::ServerView;
use clawd_model::{Server, ServerName};

use crate::{Authorized, Failure};

/// Shows one server.
#[utoipa::path(get, path = "/api/v1/servers/{name}", operation_id = "show_server", tag = "servers", params(("name" = ServerName, Path, description = "its name")), responses((status = 200, description = "the server", body = ServerView)))]
pub(crate) async fn handle(
    Authorized(permit): Authorized<ServerRead, Server>,
) -> Result<Json<ServerView>, Failure> {
    Ok(Json(show_server(&permit)))
}
