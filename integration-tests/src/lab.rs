//! The lab: real Debian hosts (systemd, sshd, apt, nftables) in containers, on a network of their own.
//!
//! ```text
//! root namespace            namespace clab03           namespace clab03-1
//! clawd, tests              the lab's switch           one host: systemd-nspawn
//!   clab03 198.51.100.97 ── uplink ─┐
//!                                   br0 ── host1 ────── eth0 198.51.100.98
//!                                    └─── host2 ────── eth0 198.51.100.99
//! ```
//!
//! A lab owns a *slot*: a number that all its names and addresses derive from, claimed by a lock on a
//! file of the machine. The kernel drops that lock when its process dies, however it dies. So whoever
//! holds the lock of a slot knows that everything which carries the slot's names is a leftover, and
//! sweeps it before (and after) use.

mod address;
mod cable;
mod cgroup;
mod disk;
mod effects;
mod enter;
mod faults;
mod host;
mod machine;
mod prerequisites;
mod ready;
mod slot;
mod ssh;
mod sweep;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use anyhow::{Context as _, Result};

pub use self::effects::Effect;
pub use self::host::{Host, HostOptions};
use self::slot::Slot;
pub use self::ssh::CertifiedKey;
use crate::paths;

/// A network for hosts, and the right to its names and addresses. Clones are the same lab, which ends
/// when the last clone and the last of its hosts are gone.
#[derive(Debug, Clone)]
pub struct Lab {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    slot: Slot,
    hosts: AtomicU8,
}

impl Lab {
    /// Builds a lab without hosts. Waits for a slot if as many labs as there are slots run now.
    pub async fn start() -> Result<Self> {
        prerequisites::check()?;
        let slot = slot::claim().await?;
        sweep::sweep(&slot).context("could not clear what an earlier lab left")?;
        let inner = Inner {
            slot,
            hosts: AtomicU8::new(0),
        };
        cable::build_switch(&inner.slot).context("could not build the network of the lab")?;
        Ok(Self {
            inner: Arc::new(inner),
        })
    }

    /// The name that everything of this lab on the machine begins with.
    pub fn name(&self) -> String {
        self.inner.slot.name()
    }

    /// The private key that opens `root`, `ops` and `nosudo` on each host.
    pub fn identity(&self) -> PathBuf {
        paths::lab().join("keys/id_ed25519")
    }

    /// The key of the authority whose user certificates each host accepts.
    pub fn user_ca(&self) -> PathBuf {
        paths::lab().join("keys/user_ca")
    }

    fn slot(&self) -> &Slot {
        &self.inner.slot
    }

    /// Numbers hosts from 1.
    fn next_host(&self) -> u8 {
        self.inner.hosts.fetch_add(1, Ordering::Relaxed).saturating_add(1)
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        if let Err(error) = sweep::sweep(&self.slot) {
            eprintln!("lab {}: could not clean up: {error:#}", self.slot.name());
        }
    }
}
