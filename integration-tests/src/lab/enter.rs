//! Looking into a host as root from outside, which works even when its sshd, its firewall or its network
//! does not.

use anyhow::{Context as _, Result, bail};
use tokio::process::Command;

use super::host::Host;
use super::machine::{self, State};
use crate::command::{Ran, run};

/// What root has on Debian.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

impl Host {
    /// Runs `argv` on the host as root, past sshd and the network.
    ///
    /// Not while the host shuts down: systemd would see a process that is not its child die, and wait 90
    /// seconds for it. [`Host::read`] and all that only looks is safe at any time.
    pub async fn exec(&self, argv: &[&str]) -> Result<Ran> {
        self.exec_with_input(argv, "").await
    }

    /// The same, with something on standard input.
    pub async fn exec_with_input(&self, argv: &[&str], input: &str) -> Result<Ran> {
        self.enter(&["--pid", "--cgroup"], argv, input).await
    }

    /// Runs `argv` on the host's files and network, but outside of its processes: nothing on the host
    /// notices. Not for programs that look at `/proc`.
    pub(super) async fn peek(&self, argv: &[&str]) -> Result<Ran> {
        self.enter(&[], argv, "").await
    }

    async fn enter(&self, also: &[&str], argv: &[&str], input: &str) -> Result<Ran> {
        let pid = self.first_process()?.to_string();
        let mut command = Command::new("nsenter");
        command
            .args(["--target", &pid, "--mount", "--uts", "--ipc"])
            .args(["--net", "--root", "--wd"])
            .args(also)
            .arg("--")
            .args(argv);
        command.env_clear().env("LANG", "C.UTF-8").env("HOME", "/root");
        command.env("PATH", PATH);
        run(command, input)
            .await
            .with_context(|| format!("on host `{}`", self.name()))
    }

    /// Runs a shell script on the host as root, and fails unless it succeeds. Returns its output.
    pub async fn shell(&self, script: &str) -> Result<String> {
        Ok(self
            .exec(&["sh", "-ec", script])
            .await?
            .ok()
            .with_context(|| format!("on host `{}`", self.name()))?
            .stdout)
    }

    /// The text of a file on the host.
    pub async fn read(&self, path: &str) -> Result<String> {
        Ok(self.peek(&["cat", "--", path]).await?.ok()?.stdout)
    }

    /// Writes a file on the host, as root.
    pub async fn write(&self, path: &str, text: &str) -> Result<()> {
        self.exec_with_input(&["sh", "-ec", "cat >\"$1\"", "sh", path], text)
            .await?
            .ok()?;
        Ok(())
    }

    /// The kernel's name for this boot: another one after each reboot.
    pub async fn boot_id(&self) -> Result<String> {
        Ok(self
            .read("/proc/sys/kernel/random/boot_id")
            .await?
            .trim()
            .to_owned())
    }

    fn first_process(&self) -> Result<u32> {
        match self.state() {
            Some(State::On { nspawn }) => machine::first_process(nspawn)
                .with_context(|| format!("host `{}` has not begun to boot", self.name())),
            Some(State::Starting) => bail!("host `{}` is being switched on", self.name()),
            Some(State::Off { why }) => bail!("host `{}` is off: {why}", self.name()),
            None => bail!("host `{}` is off", self.name()),
        }
    }
}
