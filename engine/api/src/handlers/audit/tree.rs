//! Shows the state of the audit log: size, root, checkpoint, key.

use axum::Json;
use clawd_control::{AuditRead, audit_tree};
use clawd_model::api::AuditTreeView;

use crate::{Authorized, Failure};

/// Shows the state of the audit log: size, root, checkpoint, key.
#[utoipa::path(get, path = "/api/v1/audit/tree", operation_id = "audit_tree", tag = "audit", responses((status = 200, description = "the log as it stands", body = AuditTreeView)))]
pub(crate) async fn handle(
    Authorized(permit): Authorized<AuditRead>,
) -> Result<Json<AuditTreeView>, Failure> {
    Ok(Json(audit_tree(&permit).await?))
}
