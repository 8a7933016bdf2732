//! The operations that ship: names, inputs, outputs, risk, recovery. Each file holds `spec()` and the typed
//! `Input` and `Output` of one operation; every provider that implements the operation uses these.

pub mod check_http;
pub mod check_tcp;
pub mod file_write;
pub mod host_facts;
pub mod host_reboot;
pub mod noop;
pub mod notify;
pub mod pkg_apply;
pub mod pkg_plan;
mod schema;
pub mod service_state;
pub mod shell;

use clawd_model::{ErrorKind, OperationSpec, StepError};
use serde::de::DeserializeOwned;
use serde_json::Value;

/// The descriptions of all operations that ship.
#[must_use]
pub fn all() -> Vec<OperationSpec> {
    vec![
        check_http::spec(),
        check_tcp::spec(),
        file_write::spec(),
        host_facts::spec(),
        host_reboot::spec(),
        noop::spec(),
        notify::spec(),
        pkg_apply::spec(),
        pkg_plan::spec(),
        service_state::spec(),
        shell::spec(),
    ]
}

/// Reads an operation's input.
///
/// # Errors
/// `invalid-input`, naming the field.
pub fn read_input<T: DeserializeOwned>(input: &Value) -> Result<T, StepError> {
    T::deserialize(input).map_err(|error| StepError::new(ErrorKind::InvalidInput, format!("input: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spec_states_its_schemas() {
        for spec in all() {
            assert_eq!(spec.input["type"], "object", "{}", spec.name);
            assert_eq!(spec.input["additionalProperties"], false, "{}", spec.name);
            assert_eq!(spec.output["type"], "object", "{}", spec.name);
            assert!(!spec.summary.is_empty());
        }
    }
}
