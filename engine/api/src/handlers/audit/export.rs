//! Exports the whole audit log.

use axum::body::Body as Stream;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use clawd_control::{AuditRead, export_audit};

use crate::{Authorized, Failure};

/// Exports the whole audit log as JSON Lines, for offline verification.
#[utoipa::path(get, path = "/api/v1/audit/export", operation_id = "export_audit", tag = "audit", responses((status = 200, description = "the log: a header, records, checkpoints", content_type = "application/jsonl", body = String)))]
pub(crate) async fn handle(Authorized(permit): Authorized<AuditRead>) -> Result<Response, Failure> {
    let name = format!("attachment; filename=\"audit-{}.jsonl\"", permit.tenant());
    let lines = export_audit(&permit).await?;
    let headers = [
        (header::CONTENT_TYPE, "application/jsonl".to_owned()),
        (header::CONTENT_DISPOSITION, name),
    ];
    Ok((headers, Stream::from_stream(lines)).into_response())
}
