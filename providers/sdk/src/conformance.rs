//! The suite that every implementation of an operation passes.
//!
//! A provider's tests build a [`Case`] per operation, on a fresh world, and call [`all`]. What holds afterwards:
//!
//! 1. the description is sane, and the same as everybody's when the operation ships;
//! 2. the sample input fits its schema, and an unknown field is refused;
//! 3. `check` changes nothing, and two checks in a row foresee the same. It looks by code of our own only, whatever
//!    the input says: a plan calls it before anybody has voted. A case whose input names commands counts what they do;
//! 4. an attempt that never began is not found;
//! 5. `apply` does what `check` foresaw, its output fits its schema, and `verify` agrees;
//! 6. the same attempt id again: no second effect, and the same result, or that nothing was left to do;
//! 7. an attempt that took place is found again, with the same result;
//! 8. where the input describes a state, `check` finds nothing left to do, and another attempt changes nothing.
//!
//! Rules 4 and 7 hold for the recovery modes that look an attempt up; rule 6 for all but at-most-once. The suite
//! cannot see effects by itself: a case says how to count them ([`Case::counting`]).

mod description;
mod effects;
pub mod schema;

use std::sync::Arc;

use clawd_model::{AttemptId, Digest, OperationName};
use serde_json::{Value, json};

use crate::{Context, Operation};

pub use description::{description_is_sane, input_is_guarded};
pub use effects::{attempt_is_kept, check_only_looks, never_started_is_not_found, state_converges};

/// Counts the effects that the outside world has seen of this operation.
pub type CountEffects = Arc<dyn Fn() -> usize + Send + Sync>;

/// One operation with a sample input, on a world of its own.
#[derive(Clone)]
pub struct Case {
    operation: Arc<dyn Operation>,
    context: Context,
    input: Value,
    converges: bool,
    count: Option<CountEffects>,
}

/// An implementation breaks a rule of the contract.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{operation}` breaks the rule `{rule}`: {detail}")]
pub struct Violation {
    /// Which operation.
    pub operation: OperationName,
    /// Which rule.
    pub rule: &'static str,
    /// What was seen.
    pub detail: String,
}

impl Case {
    /// A case whose input describes a state: once applied, nothing is left to do.
    #[must_use]
    pub fn new(operation: Arc<dyn Operation>, context: Context, input: Value) -> Self {
        Self {
            operation,
            context,
            input,
            converges: true,
            count: None,
        }
    }

    /// The input describes an act (a restart, a message), which another attempt repeats.
    #[must_use]
    pub fn repeating(mut self) -> Self {
        self.converges = false;
        self
    }

    /// How to count the effects that the outside world has seen.
    #[must_use]
    pub fn counting(mut self, count: impl Fn() -> usize + Send + Sync + 'static) -> Self {
        self.count = Some(Arc::new(count));
        self
    }

    /// The attempt ids of a case differ from those of a case with another operation, input or server.
    fn attempt(&self, number: u8) -> AttemptId {
        let server = self.context.server.as_ref().map(|server| server.name.to_string());
        let name = json!([self.operation.spec().name, server, self.input, number]);
        let mut hex = Digest::of_value(&name).to_hex();
        hex.truncate(32);
        format!("att_{hex}")
            .parse()
            .expect("32 hexadecimal digits are an attempt id")
    }

    fn for_check(&self) -> Context {
        Context {
            attempt: None,
            ..self.context.clone()
        }
    }

    fn for_attempt(&self, number: u8) -> Context {
        Context {
            attempt: Some(self.attempt(number)),
            ..self.context.clone()
        }
    }

    fn effects(&self) -> usize {
        self.count.as_ref().map_or(0, |count| count())
    }

    fn violation(&self, rule: &'static str, detail: impl Into<String>) -> Violation {
        Violation {
            operation: self.operation.spec().name.clone(),
            rule,
            detail: detail.into(),
        }
    }
}

/// All rules, in an order that one fresh world serves.
///
/// # Errors
/// The first rule that is broken.
pub async fn all(case: &Case) -> Result<(), Violation> {
    description_is_sane(case)?;
    input_is_guarded(case).await?;
    check_only_looks(case).await?;
    never_started_is_not_found(case).await?;
    attempt_is_kept(case).await?;
    state_converges(case).await
}

#[cfg(test)]
mod tests;
