//! What a job runs.

use clawd_model::Digest;

use crate::ssh::bootstrap::{encode, escape};
use crate::transport::TransportError;

/// What a job runs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct JobSpec {
    /// Program and arguments.
    pub(crate) argv: Vec<String>,
    /// Its standard input; a file that only root can read, gone once the command has ended.
    pub(crate) stdin: Vec<u8>,
    /// A word that a later controller needs to understand the result.
    pub(crate) note: String,
}

impl JobSpec {
    /// As `job.sh` receives it.
    ///
    /// # Errors
    /// When the argument list cannot be sent.
    pub(crate) fn encode(&self) -> Result<Vec<u8>, TransportError> {
        let list = encode(&self.argv)?;
        let mut out = format!("{}\n{list}{}\n", escape(&self.note), self.stdin.len()).into_bytes();
        out.extend_from_slice(&self.stdin);
        Ok(out)
    }

    /// The digest of the input, by which another job under the same key is noticed.
    pub(crate) fn digest(encoded: &[u8]) -> String {
        Digest::of(encoded).to_hex()
    }
}
