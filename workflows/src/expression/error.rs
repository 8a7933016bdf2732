//! Why an expression has no value.

use clawd_model::{ErrorKind, StepError};

/// Why an expression or template has no value. No message ever holds a secret, since none is ever evaluated.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ExpressionError {
    /// A variable has no value, or not this part.
    #[error("`{0}` has no value: there is no such thing here")]
    Missing(String),
    /// The step that should have given the value did not run to its end.
    #[error("`{0}` has no value: the step was skipped or failed")]
    NoOutputs(String),
    /// The evaluation failed.
    #[error("`{expression}` cannot be evaluated: {why}")]
    Failed {
        /// The expression.
        expression: String,
        /// Why.
        why: String,
    },
    /// A condition came to something else than true or false.
    #[error("`{expression}` is {found}, not true or false")]
    NotACondition {
        /// The condition.
        expression: String,
        /// What it came to.
        found: &'static str,
    },
    /// A value inside of a text is not a text, a number, true or false.
    #[error("`{expression}` is {found}, and cannot stand inside of a text")]
    NotText {
        /// The expression.
        expression: String,
        /// What it came to.
        found: &'static str,
    },
    /// The values, or the work that they make, are beyond the limits.
    #[error("`{0}` is too large to evaluate")]
    TooLarge(String),
    /// A value holds a key that only the engine writes: somebody tries to have a secret filled in.
    #[error("the value of `{expression}` holds the reserved key `{key}`")]
    Reserved {
        /// The expression.
        expression: String,
        /// The key.
        key: String,
    },
}

impl ExpressionError {
    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Missing(_) => "test for it first: `has(steps.apply.before) && …`",
            Self::NoOutputs(_) => "test for it first: `has(steps.apply.before)`, or put an `if` on the step",
            Self::Failed { .. } => "look at the types of the values that it uses",
            Self::NotACondition { .. } => "compare it with something: `… == 'yes'`",
            Self::NotText { .. } => "use the expression as the whole value, or pick a part of it",
            Self::TooLarge(_) => "compute it in a step",
            Self::Reserved { .. } => "secrets are written `${{ secrets.NAME }}` in the runbook itself",
        }
    }
}

impl From<ExpressionError> for StepError {
    fn from(error: ExpressionError) -> Self {
        Self::new(ErrorKind::InvalidInput, error.to_string()).with_hint(error.hint())
    }
}
