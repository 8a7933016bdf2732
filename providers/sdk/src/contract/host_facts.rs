//! `host.facts@v1`: what a server is: system, resources, pending updates, boot id.

use clawd_model::{Effect, OperationSpec, Recovery, Risk, Scope};
use serde::{Deserialize, Serialize};

use super::schema::{Traits, boolean, integer, list, object, string};

/// Nothing to say.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub struct Input {}

/// What a server is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Output {
    /// Its own name.
    pub hostname: String,
    /// `debian`, `ubuntu`.
    pub os: String,
    /// `12`.
    pub os_version: String,
    /// `uname -r`.
    pub kernel: String,
    /// `x86_64`.
    pub arch: String,
    /// Processors.
    pub cpus: u32,
    /// Memory, in MiB.
    pub memory_mib: u64,
    /// Free space of `/`, in MiB.
    pub disk_free_mib: u64,
    /// Changes with every boot.
    pub boot_id: String,
    /// Seconds since the boot.
    pub uptime_s: u64,
    /// Whether systemd is process 1.
    pub systemd: bool,
    /// Packages with an update.
    pub updates: u32,
    /// Of these, from a security suite.
    pub security_updates: u32,
    /// Whether an update waits for a reboot.
    pub reboot_required: bool,
    /// Why, for people.
    #[serde(default)]
    pub reboot_reasons: Vec<String>,
}

/// The description of the operation.
#[must_use]
pub fn spec() -> OperationSpec {
    Traits {
        name: "host.facts@v1",
        summary: "read what a server is",
        effect: Effect::ReadOnly,
        risk: Risk::Low,
        recovery: Recovery::Idempotent,
        scope: Scope::Server,
        timeout_s: 60,
    }
    .spec(
        object(&[]),
        object(&[
            ("hostname", string("its own name")),
            ("os", string("debian, ubuntu")),
            ("os_version", string("12")),
            ("kernel", string("uname -r")),
            ("arch", string("x86_64")),
            ("cpus", integer("processors")),
            ("memory_mib", integer("memory, in MiB")),
            ("disk_free_mib", integer("free space of /, in MiB")),
            ("boot_id", string("changes with every boot")),
            ("uptime_s", integer("seconds since the boot")),
            ("systemd", boolean("whether systemd is process 1")),
            ("updates", integer("packages with an update")),
            ("security_updates", integer("of these, from a security suite")),
            ("reboot_required", boolean("whether an update waits for a reboot")),
            ("reboot_reasons", list(string("a reason"), "why, for people")),
        ]),
    )
}
