//! Asking again until an expectation holds, and for long enough.

use std::future::Future;

use clawd_model::{DurationMs, ErrorKind, StepError};
use clawd_provider::{Context, Stream};
use tokio::time::{Duration, Instant, sleep_until, timeout_at};

/// How long to ask.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Patience {
    /// The expectation must begin to hold within this time.
    pub(crate) within: DurationMs,
    /// And then hold for this long.
    pub(crate) ok_for: DurationMs,
    /// Between two looks.
    pub(crate) interval: DurationMs,
}

/// Why one look did not see what was expected.
#[derive(Debug)]
pub(crate) enum Unmet {
    /// Another look may.
    Yet(StepError),
    /// No look ever will.
    Ever(StepError),
}

/// Looks until what is expected has held for long enough; returns what the last look saw.
pub(crate) async fn until<T, F, Look>(context: &Context, patience: Patience, look: F) -> Result<T, StepError>
where
    F: Fn() -> Look,
    Look: Future<Output = Result<T, Unmet>>,
{
    let began = Instant::now();
    let begin_by = began + patience.within.to_std();
    let end_by = began + context.timeout.to_std();
    let mut holds_since: Option<Instant> = None;
    let mut last_said = String::new();
    loop {
        let looked_at = Instant::now();
        let seen = tokio::select! {
            () = context.cancel.cancelled() => return Err(cancelled()),
            seen = timeout_at(end_by, look()) => seen,
        };
        let Ok(seen) = seen else {
            return Err(time_up(context, &last_said));
        };
        match seen {
            Ok(seen) => {
                // It counts from when the look ended: before that nobody had seen it hold.
                let since = *holds_since.get_or_insert_with(Instant::now);
                if since.elapsed() >= patience.ok_for.to_std() {
                    return Ok(seen);
                }
                wait(
                    context,
                    next(looked_at, patience.interval).min(since + patience.ok_for.to_std()),
                )
                .await?;
            }
            Err(Unmet::Ever(error)) => return Err(error),
            Err(Unmet::Yet(error)) => {
                holds_since = None;
                if Instant::now() >= begin_by {
                    return Err(error);
                }
                if error.message != last_said {
                    note(context, &error.message);
                    last_said.clone_from(&error.message);
                }
                wait(context, next(looked_at, patience.interval).min(begin_by)).await?;
            }
        }
        if Instant::now() >= end_by {
            return Err(time_up(context, &last_said));
        }
    }
}

/// Prints words of the operation itself.
pub(crate) fn note(context: &Context, line: &str) {
    context.output.write(Stream::Note, format!("{line}\n").as_bytes());
}

fn next(looked_at: Instant, interval: DurationMs) -> Instant {
    // Never without a pause, whatever the settings say: the loop must not spin.
    looked_at + interval.to_std().max(Duration::from_millis(1))
}

async fn wait(context: &Context, moment: Instant) -> Result<(), StepError> {
    tokio::select! {
        () = context.cancel.cancelled() => Err(cancelled()),
        () = sleep_until(moment) => Ok(()),
    }
}

fn cancelled() -> StepError {
    StepError::new(
        ErrorKind::Cancelled,
        "the check was cancelled; it changes nothing",
    )
}

fn time_up(context: &Context, last_said: &str) -> StepError {
    let mut message = format!("the check did not come to a result in {}", context.timeout);
    if !last_said.is_empty() {
        message.push_str("; last: ");
        message.push_str(last_said);
    }
    StepError::new(ErrorKind::Timeout, message)
        .with_hint("raise the step's `timeout`, or lower `within` or `ok_for`")
}

#[cfg(test)]
mod tests;
