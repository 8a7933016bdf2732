//! A machine that is switched on: a thread that starts systemd-nspawn, waits for it, and starts it again
//! when the guest asked for a reboot.
//!
//! The thread is nspawn's parent for as long as nspawn lives. That matters twice: nobody else has to reap
//! it, and the kernel ends nspawn when the thread (thus the test process) is gone, however it went.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::{Context as _, Result};
use tokio::sync::watch;

use super::cable::Cable;
use super::cgroup::Cgroup;
use crate::wait::wait_blocking;

/// With `--keep-unit` systemd-nspawn does not restart a guest that reboots: it exits with this code.
const REBOOT: i32 = 133;

/// Enters the cgroups named before `--`, then becomes the command after it.
const ENTER: &str =
    r#"while [ "$1" != -- ]; do echo $$ >"$1/cgroup.procs" || exit 1; shift; done; shift; exec "$@""#;

/// What a machine is made of.
#[derive(Debug)]
pub(super) struct Parts {
    /// The name of the container, unique on this computer.
    pub(super) name: String,
    /// The name that the host gives itself.
    pub(super) hostname: String,
    pub(super) root: PathBuf,
    pub(super) console: PathBuf,
    pub(super) cable: Cable,
    pub(super) cgroup: Cgroup,
    /// Whether the cable is in its port; a reboot does not change that.
    pub(super) plugged_in: AtomicBool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum State {
    Starting,
    On { nspawn: u32 },
    Off { why: String },
}

/// A machine from power on to power off.
#[derive(Debug)]
pub(super) struct Machine {
    cgroup: Cgroup,
    state: watch::Receiver<State>,
    power_off: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Machine {
    pub(super) fn power_on(parts: Arc<Parts>) -> Result<Self> {
        let (sender, state) = watch::channel(State::Starting);
        let power_off = Arc::new(AtomicBool::new(false));
        let cgroup = parts.cgroup.clone();
        let off = Arc::clone(&power_off);
        let thread = std::thread::Builder::new()
            .name(parts.name.clone())
            .spawn(move || {
                let why = run(&parts, &off, &sender).unwrap_or_else(|error| format!("{error:#}"));
                sender.send_replace(State::Off { why });
            })
            .context("could not start a thread")?;
        Ok(Self {
            cgroup,
            state,
            power_off,
            thread: Some(thread),
        })
    }

    pub(super) fn state(&self) -> State {
        self.state.borrow().clone()
    }

    /// Cuts the power: every process dies at once, nothing is told, nothing is shut down.
    pub(super) fn power_cut(&mut self) {
        self.power_off.store(true, Ordering::SeqCst);
        let Some(thread) = self.thread.take() else { return };
        // Again and again, since the guest may just be starting.
        let ended = wait_blocking(Duration::from_secs(5), || {
            self.cgroup.kill_guest();
            thread.is_finished()
        });
        let ended = ended
            || wait_blocking(Duration::from_secs(30), || {
                self.cgroup.kill().is_ok() && thread.is_finished()
            });
        if ended {
            // A thread that panicked has nothing more to say: its state tells that it ended.
            let _ = thread.join();
        }
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        self.power_cut();
    }
}

/// Boots again and again, as long as the guest asks for it; tells why it is off in the end.
fn run(parts: &Parts, power_off: &AtomicBool, state: &watch::Sender<State>) -> Result<String> {
    loop {
        parts.cgroup.remove()?;
        parts.cgroup.create()?;
        parts.cable.connect(parts.plugged_in.load(Ordering::SeqCst))?;
        let mut nspawn = spawn(parts)?;
        state.send_replace(State::On { nspawn: nspawn.id() });
        let status = nspawn.wait().context("systemd-nspawn has no exit status")?;
        if power_off.load(Ordering::SeqCst) {
            return Ok("the power was cut".to_owned());
        }
        if status.code() != Some(REBOOT) {
            return Ok(format!("systemd-nspawn ended: {status}"));
        }
        state.send_replace(State::Starting);
    }
}

fn spawn(parts: &Parts) -> Result<Child> {
    let console = File::options()
        .create(true)
        .append(true)
        .open(&parts.console)
        .with_context(|| format!("could not open `{}`", parts.console.display()))?;
    let mut command = Command::new("sh");
    command.args(["-c", ENTER, "sh"]).args(parts.cgroup.dirs());
    command.args([
        "--",
        "setpriv",
        "--pdeathsig",
        "TERM",
        "systemd-nspawn",
        "--quiet",
        "--boot",
    ]);
    // Without registration and a unit of its own it needs no systemd on this machine.
    command.args([
        "--register=no",
        "--keep-unit",
        "--kill-signal=SIGRTMIN+3",
        "--console=pipe",
    ]);
    command.args(["--resolv-conf=off", "--timezone=off", "--link-journal=no"]);
    command.args(["--capability=CAP_NET_ADMIN,CAP_NET_RAW"]);
    command.arg(format!("--network-namespace-path={}", parts.cable.netns_path()));
    command
        .arg(format!("--machine={}", parts.name))
        .arg(format!("--hostname={}", parts.hostname));
    command.arg("--directory").arg(&parts.root);
    command.env("SYSTEMD_NSPAWN_API_VFS_WRITABLE", "network");
    command.stdin(Stdio::null());
    command
        .stdout(console.try_clone().context("could not share the console")?)
        .stderr(console);
    command.spawn().context("could not start systemd-nspawn")
}

/// The guest's first process, seen from outside: the child of nspawn that is number 1 where it lives.
pub(super) fn first_process(nspawn: u32) -> Option<u32> {
    let children = std::fs::read_to_string(format!("/proc/{nspawn}/task/{nspawn}/children")).ok()?;
    children
        .split_whitespace()
        .filter_map(|pid| pid.parse().ok())
        .find(|pid| is_first(*pid))
}

fn is_first(pid: u32) -> bool {
    let status = std::fs::read_to_string(Path::new("/proc").join(pid.to_string()).join("status"));
    let status = status.unwrap_or_default();
    let numbers = status.lines().find_map(|line| line.strip_prefix("NSpid:"));
    numbers.is_some_and(|numbers| numbers.split_whitespace().skip(1).last() == Some("1"))
}
