//! `host.reboot`: reboots, and shows it by the boot id.

use clawd_model::{Change, OperationSpec, StepError};
use clawd_provider::contract::host_reboot::{Input, Output, When, spec};
use clawd_provider::contract::read_input;
use serde_json::{Value, json};

use super::{Act, Moment, not_seen, to_output};
use crate::boot::boot;
use crate::world::World;

pub(super) struct HostReboot;

impl Act for HostReboot {
    fn spec(&self) -> OperationSpec {
        spec()
    }

    fn foresee(&self, world: &World, input: &Value) -> Result<Change, StepError> {
        let Input { when } = read_input(input)?;
        let required = !world.reboot_reasons.is_empty();
        let needed = required || when == When::Always;
        let mut diff = String::new();
        if needed {
            if let Some(kernel) = &world.next_kernel {
                diff.push_str(&format!("~ kernel {} -> {kernel}\n", world.kernel));
            }
            for reason in &world.reboot_reasons {
                diff.push_str(&format!("~ reboot: {reason}\n"));
            }
        }
        Ok(Change {
            needed,
            summary: if needed {
                "rebooted"
            } else {
                "no reboot is required"
            }
            .to_owned(),
            diff,
            basis: json!({"boot_id": world.boot_id, "required": required, "when": when}),
        })
    }

    fn transcript(&self, world: &World, input: &Value) -> Vec<String> {
        if self.foresee(world, input).is_ok_and(|change| change.needed) {
            vec![
                "systemctl reboot".to_owned(),
                "connection closed by the server".to_owned(),
                "waiting for the server to come back".to_owned(),
            ]
        } else {
            vec!["no reboot is required".to_owned()]
        }
    }

    fn perform(&self, world: &mut World, _input: &Value, moment: &Moment) -> Result<Value, StepError> {
        let boot_id_before = world.boot_id.clone();
        if moment.needed {
            boot(world, &format!("reboot\n{}", moment.attempt), moment.at);
        }
        to_output(&Output {
            rebooted: moment.needed,
            boot_id_before,
            boot_id_after: world.boot_id.clone(),
        })
    }

    fn verify(&self, world: &World, _input: &Value, output: &Value) -> Result<(), StepError> {
        let output: Output = read_input(output)?;
        let is_other = output.boot_id_after != output.boot_id_before;
        if output.boot_id_after == world.boot_id && is_other == output.rebooted {
            Ok(())
        } else {
            Err(not_seen(format!("the boot id is {}", world.boot_id)))
        }
    }
}
