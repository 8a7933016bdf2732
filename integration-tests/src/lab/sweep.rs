//! Removes everything that carries a slot's names, whoever made it: the end of a lab, and the beginning
//! of the next one in the same slot, which may follow on a test that was killed.

use anyhow::{Context as _, Result};

use super::cgroup::Cgroup;
use super::slot::Slot;
use crate::command::run_blocking;

/// Processes first, then what they hold: mounts, namespaces, cables, folders.
pub(super) fn sweep(slot: &Slot) -> Result<()> {
    let prefix = slot.name();
    for cgroup in Cgroup::with_prefix(&prefix)? {
        cgroup.remove()?;
    }
    unmount_all(&prefix)?;
    remove_network(&prefix)?;
    remove_nspawn_folders(&prefix);
    if slot.dir().exists() {
        std::fs::remove_dir_all(slot.dir())
            .with_context(|| format!("could not remove `{}`", slot.dir().display()))?;
    }
    Ok(())
}

/// A lab's mounts are known by their source, which is the name of the host. The last one mounted goes
/// first: an overlay lies on the disk that was mounted before it.
fn unmount_all(prefix: &str) -> Result<()> {
    let mounts = std::fs::read_to_string("/proc/self/mounts").context("could not read /proc/self/mounts")?;
    for line in mounts.lines().rev() {
        let mut words = line.split(' ');
        if let (Some(source), Some(target)) = (words.next(), words.next())
            && source.starts_with(prefix)
        {
            let target = target.replace("\\040", " ");
            // Lazily: somebody's shell may stand in it.
            run_blocking(&["umount", "--lazy", &target], "")?;
        }
    }
    Ok(())
}

/// Deleting the cable into the root namespace by name matters: its namespace goes only later.
fn remove_network(prefix: &str) -> Result<()> {
    if std::path::Path::new("/sys/class/net").join(prefix).exists() {
        run_blocking(&["ip", "link", "del", prefix], "")?;
    }
    let Ok(entries) = std::fs::read_dir("/run/netns") else {
        return Ok(());
    };
    for entry in entries.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.starts_with(prefix) {
            run_blocking(&["ip", "netns", "del", &name], "")?;
        }
    }
    Ok(())
}

/// systemd-nspawn removes this folder itself, unless it was killed. It is always empty.
fn remove_nspawn_folders(prefix: &str) {
    let Ok(entries) = std::fs::read_dir("/run/systemd/nspawn/propagate") else {
        return;
    };
    for entry in entries.flatten() {
        if entry.file_name().to_string_lossy().starts_with(prefix) {
            // In vain on a folder that is in use, which is then none of ours.
            let _ = std::fs::remove_dir(entry.path());
        }
    }
}
