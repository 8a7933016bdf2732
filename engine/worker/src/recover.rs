//! Takes up an attempt that has an intent and no outcome, in the way that its operation declares.
//!
//! | mode | what is done |
//! |---|---|
//! | `Idempotent` | call again under the same attempt id |
//! | `Reconcile`, `Reattach` | look the effect up by the attempt id: adopt it, wait for it, or call if it never started |
//! | `AtMostOnce` | never call again: the step is unknown, a person decides |

use std::time::Duration;

use clawd_model::{Digest, ErrorKind, Outcome, Recovery, StepError};
use clawd_provider::{ProviderError, Recovered};
use tracing::Instrument as _;

use crate::attempt::{Attempt, Call, Finished, ambiguous, apply, in_time, verified, with_output};
use crate::env::Env;

/// How often, and with which pause, an unreachable server is asked about an attempt.
const ASKS_MAX: u32 = 60;
const PAUSE: Duration = Duration::from_secs(5);

/// Takes an attempt up again. `digest` is that of the input that it was started with.
pub(crate) async fn run(env: &Env, attempt: &Attempt, digest: Digest) -> Finished {
    let span =
        tracing::info_span!("recover", step = %attempt.label, number = attempt.number, id = %attempt.id);
    if Digest::of_value(&attempt.input) != digest {
        let error = StepError::new(
            ErrorKind::Indeterminate,
            "the step's input is not the one that it was started with",
        )
        .with_hint("look at the server, then say what the step came to");
        return Finished::unsure(env, attempt, error);
    }
    with_output(env, attempt, take_up).instrument(span).await
}

async fn take_up(call: &Call) -> Outcome {
    let spec = call.operation.spec();
    match spec.recovery {
        // What only looks may look again.
        _ if !spec.is_mutating() => apply(call).await,
        Recovery::Idempotent => apply(call).await,
        Recovery::Reconcile | Recovery::Reattach => look_up(call).await,
        Recovery::AtMostOnce => {
            let error = StepError::new(
                ErrorKind::Indeterminate,
                "the engine stopped while the operation was under way",
            );
            Outcome::Unknown { error }
        }
    }
}

async fn look_up(call: &Call) -> Outcome {
    let mut asked = 0;
    loop {
        let recovered = in_time(call, call.operation.recover(&call.context, &call.input)).await;
        match recovered {
            Ok(Ok(Recovered::Done(Ok(applied)))) => return verified(call, applied).await,
            Ok(Ok(Recovered::Done(Err(error)))) => return Outcome::Failed { error },
            Ok(Ok(Recovered::NotStarted)) => return apply(call).await,
            Ok(Ok(Recovered::Indeterminate(error)) | Err(ProviderError::OutcomeUnknown(error)))
            | Err(error) => {
                return ambiguous(call, error).await;
            }
            Ok(Err(ProviderError::Failed(error))) => {
                asked += 1;
                let may_pass = matches!(error.kind, ErrorKind::Connection | ErrorKind::Timeout);
                if !may_pass || asked >= ASKS_MAX || call.context.cancel.is_cancelled() {
                    return ambiguous(call, error).await;
                }
                let message = call.redactor.text(&error.message);
                tracing::warn!(%message, asked, "the server cannot be asked about the attempt; asking again");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}
