//! What an attempt came to, and what an operation would change.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::Digest;

/// The class of a failure: what retries are selected by, and what exit codes come from.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum ErrorKind {
    /// The host or service could not be reached, or went away.
    Connection,
    /// The host key is not the pinned one. Never retried.
    HostKey,
    /// We may not sign in, or not become root.
    Permission,
    /// Another package manager holds the lock.
    DpkgLock,
    /// The disk of the host is full.
    DiskFull,
    /// The operation's time was up.
    Timeout,
    /// The operation took place, and says that it failed.
    Failed,
    /// An independent look did not see the effect.
    NotVerified,
    /// The input does not fit the operation or the host.
    InvalidInput,
    /// The approved plan no longer fits the host.
    Drift,
    /// Nobody can know whether the effect took place.
    Indeterminate,
    /// Somebody cancelled the run.
    Cancelled,
    /// The gate said no.
    Denied,
    /// Something of ours broke.
    Internal,
}

impl ErrorKind {
    /// The word that runbooks use in `retry: {errors: […]}`.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Connection => "connection",
            Self::HostKey => "host-key",
            Self::Permission => "permission",
            Self::DpkgLock => "dpkg-lock",
            Self::DiskFull => "disk-full",
            Self::Timeout => "timeout",
            Self::Failed => "failed",
            Self::NotVerified => "not-verified",
            Self::InvalidInput => "invalid-input",
            Self::Drift => "drift",
            Self::Indeterminate => "indeterminate",
            Self::Cancelled => "cancelled",
            Self::Denied => "denied",
            Self::Internal => "internal",
        }
    }

    /// All words that a runbook may name.
    pub const ALL: [&'static str; 14] = [
        "connection",
        "host-key",
        "permission",
        "dpkg-lock",
        "disk-full",
        "timeout",
        "failed",
        "not-verified",
        "invalid-input",
        "drift",
        "indeterminate",
        "cancelled",
        "denied",
        "internal",
    ];
}

/// Why a step failed: what, where, and a hint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct StepError {
    /// The class of the failure.
    pub kind: ErrorKind,
    /// What happened, in one line, with where.
    pub message: String,
    /// What the reader can do about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

impl StepError {
    /// An error without a hint.
    #[must_use]
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            hint: None,
        }
    }

    /// The same error with a hint.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

/// What an attempt came to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case", tag = "is")]
pub enum Outcome {
    /// The effect took place and was verified.
    Succeeded {
        /// The operation's output, an object.
        output: Value,
        /// Whether anything was changed; false when all was already as wanted.
        changed: bool,
    },
    /// It failed; whatever it left behind is described by the error.
    Failed {
        /// Why.
        error: StepError,
    },
    /// Nobody can know. The step becomes unknown until somebody decides.
    Unknown {
        /// What is known about it.
        error: StepError,
    },
}

/// What an operation would change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Change {
    /// False when all is already as wanted: applying does nothing.
    pub needed: bool,
    /// One line for people: `3 packages upgraded`.
    pub summary: String,
    /// A unified diff, or lines beginning with + - ~, for people. May be empty.
    #[serde(default)]
    pub diff: String,
    /// What the prediction stands on (present and target state). Its digest is the change's fingerprint: when
    /// it differs at the time of applying, the world has drifted from the plan.
    pub basis: Value,
}

impl Change {
    /// The fingerprint that an approval binds to.
    #[must_use]
    pub fn fingerprint(&self) -> Digest {
        Digest::of_value(&serde_json::json!({"needed": self.needed, "basis": self.basis}))
    }
}
