//! A whole log as one text that can be verified offline: JSON Lines.
//!
//! ```text
//! {"export":"clawd.dev/audit@1","key":"clawd.dev/audit/demo+5d7…+AQ…","size":3,"tenant":"demo"}   the header
//! {"actor":"user:ana","at":1772357400000,"data":{…},"index":0,"kind":"run.started",…}             a record
//! {"actor":"engine","at":1772357400020,"data":{…},"index":1,"kind":"gate.decided",…}
//! {"checkpoint":"clawd.dev/audit/demo\n2\nQx0…=\n\n— clawd.dev/audit/demo XkW0…\n"}               covers what is above
//! {"actor":"engine","at":1772357400021,"data":{…},"index":2,"kind":"attempt.started",…}
//! {"checkpoint":"…"}                                                                               always the last line
//! ```
//!
//! A record's line, byte for byte and without its line feed, is a leaf of the log (RFC 6962). A checkpoint is a
//! signed note (C2SP) and stands right after the last record that it covers. The last line is a checkpoint that
//! covers everything, so that nothing can be cut off at the end. Anybody with a SHA-256 and an Ed25519 at hand can
//! check all of this without our code; [`verify`] is ours.
//!
//! What no file can show of itself is that it is the newest: whoever holds the key could sign a shorter log. Hence a
//! verifier who has seen a checkpoint before passes it in ([`Known`]), and the log has to contain it.

mod report;
mod verify;
mod write;

use clawd_model::{TenantName, product};
use serde::{Deserialize, Serialize};

pub use report::{Report, VerifyError};
pub use verify::{Known, verify, verify_with};
pub use write::{checkpoint_line, header_line};

/// The first line of an export.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    export: String,
    key: String,
    size: u64,
    tenant: TenantName,
}

/// A line with a checkpoint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct CheckpointLine {
    checkpoint: String,
}

/// What the header says the text is.
fn format() -> String {
    format!("{}@1", product::AUDIT_ORIGIN)
}
