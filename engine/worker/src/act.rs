//! The verbs of one call, and what their answers come to.
//!
//! INVARIANT: what is known to have taken place is never said to have failed, but for an independent look that did not
//! see it; what may have taken place is unknown. A failure may be tried again as another attempt, and would then be done
//! a second time.

use clawd_model::{DurationMs, ErrorKind, OnAmbiguous, OperationSpec, Outcome, Recovery, StepError};
use clawd_provider::{Applied, Context, ProviderError};
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use crate::attempt::Call;
use crate::patience::Patience;

/// How much longer than its own limit an operation may take before it is given up on.
pub(crate) const GRACE: DurationMs = DurationMs::from_secs(30);
/// The limit of one look at an effect.
const LOOK: DurationMs = DurationMs::from_secs(120);
/// How often, and for how long, an effect is looked at that cannot be seen.
const LOOKS_MAX: u32 = 12;
const LOOKING: DurationMs = DurationMs::from_secs(180);
/// How often, and for how long, an idempotent operation is called again whose outcome is unknown.
const CALLS_MAX: u32 = 6;
const CALLING: DurationMs = DurationMs::from_secs(180);

/// Applies and verifies.
pub(crate) async fn apply(call: &Call) -> Outcome {
    match applied(call).await {
        Ok(applied) => verified(call, applied).await,
        Err(ProviderError::Failed(error)) => Outcome::Failed { error },
        Err(ProviderError::OutcomeUnknown(error)) => ambiguous(call, error).await,
    }
}

/// Calls again, under the same attempt id, what may have taken place already and is idempotent. What such a call fails
/// with says nothing about the ones before it.
pub(crate) async fn repeat(call: &Call, mut patience: Patience) -> Outcome {
    loop {
        let error = match applied(call).await {
            Ok(applied) => return verified(call, applied).await,
            Err(ProviderError::OutcomeUnknown(error)) => error,
            Err(ProviderError::Failed(error)) if may_pass(&error) => error,
            Err(ProviderError::Failed(error)) => return Outcome::Unknown { error },
        };
        tracing::warn!(
            message = call.redactor.text(&error.message),
            "the outcome is unknown; calling again"
        );
        if !patience.next(&call.context.cancel).await {
            return Outcome::Unknown { error };
        }
    }
}

async fn applied(call: &Call) -> Result<Applied, ProviderError> {
    let work = call.operation.apply(&call.context, &call.input);
    let answer = in_time(call, call.context.timeout, work).await;
    answer.unwrap_or_else(|late| Err(ProviderError::OutcomeUnknown(late)))
}

/// Whether the same question may be answered later.
pub(crate) const fn may_pass(error: &StepError) -> bool {
    matches!(error.kind, ErrorKind::Connection | ErrorKind::Timeout)
}

/// Success means that an independent look saw the effect, not that a command exited 0.
pub(crate) async fn verified(call: &Call, applied: Applied) -> Outcome {
    match look(call, &applied).await {
        Seen::There => Outcome::Succeeded {
            output: applied.output,
            changed: applied.changed,
        },
        Seen::NotThere(error) => Outcome::Failed { error },
        Seen::Unseen(error) if !call.operation.spec().is_mutating() => Outcome::Failed { error },
        Seen::Unseen(error) => {
            let message = format!(
                "the operation took place, and its effect could not be looked at: {}",
                error.message
            );
            let error = StepError::new(ErrorKind::Indeterminate, message)
                .with_hint("look at the server, then say what the step came to");
            Outcome::Unknown { error }
        }
    }
}

/// What a look at an effect saw.
enum Seen {
    There,
    NotThere(StepError),
    /// Nobody could look.
    Unseen(StepError),
}

/// Looks at the effect until somebody has seen whether it is there. A run that is cancelled wants to know, too.
async fn look(call: &Call, applied: &Applied) -> Seen {
    let never = CancellationToken::new();
    let context = Context {
        cancel: never.clone(),
        timeout: LOOK,
        ..call.context.clone()
    };
    let mut patience = Patience::new(LOOKS_MAX, LOOKING);
    loop {
        let work = call.operation.verify(&context, &call.input, applied);
        let error = match in_time(call, LOOK, work).await {
            Ok(Ok(())) => return Seen::There,
            Ok(Err(ProviderError::Failed(error))) if error.kind == ErrorKind::NotVerified => {
                return Seen::NotThere(error);
            }
            Ok(Err(ProviderError::Failed(error) | ProviderError::OutcomeUnknown(error))) | Err(error) => {
                error
            }
        };
        tracing::warn!(
            message = call.redactor.text(&error.message),
            "the effect cannot be looked at; looking again"
        );
        if !patience.next(&never).await {
            return Seen::Unseen(error);
        }
    }
}

/// Waits no longer than `limit` and a grace; the error says that it took longer.
pub(crate) async fn in_time<T>(
    call: &Call,
    limit: DurationMs,
    work: impl Future<Output = T>,
) -> Result<T, StepError> {
    let limit = DurationMs(limit.0.saturating_add(GRACE.0));
    let spec = call.operation.spec();
    tokio::time::timeout(limit.to_std(), work)
        .await
        .map_err(|_| timed_out(spec, limit))
}

/// Nobody saw what happened: what the operation declares for that case.
pub(crate) async fn ambiguous(call: &Call, error: StepError) -> Outcome {
    let spec = call.operation.spec();
    if !spec.is_mutating() {
        return Outcome::Failed { error };
    }
    match spec.on_ambiguous {
        OnAmbiguous::RetryIfIdempotent if spec.recovery == Recovery::Idempotent => {
            let mut patience = Patience::new(CALLS_MAX, CALLING);
            if !patience.next(&call.context.cancel).await {
                return Outcome::Unknown { error };
            }
            repeat(call, patience).await
        }
        OnAmbiguous::Verify => {
            let unseen = Applied {
                output: Value::Object(serde_json::Map::new()),
                changed: true,
            };
            match look(call, &unseen).await {
                Seen::There => Outcome::Succeeded {
                    output: unseen.output,
                    changed: true,
                },
                // It may come yet.
                Seen::NotThere(_) | Seen::Unseen(_) => Outcome::Unknown { error },
            }
        }
        OnAmbiguous::RetryIfIdempotent | OnAmbiguous::Compensate | OnAmbiguous::Human => {
            Outcome::Unknown { error }
        }
    }
}

fn timed_out(spec: &OperationSpec, limit: DurationMs) -> StepError {
    StepError::new(
        ErrorKind::Timeout,
        format!("`{}` gave no answer within {limit}", spec.name),
    )
    .with_hint("give the step a longer `timeout`, or look at the server")
}

#[cfg(test)]
mod tests;
