//! Shows an audit record, with the proof that it is in the log.

use axum::Json;
use clawd_control::{AuditRead, show_audit};
use clawd_model::api::AuditProof;

use crate::{Authorized, Failure, Segment};

/// Shows an audit record, with the proof that it is in the log.
#[utoipa::path(get, path = "/api/v1/audit/{index}", operation_id = "show_audit", tag = "audit", params(("index" = u64, Path, description = "its place in the log")), responses((status = 200, description = "the record and its proof", body = AuditProof)))]
pub(crate) async fn handle(
    Authorized(permit): Authorized<AuditRead>,
    Segment(index): Segment<u64>,
) -> Result<Json<AuditProof>, Failure> {
    Ok(Json(show_audit(&permit, index).await?))
}
