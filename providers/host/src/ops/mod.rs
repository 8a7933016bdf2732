//! The operations, one file each.

mod file_diff;
mod file_present;
mod file_write;
mod host_facts;
mod host_reboot;
mod pkg_apply;
mod pkg_change;
mod pkg_plan;
mod reboot_required;
mod service_state;
mod shell;

pub use file_write::FileWrite;
pub use host_facts::HostFacts;
pub(crate) use host_facts::facts;
pub use host_reboot::HostReboot;
pub use pkg_apply::PkgApply;
pub use pkg_plan::PkgPlan;
pub use service_state::ServiceState;
pub use shell::Shell;

use clawd_model::{ErrorKind, StepError};
use serde::Serialize;
use serde_json::Value;

/// An output as the engine keeps it.
fn output<T: Serialize>(output: &T) -> Result<Value, StepError> {
    serde_json::to_value(output)
        .map_err(|error| StepError::new(ErrorKind::Internal, format!("output: {error}")))
}
