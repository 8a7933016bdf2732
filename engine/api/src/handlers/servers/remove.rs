//! Removes a server's record. The machine itself is left alone.

use axum::http::StatusCode;
use clawd_control::{ServerRemove, remove_server};
use clawd_model::{Server, ServerName};

use crate::{Authorized, Failure};

/// Removes a server's record. The machine itself is left alone.
#[utoipa::path(delete, path = "/api/v1/servers/{name}", operation_id = "remove_server", tag = "servers", params(("name" = ServerName, Path, description = "its name")), responses((status = 204, description = "it is removed")))]
pub(crate) async fn handle(
    Authorized(permit): Authorized<ServerRemove, Server>,
) -> Result<StatusCode, Failure> {
    remove_server(&permit).await?;
    Ok(StatusCode::NO_CONTENT)
}
