//! The verbs of an operation.

use async_trait::async_trait;
use clawd_model::{Change, OperationSpec, StepError};
use serde_json::Value;

use crate::Context;

/// What `check` saw.
#[derive(Clone, Debug, PartialEq)]
pub enum Checked {
    /// A mutating operation: what it would change.
    Would(Change),
    /// A read-only operation: its output, which a plan freezes.
    Read(Value),
    /// It can be told only by doing it (for example a webhook).
    Unpredictable,
}

/// The operation took place.
#[derive(Clone, Debug, PartialEq)]
pub struct Applied {
    /// Its output: an object that fits the spec's output schema.
    pub output: Value,
    /// Whether anything was changed.
    pub changed: bool,
}

/// Why an operation did not come to a result; it decides what happens next.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum ProviderError {
    /// It failed, and whatever it did is described. The step's retry rules decide, by the error's kind.
    #[error("{}", .0.message)]
    Failed(StepError),
    /// The honest answer to a lost connection or a power cut: look before trying again.
    #[error("outcome unknown: {}", .0.message)]
    OutcomeUnknown(StepError),
}

impl From<StepError> for ProviderError {
    fn from(error: StepError) -> Self {
        Self::Failed(error)
    }
}

/// What became of an attempt whose outcome was never recorded.
#[derive(Clone, Debug, PartialEq)]
pub enum Recovered {
    /// It took place (or failed for good): here is its result.
    Done(Result<Applied, StepError>),
    /// Proven: it never started. The engine applies it under the same attempt id.
    NotStarted,
    /// Nobody can know.
    Indeterminate(StepError),
}

/// One operation of one provider.
#[async_trait]
pub trait Operation: Send + Sync {
    /// Its description. The same for every provider that implements the operation.
    fn spec(&self) -> &OperationSpec;

    /// Looks, and changes nothing: what would `apply` change, or, for a read-only operation, its output.
    ///
    /// INVARIANT: it runs no code that its caller has written. It is called for plans and for checks before the gate,
    /// with no votes, no attempt and no record, and with all rights that the server gives us. What the input's
    /// commands would say is asked in `apply`; until then it is said that it cannot be predicted.
    ///
    /// # Errors
    /// When the server cannot be asked, or the input does not fit it.
    async fn check(&self, context: &Context, input: &Value) -> Result<Checked, ProviderError>;

    /// Carries the operation out, under `context.attempt`. For a read-only operation that is looking. What declares
    /// that it is idempotent is called again with the same attempt id when its outcome was unknown.
    ///
    /// # Errors
    /// See [`ProviderError`].
    async fn apply(&self, context: &Context, input: &Value) -> Result<Applied, ProviderError>;

    /// An independent look at the effect after `apply`. The default is for operations whose `apply` has looked. Its
    /// context is its own: a limit for one look, and no cancel, since a cancelled run wants to know, too.
    ///
    /// # Errors
    /// `not-verified` when the effect is not there: the step has failed, and may be tried again. Any other error says
    /// that nobody could look: the engine looks again, and the step is unknown in the end.
    async fn verify(&self, context: &Context, input: &Value, applied: &Applied) -> Result<(), ProviderError> {
        let _ = (context, input, applied);
        Ok(())
    }

    /// Looks up an attempt that began before a crash. Waits for one that still runs, for `context.timeout`: what the
    /// attempt has left of its time. Called for the modes `Reconcile` and `Reattach` only; the other modes never ask.
    ///
    /// # Errors
    /// When the provider cannot be asked now: after `connection` and `timeout` the engine asks again, for a while.
    async fn recover(&self, context: &Context, input: &Value) -> Result<Recovered, ProviderError> {
        let _ = (context, input);
        Ok(Recovered::NotStarted)
    }
}
