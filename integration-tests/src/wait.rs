//! Waiting for a state, never for a time: ask, again and again, until a deadline.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};

/// How often a state is asked for. Short: asking is cheap, and every wait adds up over a test run.
const INTERVAL: Duration = Duration::from_millis(20);

/// Asks `probe` until it answers `Some`, and gives that up after `deadline`.
///
/// An error of `probe` means "not now"; the last one is told when the deadline passes, so that a probe
/// that can never succeed explains itself.
pub async fn wait_for<T>(
    what: &str,
    deadline: Duration,
    mut probe: impl AsyncFnMut() -> Result<Option<T>>,
) -> Result<T> {
    let began = Instant::now();
    let mut ticks = tokio::time::interval(INTERVAL);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut last = None;
    while began.elapsed() < deadline {
        ticks.tick().await;
        let left = deadline.saturating_sub(began.elapsed());
        match tokio::time::timeout(left, probe()).await {
            Ok(Ok(Some(found))) => return Ok(found),
            Ok(Ok(None)) => last = None,
            Ok(Err(error)) => last = Some(format!("{error:#}")),
            Err(_) => last = Some("the last probe did not answer".to_owned()),
        }
    }
    let why = last.map(|why| format!(": {why}")).unwrap_or_default();
    bail!("waited {deadline:?} in vain for {what}{why}")
}

/// The same for code that runs on no async runtime (a `Drop`, the thread of a machine): true as soon as
/// `probe` is, false when the deadline passes.
pub(crate) fn wait_blocking(deadline: Duration, mut probe: impl FnMut() -> bool) -> bool {
    let began = Instant::now();
    loop {
        if probe() {
            return true;
        }
        if began.elapsed() >= deadline {
            return false;
        }
        std::thread::park_timeout(Duration::from_millis(5));
    }
}
