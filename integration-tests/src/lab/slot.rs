//! Claiming a slot. The lock is on a file of the machine, not of the checkout, because the names that it
//! guards (interfaces, network namespaces) are the machine's.

use std::fs::{File, TryLockError};
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result};

use super::address;
use crate::{paths, wait_for};

const LOCKS: &str = "/run/clawd-lab";

/// How long a test waits for the labs of others to end.
const PATIENCE: Duration = Duration::from_secs(600);

/// The right to everything that carries this slot's names. Given back when dropped, or when the process
/// ends.
#[derive(Debug)]
pub(super) struct Slot {
    number: u8,
    // Held, not read: the lock lives as long as the open file.
    _lock: File,
}

impl Slot {
    pub(super) fn number(&self) -> u8 {
        self.number
    }

    /// The prefix of all names of this lab. Short: names of interfaces end at 15 characters.
    pub(super) fn name(&self) -> String {
        format!("clab{:02}", self.number)
    }

    /// The name of host number `host`'s namespace, container, cgroup and mounts.
    pub(super) fn host_name(&self, host: u8) -> String {
        format!("{}-{host}", self.name())
    }

    /// Where the hosts' disks are mounted.
    pub(super) fn dir(&self) -> PathBuf {
        paths::lab().join("run").join(self.name())
    }

    pub(super) fn controller_address(&self) -> Ipv4Addr {
        address::controller(self.number)
    }

    pub(super) fn host_address(&self, host: u8) -> Result<Ipv4Addr> {
        address::of_host(self.number, host)
    }
}

/// Takes the first free slot; waits until one is free.
pub(super) async fn claim() -> Result<Slot> {
    std::fs::create_dir_all(LOCKS).with_context(|| format!("could not create `{LOCKS}`"))?;
    wait_for("a free slot for a lab", PATIENCE, async || {
        try_claim(Path::new(LOCKS))
    })
    .await
}

fn try_claim(locks: &Path) -> Result<Option<Slot>> {
    for number in 0..address::SLOTS {
        let path = locks.join(format!("slot-{number:02}.lock"));
        let file = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path);
        let lock = file.with_context(|| format!("could not open `{}`", path.display()))?;
        match lock.try_lock() {
            Ok(()) => return Ok(Some(Slot { number, _lock: lock })),
            Err(TryLockError::WouldBlock) => {}
            Err(TryLockError::Error(error)) => {
                return Err(error).with_context(|| format!("could not lock `{}`", path.display()));
            }
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_claim_gets_a_slot_of_its_own_until_none_is_left() {
        let locks = tempfile::tempdir().unwrap();
        let mut slots = Vec::new();
        while let Some(slot) = try_claim(locks.path()).unwrap() {
            assert!(slot.host_name(address::MAX_HOSTS).len() <= 15);
            slots.push(slot);
        }
        assert_eq!(slots.len(), usize::from(address::SLOTS));
        let freed = slots.remove(5).number();
        assert_eq!(try_claim(locks.path()).unwrap().unwrap().number(), freed);
    }
}
