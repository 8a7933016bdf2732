//! One attempt: what a call needs is put together, and its outcome is told.
//!
//! This is called only when the intent is durable, and only with a [`Passed`].

use std::sync::Arc;

use clawd_model::{
    AttemptId, Digest, DurationMs, ErrorKind, OperationName, OperationSpec, Outcome, RunId, Server,
    StepError, StepRef, TenantName, Timestamp,
};
use clawd_provider::{Context, Operation, OutputSink};
use serde_json::Value;
use tokio_util::sync::CancellationToken;
use tracing::Instrument as _;

use crate::act::apply;
use crate::env::Env;
use crate::gate::Passed;
use crate::limits;
use crate::output::{AttemptOutput, Target};
use crate::secrets::{Redactor, resolve};

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
    /// For an attempt that is taken up again.
    pub(crate) recovers: Option<Recovers>,
}

/// What is known of the first call of an attempt that is taken up again.
#[derive(Clone, Copy)]
pub(crate) struct Recovers {
    /// The digest of the input that it was started with.
    pub(crate) input: Digest,
    /// When its intent became durable.
    pub(crate) since: Timestamp,
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
    fn new(env: &Env, attempt: &Attempt, outcome: Outcome, output: Option<Value>) -> Self {
        let (outcome, bytes) = limits::bounded(outcome, is_mutating(env, attempt));
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
        Self::new(env, attempt, Outcome::Failed { error }, None)
    }

    /// Nobody knows how far the operation came. What only looks has failed.
    pub(crate) fn unsure(env: &Env, attempt: &Attempt, error: StepError) -> Self {
        let outcome = if is_mutating(env, attempt) {
            Outcome::Unknown { error }
        } else {
            Outcome::Failed { error }
        };
        Self::new(env, attempt, outcome, None)
    }
}

/// What is not known may change something.
fn is_mutating(env: &Env, attempt: &Attempt) -> bool {
    let spec = env.deps.registry.spec(&attempt.uses);
    spec.is_none_or(OperationSpec::is_mutating)
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
            Finished::new(env, attempt, outcome, output.finish().await)
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
