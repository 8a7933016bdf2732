//! What each operation sees of a simulated server: pure functions over its world, one file each.

mod check_http;
mod check_tcp;
mod host_facts;
mod pkg_plan;

use clawd_model::{DurationMs, ErrorKind, OperationSpec, StepError, Timestamp};
use serde::Serialize;
use serde_json::Value;

use crate::world::World;

/// What an operation sees of a simulated server.
pub(crate) trait Look: Send + Sync {
    /// The contract.
    fn spec(&self) -> OperationSpec;

    /// Whether the input can be answered at all.
    fn understands(&self, input: &Value) -> Result<(), StepError>;

    /// Whether a plan may freeze what is seen. A health check says something at its place in the run only.
    fn is_plannable(&self) -> bool;

    /// What is seen now.
    fn see(&self, world: &World, input: &Value, now: Timestamp) -> Result<Value, StepError>;

    /// How long to wait for it to come true.
    fn patience(&self, _input: &Value) -> DurationMs {
        DurationMs(0)
    }

    /// What it prints.
    fn words(&self, input: &Value, output: &Value) -> Vec<String>;
}

/// All of them.
pub(crate) const ALL: &[&dyn Look] = &[
    &check_http::CheckHttp,
    &check_tcp::CheckTcp,
    &host_facts::HostFacts,
    &pkg_plan::PkgPlan,
];

fn to_output(output: &impl Serialize) -> Result<Value, StepError> {
    serde_json::to_value(output)
        .map_err(|error| StepError::new(ErrorKind::Internal, format!("output: {error}")))
}

/// A length of time in the input.
fn duration(field: &str, text: Option<&str>) -> Result<Option<DurationMs>, StepError> {
    text.map(|text| {
        DurationMs::parse(text).ok_or_else(|| {
            let message = format!("`{field}` is `{text}`, which is not a length of time such as `30s`");
            StepError::new(ErrorKind::InvalidInput, message)
        })
    })
    .transpose()
}

/// How long to wait when the input does not say.
const USUAL_PATIENCE: DurationMs = DurationMs::from_secs(30);

#[cfg(test)]
mod tests;
