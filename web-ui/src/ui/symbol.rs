//! Status by colour and by shape: each state has a symbol whose silhouette tells it apart without colour, a tone
//! that colours it, and a word. Nothing in the console shows a status in any other way.

use askama::Template;
use askama::filters::HtmlSafe;
use clawd_model::{ApprovalStatus, DecisionKind, RunStatus, StepStatus, Verdict};

/// The family of colours of a symbol: what its state means for the reader.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Tone {
    /// Nothing to look at.
    Quiet,
    /// Well done.
    Good,
    /// Something happens.
    Busy,
    /// Somebody or some time is waited for.
    Wait,
    /// It went wrong.
    Bad,
    /// The gate or a person said no.
    Refused,
    /// Nobody knows.
    Odd,
}

impl Tone {
    /// All of them.
    #[cfg(test)]
    pub(crate) const ALL: [Self; 7] = [
        Self::Quiet,
        Self::Good,
        Self::Busy,
        Self::Wait,
        Self::Bad,
        Self::Refused,
        Self::Odd,
    ];

    /// The class in the style sheet.
    pub(crate) const fn class(self) -> &'static str {
        match self {
            Self::Quiet => "tone-quiet",
            Self::Good => "tone-good",
            Self::Busy => "tone-busy",
            Self::Wait => "tone-wait",
            Self::Bad => "tone-bad",
            Self::Refused => "tone-refused",
            Self::Odd => "tone-odd",
        }
    }
}

/// A shape of the sprite.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Symbol {
    /// A small hollow circle.
    Pending,
    /// An eye.
    Checking,
    /// A hexagon with a raised hand's bars: people are waited for.
    Votes,
    /// An hourglass.
    Retry,
    /// A ring with a turning arc.
    Running,
    /// A filled diamond.
    Changed,
    /// A ring with a tick.
    Ok,
    /// Two arrows that jump over.
    Skipped,
    /// A filled square with a cross.
    Failed,
    /// A filled octagon with a bar.
    Denied,
    /// A triangle with a question mark.
    Unknown,
    /// A ring with a slash.
    Cancelled,
    /// A torn page: what was approved no longer holds.
    Void,
    /// A dash.
    Closed,
    /// An arrow up in a filled circle: something newer exists.
    Update,
    /// An arrow that goes round: it wants to be restarted.
    Reboot,
}

impl Symbol {
    /// All of them.
    #[cfg(test)]
    pub(crate) const ALL: [Self; 16] = [
        Self::Pending,
        Self::Checking,
        Self::Votes,
        Self::Retry,
        Self::Running,
        Self::Changed,
        Self::Ok,
        Self::Skipped,
        Self::Failed,
        Self::Denied,
        Self::Unknown,
        Self::Cancelled,
        Self::Void,
        Self::Closed,
        Self::Update,
        Self::Reboot,
    ];

    /// Its id in the sprite (`templates/layout/sprite.html`).
    pub(crate) const fn id(self) -> &'static str {
        match self {
            Self::Pending => "s-pending",
            Self::Checking => "s-checking",
            Self::Votes => "s-votes",
            Self::Retry => "s-retry",
            Self::Running => "s-running",
            Self::Changed => "s-changed",
            Self::Ok => "s-ok",
            Self::Skipped => "s-skipped",
            Self::Failed => "s-failed",
            Self::Denied => "s-denied",
            Self::Unknown => "s-unknown",
            Self::Cancelled => "s-cancelled",
            Self::Void => "s-void",
            Self::Closed => "s-closed",
            Self::Update => "s-update",
            Self::Reboot => "s-reboot",
        }
    }

    /// Its colour.
    pub(crate) const fn tone(self) -> Tone {
        match self {
            Self::Pending | Self::Skipped | Self::Cancelled | Self::Closed => Tone::Quiet,
            Self::Checking | Self::Running => Tone::Busy,
            Self::Votes | Self::Retry | Self::Update | Self::Reboot => Tone::Wait,
            Self::Changed | Self::Ok => Tone::Good,
            Self::Failed => Tone::Bad,
            Self::Denied => Tone::Refused,
            Self::Unknown | Self::Void => Tone::Odd,
        }
    }

    /// The drawing alone, for places where the word stands beside it.
    pub(crate) const fn drawn(self) -> Drawn {
        Drawn { symbol: self }
    }
}

/// A symbol without words, hidden from screen readers: the word must stand beside it.
#[derive(Clone, Copy, Debug, Template)]
#[template(
    ext = "html",
    source = r##"<svg class="sym {{ symbol.tone().class() }}" viewBox="0 0 16 16" width="16" height="16" aria-hidden="true" focusable="false"><use href="#{{ symbol.id() }}"></use></svg>"##
)]
pub(crate) struct Drawn {
    symbol: Symbol,
}

impl HtmlSafe for Drawn {}

/// A symbol with its word.
#[derive(Clone, Debug, Template)]
#[template(
    ext = "html",
    source = r#"<span class="badge {{ symbol.tone().class() }}">{{ symbol.drawn() }}<span class="word">{{ word }}</span></span>"#
)]
pub(crate) struct Badge {
    symbol: Symbol,
    word: String,
}

impl HtmlSafe for Badge {}

impl Badge {
    /// A symbol with a word of the caller's.
    pub(crate) fn new(symbol: Symbol, word: impl Into<String>) -> Self {
        Self {
            symbol,
            word: word.into(),
        }
    }
}

/// A state that people see.
pub(crate) trait Status {
    /// Its shape and colour.
    fn symbol(&self) -> Symbol;
    /// Its word.
    fn word(&self) -> &'static str;
    /// Both.
    fn badge(&self) -> Badge {
        Badge::new(self.symbol(), self.word())
    }
}

impl Status for StepStatus {
    fn symbol(&self) -> Symbol {
        match self {
            Self::Pending => Symbol::Pending,
            Self::Checking => Symbol::Checking,
            Self::WaitingForVotes => Symbol::Votes,
            Self::WaitingForRetry => Symbol::Retry,
            Self::Running => Symbol::Running,
            Self::Changed => Symbol::Changed,
            Self::Succeeded => Symbol::Ok,
            Self::Skipped => Symbol::Skipped,
            Self::Failed => Symbol::Failed,
            Self::Denied => Symbol::Denied,
            Self::Unknown => Symbol::Unknown,
            Self::Cancelled => Symbol::Cancelled,
        }
    }

    fn word(&self) -> &'static str {
        self.as_str()
    }
}

impl Status for RunStatus {
    fn symbol(&self) -> Symbol {
        match self {
            Self::Queued => Symbol::Pending,
            Self::Running => Symbol::Running,
            Self::Waiting => Symbol::Votes,
            Self::Cancelling => Symbol::Retry,
            Self::Succeeded => Symbol::Ok,
            Self::Failed => Symbol::Failed,
            Self::Denied => Symbol::Denied,
            Self::Cancelled => Symbol::Cancelled,
        }
    }

    fn word(&self) -> &'static str {
        self.as_str()
    }
}

impl Status for ApprovalStatus {
    fn symbol(&self) -> Symbol {
        match self {
            Self::Open => Symbol::Votes,
            Self::Granted => Symbol::Ok,
            Self::Rejected => Symbol::Denied,
            Self::Void => Symbol::Void,
            Self::Closed => Symbol::Closed,
        }
    }

    fn word(&self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Granted => "granted",
            Self::Rejected => "rejected",
            Self::Void => "void",
            Self::Closed => "closed",
        }
    }
}

impl Status for DecisionKind {
    fn symbol(&self) -> Symbol {
        match self {
            Self::Allow => Symbol::Ok,
            Self::Deny => Symbol::Denied,
            Self::NeedsApproval { .. } => Symbol::Votes,
        }
    }

    fn word(&self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Deny => "deny",
            Self::NeedsApproval { .. } => "needs approval",
        }
    }
}

impl Status for Verdict {
    fn symbol(&self) -> Symbol {
        match self {
            Self::Approve => Symbol::Ok,
            Self::Reject => Symbol::Denied,
        }
    }

    fn word(&self) -> &'static str {
        match self {
            Self::Approve => "approve",
            Self::Reject => "reject",
        }
    }
}

#[cfg(test)]
mod tests;
