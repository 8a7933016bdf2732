//! One host of the lab: what it is made of, and its first boot. What can be done with it is in the files
//! beside this one: `enter` (look into it), `ready` (wait for it), `faults`, `effects`, `ssh`.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context as _, Result};

use super::Lab;
use super::cable::Cable;
use super::cgroup::Cgroup;
use super::disk::Disk;
use super::machine::{Machine, Parts, State};

/// What can be chosen about a host.
#[derive(Debug, Clone, Copy)]
pub struct HostOptions {
    /// What the host can write, in MiB, until its disk is full.
    pub disk_mb: u32,
}

impl Default for HostOptions {
    fn default() -> Self {
        Self { disk_mb: 512 }
    }
}

/// A Debian host. Dropping it cuts its power; its disk goes with the lab.
#[derive(Debug)]
pub struct Host {
    name: String,
    pub(super) parts: Arc<Parts>,
    pub(super) disk: Disk,
    pub(super) known_hosts: PathBuf,
    machine: Mutex<Option<Machine>>,
    // The last field: the network must outlive the machine.
    pub(super) lab: Lab,
}

impl Host {
    /// Boots a new host called `name`; it answers on SSH when this returns.
    pub async fn boot(lab: &Lab, name: &str) -> Result<Self> {
        Self::boot_with(lab, name, HostOptions::default()).await
    }

    /// The same, with options.
    pub async fn boot_with(lab: &Lab, name: &str, options: HostOptions) -> Result<Self> {
        let (slot, number) = (lab.slot(), lab.next_host());
        let unique = slot.host_name(number);
        let dir = slot.dir();
        let cable = Cable::new(slot, number)?;
        let disk = Disk::create(
            unique.clone(),
            dir.join(number.to_string()),
            options.disk_mb,
            name,
        )
        .with_context(|| format!("could not make a disk for host `{name}`"))?;
        let parts = Arc::new(Parts {
            cgroup: Cgroup::new(&unique)?,
            name: unique,
            hostname: name.to_owned(),
            root: disk.root(),
            console: dir.join(format!("{number}.console")),
            cable,
            plugged_in: AtomicBool::new(true),
        });
        let known_hosts = dir.join(format!("{number}.known_hosts"));
        let lab = lab.clone();
        let host = Self {
            name: name.to_owned(),
            parts,
            disk,
            known_hosts,
            machine: Mutex::new(None),
            lab,
        };
        host.power_on().await?;
        Ok(host)
    }

    /// Boots several new hosts at once.
    pub async fn boot_all<const N: usize>(lab: &Lab, names: [&str; N]) -> Result<[Self; N]> {
        let hosts = futures::future::try_join_all(names.map(|name| Self::boot(lab, name))).await?;
        hosts
            .try_into()
            .map_err(|_| anyhow::anyhow!("as many hosts as names were asked for"))
    }

    /// The name that it was booted with.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where its sshd listens.
    pub fn address(&self) -> SocketAddr {
        SocketAddr::new(IpAddr::V4(self.parts.cable.address()), 22)
    }

    /// The lab that it stands in.
    pub fn lab(&self) -> &Lab {
        &self.lab
    }

    /// `SHA256:…` of its host key, as it is now.
    pub fn fingerprint(&self) -> Result<String> {
        self.disk.fingerprint()
    }

    pub(super) fn state(&self) -> Option<State> {
        self.machine().as_ref().map(Machine::state)
    }

    /// A poisoned lock is no reason to leave a machine running.
    pub(super) fn machine(&self) -> std::sync::MutexGuard<'_, Option<Machine>> {
        self.machine.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
