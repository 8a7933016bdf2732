//! Status by colour and by shape, so that it reads without colours too.

use std::io::IsTerminal as _;

use clawd_model::{RunStatus, StepStatus};

/// Whether standard output takes colours.
pub(crate) fn colours() -> bool {
    std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none()
}

/// Paints a text when colours are wanted.
pub(crate) fn paint(text: &str, code: &str) -> String {
    if colours() {
        format!("\x1b[{code}m{text}\x1b[0m")
    } else {
        text.to_owned()
    }
}

const GREEN: &str = "32";
const RED: &str = "31";
const YELLOW: &str = "33";
const BLUE: &str = "34";
const DIM: &str = "2";

/// The shape and the colour of a step's status.
pub(crate) fn step(status: StepStatus) -> (&'static str, &'static str) {
    match status {
        StepStatus::Pending => ("·", DIM),
        StepStatus::Checking => ("◌", BLUE),
        StepStatus::WaitingForVotes => ("◆", YELLOW),
        StepStatus::WaitingForRetry => ("↻", YELLOW),
        StepStatus::Running => ("▶", BLUE),
        StepStatus::Changed => ("✔", GREEN),
        StepStatus::Succeeded => ("✓", GREEN),
        StepStatus::Skipped => ("–", DIM),
        StepStatus::Failed => ("✖", RED),
        StepStatus::Denied => ("⊘", RED),
        StepStatus::Unknown => ("?", YELLOW),
        StepStatus::Cancelled => ("■", DIM),
    }
}

/// A step's status, painted.
pub(crate) fn painted_step(status: StepStatus) -> String {
    let (shape, colour) = step(status);
    paint(&format!("{shape} {}", status.as_str()), colour)
}

/// A run's status, painted.
pub(crate) fn painted_run(status: RunStatus) -> String {
    let (shape, colour) = match status {
        RunStatus::Queued => ("…", DIM),
        RunStatus::Running => ("▶", BLUE),
        RunStatus::Waiting => ("◆", YELLOW),
        RunStatus::Cancelling => ("■", YELLOW),
        RunStatus::Succeeded => ("✔", GREEN),
        RunStatus::Failed => ("✖", RED),
        RunStatus::Denied => ("⊘", RED),
        RunStatus::Cancelled => ("■", DIM),
    };
    paint(&format!("{shape} {}", status.as_str()), colour)
}
