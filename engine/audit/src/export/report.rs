//! What verification says: all that was found to be true, or the first thing that does not hold, with its line.

use std::fmt;

use clawd_model::{TenantName, Timestamp};

use crate::checkpoint::CheckpointError;
use crate::hash::Hash;
use crate::key::{InvalidKey, VerifierKey};

/// What was found to be true.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// Whose log.
    pub tenant: TenantName,
    /// How many records it holds.
    pub records: u64,
    /// Its root: the same as in any other honest copy of the same length.
    pub root: Hash,
    /// How many checkpoints were verified.
    pub checkpoints: u64,
    /// The key that signed them.
    pub key: VerifierKey,
    /// Whether that key was known from elsewhere. If not, the text only agrees with itself.
    pub key_is_trusted: bool,
    /// When the first and the last record were made.
    pub span: Option<(Timestamp, Timestamp)>,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plural = |count: u64| if count == 1 { "" } else { "s" };
        let (records, checkpoints) = (self.records, self.checkpoints);
        write!(
            f,
            "{records} record{} of `{}` under {checkpoints} checkpoint{}",
            plural(records),
            self.tenant,
            plural(checkpoints)
        )?;
        if let Some((first, last)) = self.span {
            write!(f, ", {first} to {last}")?;
        }
        write!(f, ", root {}, key {}", self.root, self.key)
    }
}

/// Why an export was refused. Lines count from 1.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// The text could not be read.
    #[error("line {line}: cannot be read")]
    Io {
        /// Where.
        line: u64,
        /// Why.
        source: std::io::Error,
    },
    /// A line is longer than any of ours.
    #[error("line {line}: longer than 32 MiB")]
    TooLong {
        /// Where.
        line: u64,
    },
    /// The first line is not a header of ours.
    #[error("line 1: not the header of an audit export")]
    NotAnExport,
    /// The key in the header makes no sense.
    #[error("line 1: the key in the header cannot be used")]
    Key(#[source] InvalidKey),
    /// It was signed with another key than the trusted one.
    #[error("line 1: the export names the key `{found}`, the trusted key is `{trusted}`")]
    OtherKey {
        /// The key of the header.
        found: String,
        /// The key that was asked for.
        trusted: String,
    },
    /// A line is neither a record nor a checkpoint.
    #[error("line {line}: neither a record nor a checkpoint; the line was altered or cut off")]
    NotARecord {
        /// Where.
        line: u64,
        /// Why.
        source: serde_json::Error,
    },
    /// A record is spelt otherwise than it was hashed.
    #[error("line {line}: record {index} is not in its canonical form; the line was altered")]
    NotCanonical {
        /// Where.
        line: u64,
        /// Which record.
        index: u64,
    },
    /// A record belongs to another log.
    #[error("line {line}: record {index} belongs to the tenant `{found}`")]
    OtherTenant {
        /// Where.
        line: u64,
        /// Which record.
        index: u64,
        /// Whose it is.
        found: TenantName,
    },
    /// Records are missing, doubled or out of order.
    #[error(
        "line {line}: expected record {expected}, found record {found}; records are missing, doubled or out of order"
    )]
    Index {
        /// Where.
        line: u64,
        /// The index that has to stand there.
        expected: u64,
        /// The one that does.
        found: u64,
    },
    /// A checkpoint is not signed by the key, or was altered.
    #[error("line {line}: the checkpoint does not hold")]
    Checkpoint {
        /// Where.
        line: u64,
        /// Why.
        source: CheckpointError,
    },
    /// A checkpoint is about another log.
    #[error("line {line}: the checkpoint is about the log `{found}`")]
    OtherLog {
        /// Where.
        line: u64,
        /// Which log.
        found: String,
    },
    /// A checkpoint stands where it does not belong: records were removed or added.
    #[error(
        "line {line}: the checkpoint covers {signed} records, {found} stand before it; records were removed or added"
    )]
    Place {
        /// Where.
        line: u64,
        /// How many records it covers.
        signed: u64,
        /// How many there are.
        found: u64,
    },
    /// The records are not those that were signed.
    #[error(
        "line {line}: the records do not give the signed root; one or more of lines {from} to {to} were altered"
    )]
    Root {
        /// Where the checkpoint stands.
        line: u64,
        /// The first line that no earlier checkpoint covers.
        from: u64,
        /// The last line that it covers.
        to: u64,
    },
    /// The file ends too early.
    #[error(
        "the export is cut off after line {line}: {found} of {expected} records, the last {uncovered} of them under no checkpoint"
    )]
    CutOff {
        /// The last line.
        line: u64,
        /// How many records the header promises.
        expected: u64,
        /// How many there are.
        found: u64,
        /// How many of them no checkpoint covers.
        uncovered: u64,
    },
    /// The file goes on after the end that its header says.
    #[error("line {line}: more records than the {expected} that the header says")]
    Surplus {
        /// Where.
        line: u64,
        /// How many the header says.
        expected: u64,
    },
    /// A checkpoint that was seen before is not in this log: history was rewritten, or records are missing.
    #[error("the log has {found} at {size} records, another root than the checkpoint that was seen before")]
    Forked {
        /// The size of that checkpoint.
        size: u64,
        /// What this log has there.
        found: String,
    },
}
