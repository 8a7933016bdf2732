//! `host.facts@v1`: asks a host what it is. Changes nothing, and needs no root.

use std::collections::HashMap;
use std::sync::Arc;

use async_trait::async_trait;
use clawd_model::{OperationSpec, StepError};
use clawd_provider::contract::host_facts::{Input, Output, spec};
use clawd_provider::contract::read_input;
use clawd_provider::{Applied, Checked, Context, Operation, ProviderError};
use serde_json::Value;

use super::{output, reboot_required};
use crate::apt;
use crate::host::{Host, looking, script};
use crate::hosts::Hosts;
use crate::text;

const ASK: &str = concat!(include_str!("reboot_required.sh"), include_str!("facts.sh"));
const ANSWER_MAX: usize = 64 * 1024;
/// No fact is longer.
const FACT_MAX: usize = 200;

/// Asks a host what it is.
pub struct HostFacts {
    spec: OperationSpec,
    hosts: Arc<Hosts>,
}

impl HostFacts {
    /// On these hosts.
    #[must_use]
    pub fn new(hosts: Arc<Hosts>) -> Self {
        Self { spec: spec(), hosts }
    }

    async fn read(&self, context: &Context, input: &Value) -> Result<Value, ProviderError> {
        let Input {} = read_input(input)?;
        let host = self.hosts.of_lane(context)?;
        looking(context, &host.place, async { Ok(output(&facts(&host).await?)?) }).await
    }
}

#[async_trait]
impl Operation for HostFacts {
    fn spec(&self) -> &OperationSpec {
        &self.spec
    }

    async fn check(&self, context: &Context, input: &Value) -> Result<Checked, ProviderError> {
        self.read(context, input).await.map(Checked::Read)
    }

    async fn apply(&self, context: &Context, input: &Value) -> Result<Applied, ProviderError> {
        let output = self.read(context, input).await?;
        Ok(Applied {
            output,
            changed: false,
        })
    }
}

/// Asks a host what it is.
///
/// # Errors
/// When it cannot be asked, or its answer makes no sense.
pub(crate) async fn facts(host: &Host) -> Result<Output, StepError> {
    let mut request = script(ASK, &[]);
    request.root = false;
    let reply = host.ask_ok(&request, ANSWER_MAX).await?;
    let mut facts = parse(&reply.text()).map_err(|what| host.garbled(&what))?;
    let updates = apt::survey(host)
        .await?
        .map(|survey| survey.updates)
        .unwrap_or_default();
    let count = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    facts.updates = count(updates.len());
    facts.security_updates = count(updates.iter().filter(|update| update.security).count());
    Ok(facts)
}

fn parse(answer: &str) -> Result<Output, String> {
    let pairs: HashMap<&str, &str> = answer.lines().filter_map(|line| line.split_once('=')).collect();
    let value = |key: &str| pairs.get(key).map_or("", |value| value.trim());
    let shown = |key: &str| text::line(value(key), FACT_MAX);
    let needed = |key: &str| match value(key) {
        "" => Err(format!("it does not say its {key}")),
        _ => Ok(shown(key)),
    };
    let number = |key: &str| {
        value(key)
            .parse::<u64>()
            .map_err(|_| format!("its {key} is no number: `{}`", shown(key)))
    };
    let reasons = reboot_required::reasons(answer);
    Ok(Output {
        hostname: needed("hostname")?,
        os: shown("os"),
        os_version: shown("os_version"),
        kernel: needed("kernel")?,
        arch: needed("arch")?,
        cpus: u32::try_from(number("cpus")?).unwrap_or(u32::MAX),
        memory_mib: number("memory_kib")? / 1024,
        disk_free_mib: number("disk_free_kib")? / 1024,
        boot_id: needed("boot_id").and_then(|id| {
            let known = reboot_required::is_boot_id(&id);
            known.then_some(id).ok_or_else(|| "its boot id".to_owned())
        })?,
        uptime_s: number("uptime_s")?,
        systemd: value("systemd") == "true",
        updates: 0,
        security_updates: 0,
        reboot_required: !reasons.is_empty(),
        reboot_reasons: reasons,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANSWER: &str = "hostname=web-1\nos=debian\nos_version=12\nkernel=6.1.0-40-amd64\narch=x86_64\ncpus=2\n\
        memory_kib=8142340\ndisk_free_kib=10240\nboot_id=0f3c1c1e-5a39-4b0e-8f0a-2f3a1a0c9d11\nuptime_s=77\n\
        systemd=true\nreboot=asked for by linux-image-amd64\nreboot=kernel 2 is installed, 1 runs\n";

    #[test]
    fn facts_are_read() {
        let facts = parse(ANSWER).unwrap();
        assert_eq!(
            (facts.hostname.as_str(), facts.memory_mib, facts.disk_free_mib),
            ("web-1", 7951, 10)
        );
        assert!(facts.systemd && facts.reboot_required);
        assert_eq!(facts.reboot_reasons.len(), 2);
    }

    #[test]
    fn a_hostile_host_cannot_say_anything() {
        let long = ANSWER
            .replace("web-1", &"x".repeat(5000))
            .replace("=debian", "=\u{1b}]0;owned\u{7}");
        let facts = parse(&long).unwrap();
        assert!(facts.hostname.len() <= FACT_MAX);
        assert_eq!(facts.os, "\\x1b]0;owned\\x07");
        for (good, bad) in [
            ("cpus=2", "cpus=-2"),
            ("kernel=6.1.0-40-amd64", "kernel="),
            ("boot_id=0f3c", "boot_id=zzzz"),
            ("uptime_s=77", "uptime_s=99999999999999999999999"),
        ] {
            assert!(parse(&ANSWER.replace(good, bad)).is_err(), "{bad}");
        }
        let many = format!("{ANSWER}{}", "reboot=x\n".repeat(1000));
        assert_eq!(parse(&many).unwrap().reboot_reasons.len(), 20);
    }

    /// The real script, on this machine.
    #[tokio::test]
    async fn this_machine_is_asked() {
        let lab = crate::testing::Lab::new();
        let facts = facts(&lab.host()).await.unwrap();
        let kernel = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap();
        assert_eq!(facts.kernel, kernel.trim());
        let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap();
        assert_eq!(facts.boot_id, boot.trim());
        assert!(facts.cpus > 0 && facts.memory_mib > 0 && facts.security_updates <= facts.updates);
    }
}
