//! The real binary: started, killed, started again on the same data, and asked through its own CLI.

mod cli;
mod log;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use tempfile::TempDir;
use tokio::process::{Child, Command};

use self::log::Log;
use crate::{paths, wait_for};

/// What `clawd serve` prints before its address.
const LISTENING: &str = "listening on http";

/// How long a start may take, recovery included.
const START: Duration = Duration::from_secs(60);

/// How long a polite end may take.
const STOP: Duration = Duration::from_secs(30);

/// What can be chosen about a process.
#[derive(Debug, Clone, Default)]
pub struct ClawdOptions {
    /// Start `clawd demo` in place of `clawd serve`.
    pub demo: bool,
    /// More arguments for `clawd serve`.
    pub args: Vec<String>,
    /// Environment variables, for the server only.
    pub env: Vec<(String, String)>,
    /// Another binary than the one under test.
    pub binary: Option<PathBuf>,
    /// A data directory to begin with, which is copied; its process must have ended.
    pub seed: Option<PathBuf>,
}

/// A `clawd serve` with a data directory of its own, which lives until this is dropped, longer than any
/// one process.
#[derive(Debug)]
pub struct ClawdProcess {
    binary: PathBuf,
    options: ClawdOptions,
    data: TempDir,
    child: Option<Child>,
    address: Option<SocketAddr>,
    scheme: &'static str,
    log: Log,
}

impl ClawdProcess {
    /// Starts the server on a free port with an empty data directory, and waits until it listens.
    pub async fn start() -> Result<Self> {
        Self::start_with(ClawdOptions::default()).await
    }

    /// The same, with options.
    pub async fn start_with(options: ClawdOptions) -> Result<Self> {
        let mut process = Self::prepare(options)?;
        process.restart().await?;
        Ok(process)
    }

    /// Makes the data directory, and starts nothing: [`Self::restart`] does.
    pub fn prepare(options: ClawdOptions) -> Result<Self> {
        let binary = match &options.binary {
            Some(binary) => binary.clone(),
            None => paths::clawd_binary()?,
        };
        let data = tempfile::Builder::new()
            .prefix("clawd-it-")
            .tempdir()
            .context("no temporary folder")?;
        if let Some(seed) = &options.seed {
            copy(seed, data.path()).with_context(|| format!("could not copy `{}`", seed.display()))?;
        }
        Ok(Self {
            binary,
            options,
            data,
            child: None,
            address: None,
            scheme: "http",
            log: Log::default(),
        })
    }

    /// The server's environment variables from the next start on, in place of those it had.
    pub fn set_env(&mut self, env: Vec<(String, String)>) {
        self.options.env = env;
    }

    /// Starts it again, on the same data and the same port; what still runs is killed first.
    pub async fn restart(&mut self) -> Result<()> {
        self.kill().await?;
        let from = self.log.len();
        self.child = Some(self.spawn()?);
        let listening = self.wait_for_line_from(LISTENING, from, START).await?;
        let (scheme, address) =
            address_in(&listening).with_context(|| format!("no address in `{listening}`"))?;
        (self.scheme, self.address) = (scheme, Some(address));
        Ok(())
    }

    /// SIGKILL, at once. Returns when the process is gone.
    pub async fn kill(&mut self) -> Result<()> {
        if let Some(mut child) = self.child.take() {
            child.kill().await.context("could not kill clawd")?;
        }
        Ok(())
    }

    /// SIGTERM, and the exit code that follows.
    pub async fn stop(&mut self) -> Result<Option<i32>> {
        let mut child = self.child.take().context("clawd does not run")?;
        let pid = child
            .id()
            .and_then(|id| i32::try_from(id).ok())
            .and_then(rustix::process::Pid::from_raw);
        rustix::process::kill_process(
            pid.context("clawd has ended already")?,
            rustix::process::Signal::TERM,
        )
        .context("could not signal clawd")?;
        let ended = tokio::time::timeout(STOP, child.wait()).await;
        Ok(ended
            .with_context(|| format!("clawd did not stop within {STOP:?}"))??
            .code())
    }

    /// Waits until the process ends by itself, and returns its exit code.
    pub async fn wait_exit(&mut self, deadline: Duration) -> Result<Option<i32>> {
        let mut child = self.child.take().context("clawd does not run")?;
        let ended = tokio::time::timeout(deadline, child.wait()).await;
        Ok(ended
            .with_context(|| format!("clawd did not end within {deadline:?}"))??
            .code())
    }

    /// Its process id, while it runs.
    pub fn pid(&self) -> Option<u32> {
        self.child.as_ref().and_then(Child::id)
    }

    /// `http://127.0.0.1:PORT`, or `https` when it was started with a certificate.
    pub fn url(&self) -> String {
        self.address
            .map(|address| format!("{}://{address}", self.scheme))
            .unwrap_or_default()
    }

    /// Its data directory.
    pub fn data_dir(&self) -> &Path {
        self.data.path()
    }

    /// The binary that runs.
    pub fn binary(&self) -> &Path {
        &self.binary
    }

    /// Everything that it has printed so far, restarts included.
    pub fn log(&self) -> String {
        self.log.text()
    }

    /// Waits for a line that contains `needle`, printed at any time so far or from now on.
    pub async fn wait_for_line(&mut self, needle: &str, deadline: Duration) -> Result<String> {
        self.wait_for_line_from(needle, 0, deadline).await
    }

    async fn wait_for_line_from(&mut self, needle: &str, from: usize, deadline: Duration) -> Result<String> {
        let (log, child) = (self.log.clone(), &mut self.child);
        let what = format!("`{needle}` in the output of clawd");
        let found = wait_for(&what, deadline, async || {
            if let Some(line) = log.find(needle, from) {
                return Ok(Some(Ok(line)));
            }
            let ended = child.as_mut().map(Child::try_wait).transpose()?.flatten();
            // Its last words may still be on their way when the end is seen: the log says when it is closed.
            Ok(ended
                .filter(|_| log.is_closed())
                .map(|status| match log.find(needle, from) {
                    Some(line) => Ok(line),
                    None => Err(anyhow::anyhow!(
                        "clawd ended ({status}) without saying `{needle}`"
                    )),
                }))
        });
        found
            .await
            .flatten()
            .with_context(|| format!("the output of clawd:\n{}", self.log.text()))
    }

    fn spawn(&self) -> Result<Child> {
        // The kernel ends it when the test is gone, however that went.
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL"]).arg(&self.binary);
        let listen = self
            .address
            .map_or_else(|| "127.0.0.1:0".to_owned(), |address| address.to_string());
        command
            .arg(if self.options.demo { "demo" } else { "serve" })
            .arg("--data-dir")
            .arg(self.data.path())
            .args(["--listen", &listen]);
        command
            .args(&self.options.args)
            .envs(self.options.env.iter().map(|(name, value)| (name, value)));
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        let mut child = command
            .spawn()
            .with_context(|| format!("could not start `{}`", self.binary.display()))?;
        let (Some(stdout), Some(stderr)) = (child.stdout.take(), child.stderr.take()) else {
            bail!("clawd has no output");
        };
        self.log.follow(stdout, stderr);
        Ok(child)
    }
}

/// The address that a line ends with, be it plain or JSON.
fn address_in(line: &str) -> Option<(&'static str, SocketAddr)> {
    let (_, rest) = line.split_once(LISTENING)?;
    let (scheme, rest) = match rest.strip_prefix("s://") {
        Some(rest) => ("https", rest),
        None => ("http", rest.strip_prefix("://")?),
    };
    let is_part = |letter: &char| letter.is_ascii_hexdigit() || ".:[]".contains(*letter);
    let address: String = rest.chars().take_while(is_part).collect();
    Some((scheme, address.parse().ok()?))
}

/// Copies what is in a folder into another one that exists.
fn copy(from: &Path, to: &Path) -> std::io::Result<()> {
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            std::fs::create_dir_all(&target)?;
            copy(&entry.path(), &target)?;
        } else {
            std::fs::copy(entry.path(), &target)?;
        }
    }
    Ok(())
}

impl Drop for ClawdProcess {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("--- the end of the output of clawd\n{}---", self.log.tail(80));
        }
    }
}
