//! Takes up an attempt that has an intent and no outcome, in the way that its operation declares.
//!
//! | mode | what is done |
//! |---|---|
//! | `Idempotent` | call again under the same attempt id |
//! | `Reconcile`, `Reattach` | look the effect up by the attempt id: adopt it, wait for it, or call if it never started |
//! | `AtMostOnce` | never call again: the step is unknown, a person decides |
//!
//! The time that an attempt has is counted from its intent, however often it is taken up; beyond that, only a server
//! that cannot be asked is waited for.

use clawd_model::{Digest, DurationMs, ErrorKind, Outcome, Recovery, StepError};
use clawd_provider::{Context, ProviderError, Recovered};
use tokio::time::Instant;
use tracing::Instrument as _;

use crate::act::{GRACE, ambiguous, apply, in_time, may_pass, repeat, verified};
use crate::attempt::{Attempt, Call, Finished, Recovers, with_output};
use crate::env::Env;
use crate::patience::Patience;

/// How often an unreachable server is asked about an attempt, and for how long beyond the attempt's own time.
const ASKS_MAX: u32 = 60;
const ASKING: DurationMs = DurationMs::from_secs(300);
/// The least time that a question is given: to collect what ended long ago takes a moment, too.
const ASK_MIN: DurationMs = DurationMs::from_secs(30);

/// Takes an attempt up again.
pub(crate) async fn run(env: &Env, attempt: &Attempt, from: Recovers) -> Finished {
    let span =
        tracing::info_span!("recover", step = %attempt.label, number = attempt.number, id = %attempt.id);
    if Digest::of_value(&attempt.input) != from.input {
        let error = StepError::new(
            ErrorKind::Indeterminate,
            "the step's input is not the one that it was started with",
        )
        .with_hint("look at the server, then say what the step came to");
        return Finished::unsure(env, attempt, error);
    }
    let work = with_output(env, attempt, async |call: &Call| take_up(call, from).await);
    work.instrument(span).await
}

pub(crate) async fn take_up(call: &Call, from: Recovers) -> Outcome {
    let spec = call.operation.spec();
    let due = from.since.plus(call.context.timeout);
    let left = due.since(call.context.clock.now());
    let patience = Patience::new(ASKS_MAX, DurationMs(left.0.saturating_add(ASKING.0)));
    match spec.recovery {
        // What only looks may look again.
        _ if !spec.is_mutating() => apply(call).await,
        Recovery::Idempotent => repeat(call, patience).await,
        Recovery::Reconcile | Recovery::Reattach => {
            look_up(call, Instant::now() + left.to_std(), patience).await
        }
        Recovery::AtMostOnce => {
            let error = StepError::new(
                ErrorKind::Indeterminate,
                "the engine stopped while the operation was under way",
            );
            Outcome::Unknown { error }
        }
    }
}

async fn look_up(call: &Call, due: Instant, mut patience: Patience) -> Outcome {
    loop {
        match ask(call, due).await {
            Ok(Recovered::Done(Ok(applied))) => return verified(call, applied).await,
            Ok(Recovered::Done(Err(error))) => return Outcome::Failed { error },
            // Proven: this is its first call, and has all of its time.
            Ok(Recovered::NotStarted) => return apply(call).await,
            Ok(Recovered::Indeterminate(error)) | Err(ProviderError::OutcomeUnknown(error)) => {
                return ambiguous(call, error).await;
            }
            Err(ProviderError::Failed(error)) => {
                // It still runs, and its time is up.
                let is_late = error.kind == ErrorKind::Timeout && Instant::now() >= due;
                if is_late || !may_pass(&error) {
                    return ambiguous(call, error).await;
                }
                let message = call.redactor.text(&error.message);
                tracing::warn!(%message, "the server cannot be asked about the attempt; asking again");
                if !patience.next(&call.context.cancel).await {
                    return ambiguous(call, error).await;
                }
            }
        }
    }
}

/// Asks once, for the time that the attempt has left. A cancelled run waits a moment for what the operation makes of
/// that, and no longer.
async fn ask(call: &Call, due: Instant) -> Result<Recovered, ProviderError> {
    let left = due.saturating_duration_since(Instant::now());
    let left = DurationMs(u64::try_from(left.as_millis()).unwrap_or(u64::MAX)).max(ASK_MIN);
    let context = Context {
        timeout: left,
        ..call.context.clone()
    };
    let answer = in_time(call, left, call.operation.recover(&context, &call.input));
    let given_up = async {
        call.context.cancel.cancelled().await;
        tokio::time::sleep(GRACE.to_std()).await;
    };
    tokio::select! {
        biased;
        answer = answer => answer.unwrap_or_else(|late| Err(ProviderError::OutcomeUnknown(late))),
        () = given_up => Err(ProviderError::OutcomeUnknown(
            StepError::new(ErrorKind::Indeterminate, "the run was cancelled before anybody knew what the attempt came to")
                .with_hint("look at the server, then say what the step came to"),
        )),
    }
}

#[cfg(test)]
mod tests;
