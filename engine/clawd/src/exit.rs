//! Exit codes, as documented in `docs/reference/exit-codes.md`, and how errors are told.

use std::fmt;

/// Why the process ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Exit {
    Ok = 0,
    /// Usage, or something of ours broke.
    Usage = 1,
    /// Changes are pending; `plan` and `check` only.
    Changes = 2,
    /// A run failed.
    Failed = 3,
    /// The server could not be reached.
    Unreachable = 4,
    /// Denied by policy.
    Denied = 5,
    /// Waits for approval.
    AwaitingApproval = 6,
    /// Locked, or outside of its window.
    Locked = 8,
    /// Interrupted.
    Interrupted = 130,
}

/// An error for a person: what, why, and what to do.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) exit: Exit,
    pub(crate) message: String,
    pub(crate) hint: Option<String>,
}

impl Failure {
    pub(crate) fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self {
            exit,
            message: message.into(),
            hint: None,
        }
    }

    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::new(Exit::Usage, message)
    }

    pub(crate) fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "error: {}", self.message)?;
        if let Some(hint) = &self.hint {
            write!(f, "\nhint: {hint}")?;
        }
        Ok(())
    }
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        // The whole chain in one line: an error of ours does not repeat its source in its own message.
        let chain: Vec<String> = error.chain().map(ToString::to_string).collect();
        Self::usage(chain.join(": "))
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self::from(anyhow::Error::from(error))
    }
}

/// What a command gives back.
pub(crate) type Outcome = Result<Exit, Failure>;
