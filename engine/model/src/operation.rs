//! What a provider can do, described: the contract that workflows are validated against, that the Cedar schema
//! is generated from, and that the engine recovers by.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{DurationMs, OperationName};

/// Whether an operation changes anything outside of the engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// Looks, and changes nothing.
    ReadOnly,
    /// Changes something.
    Mutating,
}

/// How much can go wrong. Policies may ask for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Risk {
    /// Reads, or changes that are trivially undone.
    Low,
    /// Bounded changes.
    Medium,
    /// Could do anything, or could cut us off.
    High,
}

/// How an attempt without an outcome is taken up again after a crash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Recovery {
    /// Calling again with the same attempt id gives the same result.
    Idempotent,
    /// Look the effect up by the attempt id first; adopt it if it is there, else call.
    Reconcile,
    /// The work survives us: find it by the attempt id and collect its output.
    Reattach,
    /// None of these is possible: the step becomes unknown, and a person decides.
    AtMostOnce,
}

/// What happens when nobody can know whether an effect took place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, Default)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum OnAmbiguous {
    /// Look at the effect independently, and believe what is seen.
    Verify,
    /// Call again, since the operation is idempotent by its nature.
    RetryIfIdempotent,
    /// Undo it.
    Compensate,
    /// A person decides.
    #[default]
    Human,
}

/// Where an operation takes place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// On a server: needs a lane with one.
    Server,
    /// At the controller: a server may be in scope, but is not needed.
    Any,
}

/// The keyword of an input's schema that opens a property to secrets.
pub const TAKES_SECRETS: &str = "x-secrets";

/// The description of one version of one operation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct OperationSpec {
    /// Name and version: `pkg.apply@v1`.
    pub name: OperationName,
    /// One line for people.
    pub summary: String,
    /// Whether it changes anything.
    pub effect: Effect,
    /// How much can go wrong.
    pub risk: Risk,
    /// How it recovers.
    pub recovery: Recovery,
    /// What happens when its outcome cannot be known.
    pub on_ambiguous: OnAmbiguous,
    /// Where it takes place.
    pub scope: Scope,
    /// JSON Schema (2020-12) of the input: always an object; `additionalProperties: false`. A property that may hold
    /// secrets says so: `"x-secrets": true`.
    pub input: Value,
    /// JSON Schema of the output: always an object.
    pub output: Value,
    /// The limit of one attempt, when the step sets none, in milliseconds.
    pub timeout_ms: DurationMs,
}

impl OperationSpec {
    /// Whether it changes anything.
    #[must_use]
    pub fn is_mutating(&self) -> bool {
        self.effect == Effect::Mutating
    }

    /// Whether a field of the input may hold secrets. Whatever the operation shows or sends to others may not.
    #[must_use]
    pub fn takes_secret(&self, field: &str) -> bool {
        let shape = self.input.get("properties").and_then(|shapes| shapes.get(field));
        shape.and_then(|shape| shape.get(TAKES_SECRETS)) == Some(&Value::Bool(true))
    }
}
