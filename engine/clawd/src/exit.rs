//! Exit codes, as documented in `docs/reference/exit-codes.md`, and how errors are told.

use std::fmt;

use clawd_model::{ErrorKind, StepError};

use crate::render::printable;

/// Why the process ends. The design keeps 7 for a run that was rolled back; no run is, so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Exit {
    Ok = 0,
    /// Usage, or something of ours broke.
    Usage = 1,
    /// Changes are pending, and the plan can be started as it is shown; `plan` only.
    Changes = 2,
    /// A run failed or was cancelled; a plan's steps could not be predicted.
    Failed = 3,
    /// The server, or every failed host, could not be reached.
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

impl Exit {
    /// All of them, by their number.
    const ALL: [Self; 9] = [
        Self::Ok,
        Self::Usage,
        Self::Changes,
        Self::Failed,
        Self::Unreachable,
        Self::Denied,
        Self::AwaitingApproval,
        Self::Locked,
        Self::Interrupted,
    ];

    fn meaning(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Usage => "usage or internal",
            Self::Changes => "changes pending",
            Self::Failed => "failed or cancelled",
            Self::Unreachable => "unreachable",
            Self::Denied => "denied",
            Self::AwaitingApproval => "awaiting approval",
            Self::Locked => "locked",
            Self::Interrupted => "interrupted",
        }
    }

    /// How errors of steps are told: that no host of them could be reached is another matter than what went wrong on
    /// one. Nothing without errors.
    pub(crate) fn of_errors<'a>(errors: impl IntoIterator<Item = &'a StepError>) -> Option<Self> {
        let mut errors = errors.into_iter().peekable();
        errors.peek()?;
        let unreachable =
            errors.all(|error| matches!(error.kind, ErrorKind::Connection | ErrorKind::HostKey));
        Some(if unreachable {
            Self::Unreachable
        } else {
            Self::Failed
        })
    }

    /// All of them in one sentence, for the help text.
    pub(crate) fn sentence() -> String {
        let codes = Self::ALL.map(|exit| format!("{} {}", exit as u8, exit.meaning()));
        format!("Exit codes: {}.", codes.join(", "))
    }
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

/// What went wrong may quote a server, a host or a stranger: it is made printable here, once for all errors.
impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "error: {}", printable(&self.message))?;
        if let Some(hint) = &self.hint {
            write!(f, "\nhint: {}", printable(hint))?;
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::render::out::CLOSED_PIPE;

    #[test]
    fn the_documentation_lists_these_codes_and_no_others() {
        let page = include_str!("../../../docs/reference/exit-codes.md");
        let rows = page.lines().filter_map(|line| line.strip_prefix("| "));
        let documented: BTreeSet<i32> = rows
            .filter_map(|row| row.split_once(' ')?.0.parse().ok())
            .collect();
        let reserved = [7, CLOSED_PIPE];
        let ours: BTreeSet<i32> = Exit::ALL
            .map(|exit| exit as i32)
            .into_iter()
            .chain(reserved)
            .collect();
        assert_eq!(documented, ours);
        assert!(page.contains("| 7 | reserved"), "nothing ends with 7 yet");
    }

    #[test]
    fn what_strangers_say_in_an_error_cannot_drive_the_terminal() {
        let failure = Failure::usage("no\u{1b}[2Jthing").with_hint("look\u{9b}31m again");
        assert_eq!(
            failure.to_string(),
            "error: no\u{fffd}[2Jthing\nhint: look\u{fffd}31m again"
        );
    }
}
