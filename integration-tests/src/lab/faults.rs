//! What can happen to a host: power, network, time, disk, identity.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};

use super::host::Host;
use super::machine::Machine;
use crate::wait_for;

const FILLER: &str = "/var/tmp/clawd-lab-filler";

impl Host {
    /// Cuts the power. What was not written is lost, nobody says goodbye.
    pub fn power_cut(&self) {
        if let Some(mut machine) = self.machine().take() {
            machine.power_cut();
        }
    }

    /// Switches a host on that is off, and waits until it answers.
    pub async fn power_on(&self) -> Result<()> {
        {
            let mut machine = self.machine();
            if machine
                .as_ref()
                .is_some_and(|machine| !matches!(machine.state(), super::machine::State::Off { .. }))
            {
                bail!("host `{}` is on already", self.name());
            }
            *machine = Some(Machine::power_on(Arc::clone(&self.parts))?);
        }
        self.wait_ready().await
    }

    /// Makes the host what it was when it first booted, with the same host key. Faster than a new one, and
    /// nothing has to be registered again.
    pub async fn reset(&self) -> Result<()> {
        self.power_cut();
        self.disk
            .reset()
            .with_context(|| format!("could not reset the disk of host `{}`", self.name()))?;
        self.power_on().await
    }

    /// Pulls the network cable. Packets vanish; connections do not notice.
    pub fn partition(&self) -> Result<()> {
        self.parts.plugged_in.store(false, Ordering::SeqCst);
        self.parts.cable.plug(false)
    }

    /// Puts the cable back.
    pub fn heal(&self) -> Result<()> {
        self.parts.plugged_in.store(true, Ordering::SeqCst);
        self.parts.cable.plug(true)
    }

    /// Stops every process of the host where it stands: connections stay open and nothing answers.
    pub fn freeze(&self) -> Result<()> {
        self.parts.cgroup.freeze(true)
    }

    /// Lets a frozen host go on.
    pub fn thaw(&self) -> Result<()> {
        self.parts.cgroup.freeze(false)
    }

    /// Fills the disk to the last byte. Boot with a small `disk_mb` for this.
    pub async fn fill_disk(&self) -> Result<()> {
        // Large pieces first; the small ones fill what is left. Both end with "no space left".
        let script = format!("dd if=/dev/zero of={FILLER} bs=1M || true; cat /dev/zero >>{FILLER} || true");
        self.shell(&script).await?;
        let free = self.shell("df --output=avail / | tail -n 1").await?;
        if free.trim() != "0" {
            bail!("the disk of host `{}` still has {} KiB", self.name(), free.trim());
        }
        Ok(())
    }

    /// Undoes `fill_disk`.
    pub async fn free_disk(&self) -> Result<()> {
        self.shell(&format!("rm -f {FILLER}")).await?;
        Ok(())
    }

    /// Gives the host another host key, as a reinstalled or an impersonated one has.
    pub async fn change_host_key(&self) -> Result<()> {
        self.disk.new_host_key()?;
        self.shell("systemctl restart ssh").await?;
        self.wait_ready().await
    }

    /// From now on the lab's packages wait in the middle of their installation.
    pub async fn hold_installations(&self) -> Result<()> {
        self.shell("mkdir -p /run/clawd-lab; touch /run/clawd-lab/hold")
            .await?;
        Ok(())
    }

    /// Waits until an installation waits; returns its package and version.
    pub async fn wait_held_installation(&self) -> Result<String> {
        let what = format!("a held installation on host `{}`", self.name());
        let waiting = async || Ok(Some(self.read("/run/clawd-lab/waiting").await?.trim().to_owned()));
        wait_for(&what, Duration::from_secs(60), waiting).await
    }

    /// Lets waiting installations go on.
    pub async fn release_installations(&self) -> Result<()> {
        self.shell("rm -f /run/clawd-lab/hold").await?;
        Ok(())
    }
}
