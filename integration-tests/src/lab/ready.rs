//! Waiting until a host has booted and answers.

use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;

use super::host::Host;
use super::machine::State;
use crate::wait_for;

/// How long a boot may take. It takes half a second on an idle machine.
const BOOT: Duration = Duration::from_secs(90);

impl Host {
    /// Waits until the host runs another boot than `before`, and answers again.
    pub async fn wait_rebooted(&self, before: &str) -> Result<()> {
        let rebooted = async || Ok((self.boot_id().await? != before).then_some(()));
        wait_for(&format!("a reboot of host `{}`", self.name()), BOOT, rebooted).await?;
        self.wait_ready().await
    }

    /// Waits until the host has booted and its sshd greets.
    pub async fn wait_ready(&self) -> Result<()> {
        let what = format!("host `{}` to boot", self.name());
        let ready = wait_for(&what, BOOT, async || {
            if let Some(State::Off { why }) = self.state() {
                // Waiting longer is in vain.
                return Ok(Some(Err(anyhow::anyhow!("host `{}` is off: {why}", self.name()))));
            }
            self.probe_ready().await.map(|ready| ready.then_some(Ok(())))
        });
        ready
            .await
            .flatten()
            .with_context(|| format!("the end of its console:\n{}", self.console_tail()))
    }

    /// sshd may greet while the boot goes on and users are still turned away: both must be through.
    async fn probe_ready(&self) -> Result<bool> {
        let system = self.exec(&["systemctl", "is-system-running"]).await?.stdout;
        if !matches!(system.trim(), "running" | "degraded") {
            return Ok(false);
        }
        let mut stream = tokio::time::timeout(Duration::from_secs(1), TcpStream::connect(self.address()))
            .await
            .context("no answer on port 22")?
            .context("nobody listens on port 22")?;
        let mut greeting = [0; 8];
        let read = tokio::time::timeout(Duration::from_secs(5), stream.read_exact(&mut greeting)).await;
        read.context("no greeting on port 22")?
            .context("no greeting on port 22")?;
        if &greeting != b"SSH-2.0-" {
            bail!("something else than sshd listens on port 22");
        }
        Ok(true)
    }

    /// What the host printed while it booted, for messages.
    fn console_tail(&self) -> String {
        let text = std::fs::read_to_string(&self.parts.console).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        lines
            .get(lines.len().saturating_sub(20)..)
            .unwrap_or_default()
            .join("\n")
    }
}
