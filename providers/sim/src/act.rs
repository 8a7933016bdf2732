//! What each operation does to a simulated server: pure functions over its world, one file each.

mod file_write;
mod host_reboot;
mod pkg_apply;
mod service_state;
mod shell;

use clawd_model::{AttemptId, Change, ErrorKind, OperationName, OperationSpec, StepError, Timestamp};
use serde::Serialize;
use serde_json::Value;

use crate::world::World;

/// The circumstances of an effect.
pub(crate) struct Moment {
    /// Under which attempt.
    pub(crate) attempt: AttemptId,
    /// When.
    pub(crate) at: Timestamp,
    /// Whether there is anything to do.
    pub(crate) needed: bool,
}

/// What an operation does to a simulated server.
pub(crate) trait Act: Send + Sync {
    /// The contract.
    fn spec(&self) -> OperationSpec;

    /// What it would change now.
    fn foresee(&self, world: &World, input: &Value) -> Result<Change, StepError>;

    /// What it prints while it works. The input has been foreseen without an error.
    fn transcript(&self, world: &World, input: &Value) -> Vec<String>;

    /// Changes the world, and returns the output. Leaves what is as wanted as it is.
    fn perform(&self, world: &mut World, input: &Value, moment: &Moment) -> Result<Value, StepError>;

    /// An independent look at the effect.
    fn verify(&self, world: &World, input: &Value, output: &Value) -> Result<(), StepError>;
}

/// All of them.
pub(crate) const ALL: &[&dyn Act] = &[
    &file_write::FileWrite,
    &host_reboot::HostReboot,
    &pkg_apply::PkgApply,
    &service_state::ServiceState,
    &shell::Shell,
];

/// The one of this name.
pub(crate) fn find(operation: &OperationName) -> Option<&'static dyn Act> {
    ALL.iter().copied().find(|act| act.spec().name == *operation)
}

fn to_output(output: &impl Serialize) -> Result<Value, StepError> {
    serde_json::to_value(output)
        .map_err(|error| StepError::new(ErrorKind::Internal, format!("output: {error}")))
}

fn invalid(message: impl Into<String>) -> StepError {
    StepError::new(ErrorKind::InvalidInput, message)
}

fn not_seen(message: impl Into<String>) -> StepError {
    StepError::new(ErrorKind::NotVerified, message)
}

#[cfg(test)]
mod tests;
