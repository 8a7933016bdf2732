//! `noop@v1`: does nothing.

use clawd_model::{Effect, OperationSpec, Recovery, Risk, Scope};
use serde::{Deserialize, Serialize};

use super::schema::{Traits, object};

/// Any value.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// Returned as it is.
    #[serde(default)]
    pub value: serde_json::Value,
}

/// The value.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Output {
    /// The value of the input.
    pub value: serde_json::Value,
}

/// The description of the operation.
#[must_use]
pub fn spec() -> OperationSpec {
    Traits {
        name: "noop@v1",
        summary: "do nothing",
        effect: Effect::Mutating,
        risk: Risk::Low,
        recovery: Recovery::Idempotent,
        scope: Scope::Any,
        timeout_s: 10,
    }
    .spec(
        object(&[("value?", serde_json::json!({"description": "any value"}))]),
        object(&[(
            "value",
            serde_json::json!({"description": "the value of the input"}),
        )]),
    )
}
