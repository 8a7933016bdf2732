//! Short ways to write the JSON Schemas of the contracts.

use clawd_model::{DurationMs, Effect, OnAmbiguous, OperationSpec, Recovery, Risk, Scope, TAKES_SECRETS};
use serde_json::{Map, Value, json};

/// An object with these properties; a name ending in `?` is optional.
pub(super) fn object(properties: &[(&str, Value)]) -> Value {
    let mut shapes = Map::new();
    let mut required = Vec::new();
    for (name, shape) in properties {
        let bare = name.trim_end_matches('?');
        if bare == *name {
            required.push(bare);
        }
        shapes.insert(bare.to_owned(), shape.clone());
    }
    json!({"type": "object", "properties": shapes, "required": required, "additionalProperties": false})
}

pub(super) fn string(description: &str) -> Value {
    json!({"type": "string", "description": description})
}

pub(super) fn integer(description: &str) -> Value {
    json!({"type": "integer", "description": description})
}

pub(super) fn boolean(description: &str) -> Value {
    json!({"type": "boolean", "description": description})
}

pub(super) fn one_of(values: &[&str], description: &str) -> Value {
    json!({"type": "string", "enum": values, "description": description})
}

pub(super) fn list(items: Value, description: &str) -> Value {
    json!({"type": "array", "items": items, "description": description})
}

/// The same shape, open to secrets. Only for what stays between the engine and the server: what is sent elsewhere, or
/// shown, is none.
pub(super) fn secret(mut shape: Value) -> Value {
    if let Value::Object(keywords) = &mut shape {
        keywords.insert(TAKES_SECRETS.to_owned(), Value::Bool(true));
    }
    shape
}

/// The traits of an operation, in one line each.
pub(super) struct Traits {
    pub(super) name: &'static str,
    pub(super) summary: &'static str,
    pub(super) effect: Effect,
    pub(super) risk: Risk,
    pub(super) recovery: Recovery,
    pub(super) scope: Scope,
    pub(super) timeout_s: u64,
}

impl Traits {
    pub(super) fn spec(self, input: Value, output: Value) -> OperationSpec {
        let on_ambiguous = match (self.effect, self.recovery) {
            (Effect::ReadOnly, _) | (_, Recovery::Idempotent) => OnAmbiguous::RetryIfIdempotent,
            _ => OnAmbiguous::Human,
        };
        OperationSpec {
            name: self.name.parse().expect("the contracts' names are well formed"),
            summary: self.summary.to_owned(),
            effect: self.effect,
            risk: self.risk,
            recovery: self.recovery,
            on_ambiguous,
            scope: self.scope,
            input,
            output,
            timeout_ms: DurationMs::from_secs(self.timeout_s),
        }
    }
}
