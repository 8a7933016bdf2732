//! `host.facts`: what the server is.

use clawd_model::{OperationSpec, StepError, Timestamp};
use clawd_provider::contract::host_facts::{Input, Output, spec};
use clawd_provider::contract::read_input;
use serde_json::Value;

use super::{Look, to_output};
use crate::world::World;

pub(super) struct HostFacts;

impl Look for HostFacts {
    fn spec(&self) -> OperationSpec {
        spec()
    }

    fn understands(&self, input: &Value) -> Result<(), StepError> {
        read_input::<Input>(input).map(drop)
    }

    fn is_plannable(&self) -> bool {
        true
    }

    fn see(&self, world: &World, _input: &Value, now: Timestamp) -> Result<Value, StepError> {
        let waiting = || {
            world
                .packages
                .values()
                .filter_map(|package| package.candidate.as_ref())
        };
        let security = waiting().filter(|candidate| candidate.security).count();
        to_output(&Output {
            hostname: world.hostname.clone(),
            os: "debian".to_owned(),
            os_version: world.os_version.clone(),
            kernel: world.kernel.clone(),
            arch: "x86_64".to_owned(),
            cpus: world.cpus,
            memory_mib: world.memory_mib,
            disk_free_mib: world.disk_free_mib,
            boot_id: world.boot_id.clone(),
            uptime_s: now.since(world.booted_at).0 / 1000,
            systemd: true,
            updates: u32::try_from(waiting().count()).unwrap_or(u32::MAX),
            security_updates: u32::try_from(security).unwrap_or(u32::MAX),
            reboot_required: !world.reboot_reasons.is_empty(),
            reboot_reasons: world.reboot_reasons.clone(),
        })
    }

    fn words(&self, _input: &Value, output: &Value) -> Vec<String> {
        let read: Result<Output, _> = read_input(output);
        read.map(|facts| {
            vec![format!(
                "{}: Debian {}, kernel {}, {} updates ({} security)",
                facts.hostname, facts.os_version, facts.kernel, facts.updates, facts.security_updates
            )]
        })
        .unwrap_or_default()
    }
}
