//! What the worker tells of its work while it goes on, for numbers: nothing that lasts.

use clawd_model::{DurationMs, OperationName, Outcome};

/// Is told of work that was done. Called in the task of the attempt, never on the way of a commit; must not block.
pub trait Observer: Send + Sync {
    /// An attempt ended, or was taken up again and ended then.
    fn attempt_ended(&self, uses: &OperationName, outcome: &Outcome, took: DurationMs);
}

/// Listens to nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Unobserved;

impl Observer for Unobserved {
    fn attempt_ended(&self, _: &OperationName, _: &Outcome, _: DurationMs) {}
}
