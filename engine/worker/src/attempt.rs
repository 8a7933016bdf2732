//! One attempt: the operation is called, its effect is verified, its outcome is told.
//!
//! This is called only when the intent is durable, and only with a [`Passed`].

use std::sync::Arc;

use clawd_model::{
    AttemptId, Digest, DurationMs, ErrorKind, OnAmbiguous, OperationName, OperationSpec, Outcome, RunId,
    Server, StepError, StepRef, TenantName,
};
use clawd_provider::{Applied, Context, Operation, OutputSink, ProviderError};
use serde_json::Value;
use tokio_util::sync::CancellationToken;
use tracing::Instrument as _;

use crate::env::Env;
use crate::gate::Passed;
use crate::limits;
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
    /// The server of the lane: as the gate saw it, or for an attempt that is taken up again as it is known now; `Err`
    /// when it is gone.
    pub(crate) server: Result<Option<Arc<Server>>, StepError>,
    pub(crate) timeout: Option<DurationMs>,
    pub(crate) epoch: u64,
    pub(crate) cancel: CancellationToken,
    pub(crate) label: String,
    /// For an attempt that is taken up again: the digest of the input that it was started with.
    pub(crate) recovers: Option<Digest>,
}

impl Attempt {
    pub(crate) fn step(&self) -> StepRef {
        self.passed.step()
    }
}

/// What an attempt came to, and what the audit record says of its output.
#[derive(Clone)]
pub(crate) struct Finished {
    pub(crate) outcome: Outcome,
    pub(crate) output: Option<Value>,
    /// About how much the outcome takes in the journal.
    pub(crate) bytes: usize,
}

impl Finished {
    fn new(outcome: Outcome, output: Option<Value>) -> Self {
        let (outcome, bytes) = limits::bounded(outcome);
        Self {
            outcome,
            output,
            bytes,
        }
    }

    /// The operation was not called. For a first call that proves that nothing happened; of one that is taken up
    /// again nobody knows.
    fn not_called(env: &Env, attempt: &Attempt, error: StepError) -> Self {
        if attempt.recovers.is_some() {
            return Self::unsure(env, attempt, error);
        }
        Self::new(Outcome::Failed { error }, None)
    }

    /// Nobody knows how far the operation came. What only looks has failed.
    pub(crate) fn unsure(env: &Env, attempt: &Attempt, error: StepError) -> Self {
        let spec = env.deps.registry.spec(&attempt.uses);
        if spec.is_none_or(OperationSpec::is_mutating) {
            return Self::new(Outcome::Unknown { error }, None);
        }
        Self::new(Outcome::Failed { error }, None)
    }
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
    if attempt.recovers.is_none() && attempt.cancel.is_cancelled() {
        let error = StepError::new(
            ErrorKind::Cancelled,
            "the run was cancelled before the operation was called",
        );
        return Finished::not_called(env, attempt, error);
    }
    let Some(spec) = env.deps.registry.spec(&attempt.uses) else {
        return Finished::not_called(env, attempt, unserved(attempt, None));
    };
    let mut used = Vec::new();
    let resolved = resolve(
        spec,
        &attempt.input,
        &attempt.tenant,
        &*env.deps.secrets,
        &mut used,
    );
    let input = match resolved {
        Ok(input) => input,
        Err(error) => return Finished::not_called(env, attempt, error.into()),
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
    let called = call(
        env,
        attempt,
        input,
        redactor.clone(),
        Arc::clone(&output) as Arc<dyn OutputSink>,
    );
    match called {
        Ok(call) => {
            let outcome = struck(act(&call).await, &redactor);
            Finished::new(outcome, output.finish().await)
        }
        Err(error) => Finished::not_called(env, attempt, error),
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
        redactor: redactor.clone(),
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
    match in_time(call, call.operation.apply(&call.context, &call.input)).await {
        Err(late) => ambiguous(call, late).await,
        Ok(Err(ProviderError::Failed(error))) => Outcome::Failed { error },
        Ok(Err(ProviderError::OutcomeUnknown(error))) => ambiguous(call, error).await,
        Ok(Ok(applied)) => verified(call, applied).await,
    }
}

/// Success means that an independent look saw the effect, not that a command exited 0.
pub(crate) async fn verified(call: &Call, applied: Applied) -> Outcome {
    let verify = call.operation.verify(&call.context, &call.input, &applied);
    match in_time(call, verify).await {
        Ok(Ok(())) => Outcome::Succeeded {
            output: applied.output,
            changed: applied.changed,
        },
        Ok(Err(ProviderError::Failed(error))) => Outcome::Failed { error },
        Ok(Err(ProviderError::OutcomeUnknown(error))) | Err(error) => ambiguous(call, error).await,
    }
}

/// Waits no longer than the call may take; the error says that it took longer.
pub(crate) async fn in_time<T>(call: &Call, work: impl Future<Output = T>) -> Result<T, StepError> {
    let limit = DurationMs(call.context.timeout.0.saturating_add(GRACE.0));
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
        OnAmbiguous::RetryIfIdempotent => Outcome::Failed { error },
        OnAmbiguous::Verify => {
            let unseen = Applied {
                output: Value::Object(serde_json::Map::new()),
                changed: true,
            };
            let verify = call.operation.verify(&call.context, &call.input, &unseen);
            match in_time(call, verify).await {
                Ok(Ok(())) => Outcome::Succeeded {
                    output: unseen.output,
                    changed: true,
                },
                Ok(Err(_)) | Err(_) => Outcome::Unknown { error },
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
    let strike = |error| strike(error, redactor);
    match outcome {
        Outcome::Succeeded { output, changed } => Outcome::Succeeded {
            output: redactor.value(output),
            changed,
        },
        Outcome::Failed { error } => Outcome::Failed { error: strike(error) },
        Outcome::Unknown { error } => Outcome::Unknown { error: strike(error) },
    }
}

/// An error without secrets.
pub(crate) fn strike(error: StepError, redactor: &Redactor) -> StepError {
    StepError {
        kind: error.kind,
        message: redactor.text(&error.message),
        hint: error.hint.map(|hint| redactor.text(&hint)),
    }
}
