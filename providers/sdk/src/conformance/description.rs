//! Rules about what an operation says of itself.

use clawd_model::{Effect, ErrorKind, OnAmbiguous, Recovery};
use serde_json::{Value, json};

use super::{Case, Violation, schema};
use crate::{ProviderError, contract};

/// The description is complete and consistent, and that of the contract when the operation ships.
///
/// # Errors
/// When it is not.
pub fn description_is_sane(case: &Case) -> Result<(), Violation> {
    let spec = case.operation.spec();
    let broken = |detail: &str| Err(case.violation("description-is-sane", detail));
    for (which, shape) in [("input", &spec.input), ("output", &spec.output)] {
        if shape.get("type") != Some(&json!("object")) {
            return broken(&format!("the {which} schema does not describe an object"));
        }
        if shape.get("additionalProperties") != Some(&json!(false)) {
            return broken(&format!("the {which} schema admits unknown fields"));
        }
    }
    if spec.summary.trim().is_empty() {
        return broken("it has no summary");
    }
    if spec.timeout_ms.0 == 0 {
        return broken("it has no time to run");
    }
    if spec.effect == Effect::ReadOnly && spec.recovery != Recovery::Idempotent {
        return broken("it only looks, hence looking again is the way to recover");
    }
    let repeats = spec.on_ambiguous == OnAmbiguous::RetryIfIdempotent;
    if repeats && spec.effect == Effect::Mutating && spec.recovery != Recovery::Idempotent {
        return broken("it would be repeated without being idempotent");
    }
    let shipped = contract::all().into_iter().find(|known| known.name == spec.name);
    if shipped.is_some_and(|known| known != *spec) {
        return broken("it differs from the contract of that name");
    }
    let problems = schema::problems(&spec.input, &case.input);
    if problems.is_empty() {
        Ok(())
    } else {
        broken(&format!("the sample input does not fit: {}", problems.join("; ")))
    }
}

/// An unknown field is refused as invalid input, by `check` at the latest, and not by something breaking.
///
/// # Errors
/// When it is accepted, or refused as something else.
pub async fn input_is_guarded(case: &Case) -> Result<(), Violation> {
    let mut input = case.input.clone();
    if let Value::Object(fields) = &mut input {
        fields.insert("no_such_field".to_owned(), json!(1));
    }
    match case.operation.check(&case.for_check(), &input).await {
        Err(ProviderError::Failed(error)) if error.kind == ErrorKind::InvalidInput => Ok(()),
        other => Err(case.violation(
            "input-is-guarded",
            format!("an unknown field was answered with {other:?}"),
        )),
    }
}
