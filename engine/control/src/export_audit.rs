//! Exports the whole audit log as a text that anybody can verify offline (JSON Lines; see `clawd_audit::export`).

use clawd_store::WriteError;
use futures::Stream;
use futures::stream::try_unfold;
use serde_json::json;

use crate::gate::{AuditRead, Permit, Target};
use crate::list_audit::AuditError;

/// The log as it is now, piece by piece. That it was exported is recorded first, and is part of the export.
///
/// # Errors
/// When the store fails.
pub async fn export_audit(
    permit: &Permit<AuditRead>,
) -> Result<impl Stream<Item = Result<String, WriteError>> + Send + use<>, AuditError> {
    let record = permit.record(
        "audit.exported",
        permit.on().subject(),
        json!({"format": "jsonl"}),
    );
    permit.store().record(&[record]).await?;
    let export = permit.store().export_audit().await?;
    Ok(try_unfold(export, async |mut export| {
        let piece = export.next().await?;
        Ok(piece.map(|piece| (piece, export)))
    }))
}
