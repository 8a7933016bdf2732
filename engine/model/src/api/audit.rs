//! The audit log, as people see it.

use serde_json::Value;

use crate::{RunId, Timestamp};

super::views! {
    /// One audit record.
    pub struct AuditRecordView {
        /// Its place in the tenant's log, from 0.
        pub index: u64,
        /// When.
        pub at: Timestamp,
        /// What kind of fact: `attempt.started`.
        pub kind: String,
        /// Who: `user:ana`, `engine`.
        pub actor: String,
        /// In which run.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub run: Option<RunId>,
        /// About what: `rollout/web-1/apply`.
        pub subject: String,
        /// The fact itself.
        pub data: Value,
    }

    /// One record with the proof that it is in the log.
    pub struct AuditProof {
        /// The record.
        pub record: AuditRecordView,
        /// The canonical text that is hashed.
        pub body: String,
        /// The leaf's hash, in hexadecimal.
        pub leaf: String,
        /// The signed log that the proof leads to.
        pub tree: AuditTreeView,
        /// The hashes from the leaf to the root (RFC 6962), in hexadecimal.
        pub path: Vec<String>,
    }

    /// A state of the log.
    pub struct AuditTreeView {
        /// How many records it holds.
        pub size: u64,
        /// The root's hash, in hexadecimal.
        pub root: String,
        /// The newest signed checkpoint (a C2SP signed note), if there is one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub checkpoint: Option<String>,
        /// The key that signs checkpoints, as a C2SP verifier key.
        pub verifier_key: String,
    }
}
