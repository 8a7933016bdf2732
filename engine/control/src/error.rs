//! What the shells need of an error beside its words, so that the API, the console and the CLI say the same.

use clawd_model::Problem;
use clawd_store::{ReadError, WriteError};

/// What kind of answer an error is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// The request makes no sense as it stands.
    Invalid,
    /// Who calls is not known.
    Unauthenticated,
    /// The policies say no.
    Denied,
    /// There is no such thing.
    NotFound,
    /// It does not fit the present state.
    Conflict,
    /// Something outside, a server for example, did not answer.
    Unreachable,
    /// This node takes no work now.
    Unavailable,
    /// The caller has too much of it open at once.
    TooMany,
    /// Something of ours broke. The words are for the log, not for the caller.
    Internal,
}

/// What the shells need of an error.
pub trait Explained: std::error::Error + Send + Sync {
    /// What kind of answer it is.
    fn class(&self) -> Class;

    /// A stable code: `plan-stale`.
    fn code(&self) -> &'static str;

    /// What to do about it.
    fn hint(&self) -> Option<String> {
        None
    }

    /// All problems of a document that was sent.
    fn problems(&self) -> &[Problem] {
        &[]
    }

    /// Why the policies refused.
    fn reasons(&self) -> &[String] {
        &[]
    }

    /// More, for programs: `host_key` for `host-key-unconfirmed`.
    fn more(&self) -> Option<(&'static str, serde_json::Value)> {
        None
    }
}

/// The store failed; nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum StoreFailed {
    /// It could not be read.
    #[error("the store could not be read")]
    Read(#[from] ReadError),
    /// It could not be written.
    #[error("the store could not be written")]
    Write(#[from] WriteError),
}

impl Explained for StoreFailed {
    fn class(&self) -> Class {
        Class::Internal
    }

    fn code(&self) -> &'static str {
        "store"
    }
}
