//! How often, and for how long, something is tried again whose answer may come later.

use std::time::Duration;

use clawd_model::DurationMs;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// The pause before the second try; it doubles with each further one.
const PAUSE: Duration = Duration::from_secs(1);
/// The longest pause.
const PAUSE_MAX: Duration = Duration::from_secs(10);

/// How often, and for how long, something is tried again.
pub(crate) struct Patience {
    left: u32,
    until: Instant,
    pause: Duration,
}

impl Patience {
    /// So many tries, the last of which begins within `limit`.
    pub(crate) fn new(tries: u32, limit: DurationMs) -> Self {
        Self {
            left: tries.saturating_sub(1),
            until: Instant::now() + limit.to_std(),
            pause: PAUSE,
        }
    }

    /// Waits before the next try; false when there is none any more.
    pub(crate) async fn next(&mut self, cancel: &CancellationToken) -> bool {
        let at = Instant::now() + self.pause;
        if self.left == 0 || at > self.until {
            return false;
        }
        self.left -= 1;
        self.pause = (self.pause * 2).min(PAUSE_MAX);
        tokio::select! {
            biased;
            () = cancel.cancelled() => false,
            () = tokio::time::sleep_until(at) => true,
        }
    }
}
