//! What a simulated server is at one moment. Plain data: everything that happens to it happens elsewhere.

use std::collections::BTreeMap;

use clawd_model::{AttemptId, Timestamp};
use serde::{Deserialize, Serialize};

use crate::job::Job;

/// A simulated server at one moment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct World {
    /// Its own name.
    pub hostname: String,
    /// The version of Debian that it pretends to run.
    pub os_version: String,
    /// The running kernel.
    pub kernel: String,
    /// Processors.
    pub cpus: u32,
    /// Memory, in MiB.
    pub memory_mib: u64,
    /// Free space of `/`, in MiB.
    pub disk_free_mib: u64,
    /// Changes with every boot.
    pub boot_id: String,
    /// When it last booted.
    pub booted_at: Timestamp,
    /// The kernel that the next boot brings.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_kernel: Option<String>,
    /// Why it should be rebooted, for people; empty when it need not be.
    #[serde(default)]
    pub reboot_reasons: Vec<String>,
    /// Installed packages.
    pub packages: BTreeMap<String, Package>,
    /// Services, by name without `.service`.
    pub services: BTreeMap<String, Service>,
    /// Files that somebody wrote, by path.
    #[serde(default)]
    pub files: BTreeMap<String, File>,
    /// Jobs by attempt id, running and done.
    #[serde(default)]
    pub(crate) jobs: BTreeMap<AttemptId, Job>,
    /// Which attempts each fault has hit.
    #[serde(default)]
    pub(crate) strikes: BTreeMap<String, Vec<AttemptId>>,
}

/// An installed package.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Package {
    /// The installed version.
    pub version: String,
    /// The update that waits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub candidate: Option<Candidate>,
}

/// An update that waits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Candidate {
    /// The newer version.
    pub version: String,
    /// Whether it comes from the security suite.
    pub security: bool,
    /// Why apt would keep it back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kept_back: Option<String>,
    /// The kernel that runs after the next boot, when this is a kernel.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kernel: Option<String>,
}

/// A service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Service {
    /// Whether it runs.
    pub active: bool,
    /// Whether it starts at boot.
    pub enabled: bool,
    /// How often it was restarted by us.
    #[serde(default)]
    pub restarts: u32,
    /// The port that it listens on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    /// What it answers over HTTP, by path; empty when it does not speak HTTP.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub pages: BTreeMap<String, String>,
}

/// A file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct File {
    /// Its content.
    pub content: String,
    /// Octal.
    pub mode: String,
    /// User name.
    pub owner: String,
    /// Group name.
    pub group: String,
}

impl World {
    /// The service that listens on a port, if the machine is up at that moment and the service runs.
    pub(crate) fn listener(&self, port: u16, now: Timestamp) -> Option<&Service> {
        let rebooting = self
            .jobs
            .values()
            .any(|job| job.operation.action() == "host.reboot" && job.runs_at(now));
        let listens = |service: &&Service| service.active && service.port == Some(port);
        self.services.values().find(listens).filter(|_| !rebooting)
    }

    /// When the last of the running jobs ends.
    pub(crate) fn busy_until(&self) -> Option<Timestamp> {
        self.jobs
            .values()
            .filter(|job| job.is_running())
            .map(|job| job.ends_at)
            .max()
    }

    /// When the package database is free again.
    pub(crate) fn packages_locked_until(&self) -> Option<Timestamp> {
        self.jobs
            .values()
            .filter(|job| job.is_running() && job.operation.action() == "pkg.apply")
            .map(|job| job.ends_at)
            .max()
    }
}
