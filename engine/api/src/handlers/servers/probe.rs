//! Asks a machine for its host key, and adds nothing.

use axum::Json;
use clawd_control::{ServerAdd, probe_server};
use clawd_model::api::{HostKey, ProbeServer};

use crate::{Authorized, Body, Failure};

/// Asks a machine for its host key, and adds nothing.
#[utoipa::path(post, path = "/api/v1/host-keys", operation_id = "probe_server", tag = "servers", request_body = ProbeServer, responses((status = 200, description = "the host key that the machine shows", body = HostKey)))]
pub(crate) async fn handle(
    Authorized(permit): Authorized<ServerAdd>,
    Body(asked): Body<ProbeServer>,
) -> Result<Json<HostKey>, Failure> {
    Ok(Json(probe_server(&permit, &asked.address).await?))
}
