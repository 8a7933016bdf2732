//! One cgroup per host. It keeps the hosts apart: systemd-nspawn would otherwise put them all into one,
//! where a systemd finds processes in its services' groups that it cannot see, and fails to kill any of
//! them. And it names every process of a host, so that a host can be frozen, or killed without leaving
//! anything behind.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};

use crate::wait::wait_blocking;

/// Where cgroup2 is mounted: at the top on a machine of today, below it on one with both versions.
pub(super) fn unified() -> Option<PathBuf> {
    ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"]
        .map(PathBuf::from)
        .into_iter()
        .find(|root| root.join("cgroup.controllers").exists())
}

/// systemd's own hierarchy of version 1, on a machine with both versions.
fn named() -> Option<PathBuf> {
    let root = PathBuf::from("/sys/fs/cgroup/systemd");
    root.join("cgroup.procs").exists().then_some(root)
}

/// The cgroup of one host, in each hierarchy that systemd uses.
#[derive(Debug, Clone)]
pub(super) struct Cgroup {
    unified: PathBuf,
    named: Option<PathBuf>,
}

impl Cgroup {
    /// Names it; nothing is created.
    pub(super) fn new(name: &str) -> Result<Self> {
        let unified = unified().context("no cgroup2 below /sys/fs/cgroup")?.join(name);
        Ok(Self {
            unified,
            named: named().map(|root| root.join(name)),
        })
    }

    /// The cgroups whose name starts with `prefix`.
    pub(super) fn with_prefix(prefix: &str) -> Result<Vec<Self>> {
        let mut found = std::collections::BTreeSet::new();
        for root in unified().into_iter().chain(named()) {
            for entry in root
                .read_dir()
                .with_context(|| format!("could not read `{}`", root.display()))?
            {
                let name = entry?.file_name().to_string_lossy().into_owned();
                if name.starts_with(prefix) {
                    found.insert(name);
                }
            }
        }
        found.iter().map(|name| Self::new(name)).collect()
    }

    /// Creates it, empty.
    pub(super) fn create(&self) -> Result<()> {
        for dir in self.dirs() {
            std::fs::create_dir_all(dir).with_context(|| format!("could not create `{}`", dir.display()))?;
        }
        Ok(())
    }

    /// The folders that a process has to be put into.
    pub(super) fn dirs(&self) -> impl Iterator<Item = &Path> {
        std::iter::once(self.unified.as_path()).chain(self.named.as_deref())
    }

    /// Stops all processes where they stand, or lets them go on.
    pub(super) fn freeze(&self, frozen: bool) -> Result<()> {
        self.write("cgroup.freeze", if frozen { "1" } else { "0" })?;
        let state = if frozen { "frozen 1" } else { "frozen 0" };
        if !wait_blocking(Duration::from_secs(5), || self.says(state)) {
            bail!("`{}` did not reach the state `{state}`", self.unified.display());
        }
        Ok(())
    }

    /// Kills every process of the guest at once, as a power cut does; nspawn sees it and tidies up. Does
    /// nothing while there is no guest.
    pub(super) fn kill_guest(&self) {
        // In vain while nspawn is on its way in or out: then there is nothing to kill, or no longer.
        let _ = std::fs::write(self.unified.join("payload/cgroup.kill"), "1");
    }

    /// Kills every process at once, nspawn too.
    pub(super) fn kill(&self) -> Result<()> {
        if !self.unified.exists() {
            return Ok(());
        }
        self.write("cgroup.kill", "1")?;
        if !wait_blocking(Duration::from_secs(30), || self.says("populated 0")) {
            bail!("processes in `{}` survive SIGKILL", self.unified.display());
        }
        Ok(())
    }

    /// Removes it; whatever runs in it is killed.
    pub(super) fn remove(&self) -> Result<()> {
        self.kill()?;
        for dir in self.dirs() {
            // A process that has just died may hold its cgroup for another moment.
            if !wait_blocking(Duration::from_secs(5), || remove_tree(dir)) {
                bail!("could not remove `{}`", dir.display());
            }
        }
        Ok(())
    }

    fn says(&self, state: &str) -> bool {
        let events = std::fs::read_to_string(self.unified.join("cgroup.events")).unwrap_or_default();
        events.lines().any(|line| line == state)
    }

    fn write(&self, file: &str, text: &str) -> Result<()> {
        let path = self.unified.join(file);
        std::fs::write(&path, text)
            .with_context(|| format!("could not write `{text}` to `{}`", path.display()))
    }
}

/// cgroups are removed from the leaves up; their files go with them.
fn remove_tree(dir: &Path) -> bool {
    let Ok(entries) = dir.read_dir() else {
        return !dir.exists();
    };
    for entry in entries.flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            remove_tree(&entry.path());
        }
    }
    std::fs::remove_dir(dir).is_ok() || !dir.exists()
}
