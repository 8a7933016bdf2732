//! The lines of an export that are not records. Record lines are the records' bodies as they are stored.

use clawd_model::TenantName;

use crate::export::{CheckpointLine, Header, format};
use crate::key::VerifierKey;

/// The first line: what the text is, whose log, how long, and the key that signed its checkpoints.
///
/// # Errors
/// Never in practice: the header is always JSON.
pub fn header_line(tenant: &TenantName, size: u64, key: &VerifierKey) -> Result<String, serde_json::Error> {
    serde_json::to_string(&Header {
        export: format(),
        key: key.to_string(),
        size,
        tenant: tenant.clone(),
    })
}

/// The line of a signed checkpoint; it belongs right after the last record that it covers.
///
/// # Errors
/// Never in practice: a text is always JSON.
pub fn checkpoint_line(note: &str) -> Result<String, serde_json::Error> {
    serde_json::to_string(&CheckpointLine {
        checkpoint: note.to_owned(),
    })
}
