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

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn it_asks_until_the_state_is_there() {
        let mut asked = 0;
        let found = wait_for("the third answer", Duration::from_secs(20), async || {
            asked += 1;
            if asked == 1 {
                bail!("too early")
            } else {
                Ok((asked == 3).then_some("there"))
            }
        });
        assert_eq!(found.await.unwrap(), "there");
    }

    #[tokio::test]
    async fn a_wait_in_vain_tells_what_for_and_why() {
        let deadline = Duration::from_millis(60);
        let error = wait_for::<()>("rain", deadline, async || bail!("the sky is blue"))
            .await
            .unwrap_err();
        assert_eq!(error.to_string(), "waited 60ms in vain for rain: the sky is blue");
        let error = wait_for::<()>("an answer", deadline, std::future::pending)
            .await
            .unwrap_err();
        assert!(
            error
                .to_string()
                .ends_with("an answer: the last probe did not answer"),
            "{error}"
        );
    }
}
