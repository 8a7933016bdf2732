//! One attempt: the operation is called, its effect is verified, its outcome is told.
//!
//! This is called only when the intent is durable, and only with a [`Passed`].

use std::sync::Arc;

use clawd_model::{
    AttemptId, DurationMs, ErrorKind, OnAmbiguous, OperationName, OperationSpec, Outcome, RunId, Server,
    StepError, StepRef, TenantName,
};
use clawd_provider::{Applied, Context, Operation, OutputSink, ProviderError};
use serde_json::Value;
use tokio_util::sync::CancellationToken;
use tracing::Instrument as _;

use crate::env::Env;
use crate::gate::Passed;
use crate::output::{AttemptOutput, Target};
use crate::secrets::{Redactor, resolve};

/// How much longer than its own limit an operation may take before it is given up on.
const GRACE: DurationMs = DurationMs::from_secs(30);

/// One try of one step.
pub(crate) struct Attempt {
    pub(crate) passed: Passed,
    pub(crate) tenant: TenantName,
    pub(crate) run: RunId,
    pub(crate) number: u32,
    pub(crate) id: AttemptId,
    pub(crate) uses: OperationName,
    pub(crate) input: Arc<Value>,
    /// The server of the lane, as it is known now; `Err` when it is gone.
    pub(crate) server: Result<Option<Arc<Server>>, StepError>,
    pub(crate) timeout: Option<DurationMs>,
    pub(crate) epoch: u64,
    pub(crate) cancel: CancellationToken,
    pub(crate) label: String,
}

impl Attempt {
    pub(crate) fn step(&self) -> StepRef {
        self.passed.step()
    }
}

/// What an attempt came to, and what the audit record says of its output.
pub(crate) struct Finished {
    pub(crate) outcome: Outcome,
    pub(crate) output: Option<Value>,
}

/// An operation with all that a call needs.
pub(crate) struct Call {
    pub(crate) operation: Arc<dyn Operation>,
    pub(crate) context: Context,
    pub(crate) input: Value,
    pub(crate) redactor: Redactor,
}

/// Carries an attempt out.
pub(crate) async fn run(env: &Env, attempt: &Attempt) -> Finished {
    let span =
        tracing::info_span!("attempt", step = %attempt.label, number = attempt.number, id = %attempt.id);
    with_output(env, attempt, apply).instrument(span).await
}

/// Prepares a call and its output, and lets `act` make an outcome of it.
pub(crate) async fn with_output(
    env: &Env,
    attempt: &Attempt,
    act: impl AsyncFnOnce(&Call) -> Outcome,
) -> Finished {
    let _slot = env.slots.acquire().await;
    let mut used = Vec::new();
    let input = match resolve(&attempt.input, &attempt.tenant, &*env.deps.secrets, &mut used) {
        Ok(input) => input,
        Err(name) => {
            let error = StepError::new(ErrorKind::InvalidInput, format!("there is no secret `{name}`"))
                .with_hint("put its value into the folder `secrets` of the data directory");
            return Finished {
                outcome: Outcome::Failed { error },
                output: None,
            };
        }
    };
    let redactor = Redactor::new(used);
    let target = Target {
        store: env.deps.store.clone(),
        tenant: attempt.tenant.clone(),
        run: attempt.run,
        attempt: attempt.id,
        clock: Arc::clone(&env.deps.clock),
    };
    let output = Arc::new(AttemptOutput::new(target, redactor.clone()));
    let outcome = match call(
        env,
        attempt,
        input,
        redactor.clone(),
        Arc::clone(&output) as Arc<dyn OutputSink>,
    ) {
        Ok(call) => struck(act(&call).await, &redactor),
        Err(error) => Outcome::Failed { error },
    };
    Finished {
        outcome,
        output: output.finish().await,
    }
}

fn call(
    env: &Env,
    attempt: &Attempt,
    input: Value,
    redactor: Redactor,
    output: Arc<dyn OutputSink>,
) -> Result<Call, StepError> {
    let server = attempt.server.clone()?;
    let operation = env
        .deps
        .registry
        .resolve(&attempt.uses, server.as_deref())
        .ok_or_else(|| unserved(attempt, server.as_deref()))?;
    let timeout = attempt.timeout.unwrap_or(operation.spec().timeout_ms);
    let context = Context {
        tenant: attempt.tenant.clone(),
        server,
        attempt: Some(attempt.id),
        epoch: attempt.epoch,
        timeout,
        clock: Arc::clone(&env.deps.clock),
        output,
        cancel: attempt.cancel.clone(),
    };
    Ok(Call {
        operation,
        context,
        input,
        redactor,
    })
}

fn unserved(attempt: &Attempt, server: Option<&Server>) -> StepError {
    let place = server.map_or_else(
        || "the controller".to_owned(),
        |server| {
            format!(
                "`{}`, which is reached by `{}`",
                server.name,
                server.provider.as_str()
            )
        },
    );
    StepError::new(
        ErrorKind::InvalidInput,
        format!("`{}` cannot be carried out on {place}", attempt.uses),
    )
    .with_hint("choose other targets, or another operation; `local` servers are read-only")
}

/// Applies and verifies.
pub(crate) async fn apply(call: &Call) -> Outcome {
    let spec = call.operation.spec();
    let limit = DurationMs(call.context.timeout.0.saturating_add(GRACE.0));
    let applied =
        tokio::time::timeout(limit.to_std(), call.operation.apply(&call.context, &call.input)).await;
    match applied {
        Err(_) => ambiguous(call, timed_out(spec, limit)).await,
        Ok(Err(ProviderError::Failed(error))) => Outcome::Failed { error },
        Ok(Err(ProviderError::OutcomeUnknown(error))) => ambiguous(call, error).await,
        Ok(Ok(applied)) => verified(call, applied).await,
    }
}

/// Success means that an independent look saw the effect, not that a command exited 0.
pub(crate) async fn verified(call: &Call, applied: Applied) -> Outcome {
    match call.operation.verify(&call.context, &call.input, &applied).await {
        Ok(()) => Outcome::Succeeded {
            output: applied.output,
            changed: applied.changed,
        },
        Err(ProviderError::Failed(error)) => Outcome::Failed { error },
        Err(ProviderError::OutcomeUnknown(error)) => ambiguous(call, error).await,
    }
}

/// Nobody saw what happened: what the operation declares for that case.
pub(crate) async fn ambiguous(call: &Call, error: StepError) -> Outcome {
    let spec = call.operation.spec();
    if !spec.is_mutating() {
        return Outcome::Failed { error };
    }
    match spec.on_ambiguous {
        OnAmbiguous::RetryIfIdempotent => Outcome::Failed { error },
        OnAmbiguous::Verify => {
            let unseen = Applied {
                output: Value::Object(serde_json::Map::new()),
                changed: true,
            };
            match call.operation.verify(&call.context, &call.input, &unseen).await {
                Ok(()) => Outcome::Succeeded {
                    output: unseen.output,
                    changed: true,
                },
                Err(_) => Outcome::Unknown { error },
            }
        }
        OnAmbiguous::Compensate | OnAmbiguous::Human => Outcome::Unknown { error },
    }
}

fn timed_out(spec: &OperationSpec, limit: DurationMs) -> StepError {
    StepError::new(
        ErrorKind::Timeout,
        format!("`{}` gave no answer within {limit}", spec.name),
    )
    .with_hint("give the step a longer `timeout`, or look at the server")
}

fn struck(outcome: Outcome, redactor: &Redactor) -> Outcome {
    if redactor.is_empty() {
        return outcome;
    }
    let strike = |error: StepError| StepError {
        kind: error.kind,
        message: redactor.text(&error.message),
        hint: error.hint.map(|hint| redactor.text(&hint)),
    };
    match outcome {
        Outcome::Succeeded { output, changed } => Outcome::Succeeded {
            output: redactor.value(output),
            changed,
        },
        Outcome::Failed { error } => Outcome::Failed { error: strike(error) },
        Outcome::Unknown { error } => Outcome::Unknown { error: strike(error) },
    }
}
