//! One host of the lab: booting it, asking it, and looking into it as root from outside, which works even
//! when its sshd, its firewall or its network does not.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;
use tokio::process::Command;

use super::Lab;
use super::cable::Cable;
use super::cgroup::Cgroup;
use super::disk::Disk;
use super::machine::{self, Machine, Parts, State};
use crate::command::{Ran, run};
use crate::wait_for;

/// How long a boot may take. It takes half a second on an idle machine.
const BOOT: Duration = Duration::from_secs(90);

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
            .args([
                "--target", &pid, "--mount", "--uts", "--ipc", "--net", "--root", "--wd",
            ])
            .args(also);
        command.arg("--").args(argv);
        command.env_clear().env("LANG", "C.UTF-8").env("HOME", "/root");
        command.env(
            "PATH",
            "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        );
        run(command, input)
            .await
            .with_context(|| format!("on host `{}`", self.name))
    }

    /// Runs a shell script on the host as root, and fails unless it succeeds. Returns its output.
    pub async fn shell(&self, script: &str) -> Result<String> {
        Ok(self
            .exec(&["sh", "-ec", script])
            .await?
            .ok()
            .with_context(|| format!("on host `{}`", self.name))?
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

    /// Waits until the host runs another boot than `before`, and answers again.
    pub async fn wait_rebooted(&self, before: &str) -> Result<()> {
        let rebooted = async || Ok((self.boot_id().await? != before).then_some(()));
        wait_for(&format!("a reboot of host `{}`", self.name), BOOT, rebooted).await?;
        self.wait_ready().await
    }

    /// Waits until the host has booted and its sshd greets.
    pub async fn wait_ready(&self) -> Result<()> {
        let what = format!("host `{}` to boot", self.name);
        let ready = wait_for(&what, BOOT, async || {
            if let Some(State::Off { why }) = self.state() {
                // Waiting longer is in vain.
                return Ok(Some(Err(anyhow::anyhow!("host `{}` is off: {why}", self.name))));
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

    fn first_process(&self) -> Result<u32> {
        match self.state() {
            Some(State::On { nspawn }) => machine::first_process(nspawn)
                .with_context(|| format!("host `{}` has not begun to boot", self.name)),
            Some(State::Starting) => bail!("host `{}` is being switched on", self.name),
            Some(State::Off { why }) => bail!("host `{}` is off: {why}", self.name),
            None => bail!("host `{}` is off", self.name),
        }
    }

    fn state(&self) -> Option<State> {
        self.machine().as_ref().map(Machine::state)
    }

    /// A poisoned lock is no reason to leave a machine running.
    pub(super) fn machine(&self) -> std::sync::MutexGuard<'_, Option<Machine>> {
        self.machine.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
