//! The chromedriver process, on a port that it chooses itself.

use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, Result};
use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

use crate::paths::find_program;
use crate::wait_for;

const STARTED: &str = "started successfully on port ";

/// A running chromedriver. It and its browsers are a process group of their own, which ends as a whole.
#[derive(Debug)]
pub(super) struct Driver {
    child: Child,
    url: String,
    log: Arc<Mutex<Vec<String>>>,
}

impl Driver {
    pub(super) async fn start() -> Result<Self> {
        let program = find_program("chromedriver")
            .context("`chromedriver` is not installed\nhint: scripts/install-test-deps")?;
        let mut command = Command::new("setpriv");
        // The kernel ends it when the test is gone, however that went; its browsers follow.
        command.args(["--pdeathsig", "KILL"]).arg(program).arg("--port=0");
        command.process_group(0).kill_on_drop(true);
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let mut child = command.spawn().context("could not start chromedriver")?;
        let stdout = child.stdout.take().context("chromedriver has no output")?;
        let log = Arc::new(Mutex::new(Vec::new()));
        let lines = Arc::clone(&log);
        tokio::spawn(async move {
            let mut reader = BufReader::new(stdout).lines();
            while let Ok(Some(line)) = reader.next_line().await {
                lines.lock().unwrap_or_else(PoisonError::into_inner).push(line);
            }
        });
        let mut driver = Self {
            child,
            url: String::new(),
            log,
        };
        let port = wait_for("chromedriver to listen", Duration::from_secs(60), async || {
            Ok(driver.port())
        })
        .await;
        driver.url = format!("http://127.0.0.1:{}", port.with_context(|| driver.log())?);
        Ok(driver)
    }

    pub(super) fn url(&self) -> &str {
        &self.url
    }

    /// What it printed.
    pub(super) fn log(&self) -> String {
        self.log.lock().unwrap_or_else(PoisonError::into_inner).join("\n")
    }

    fn port(&self) -> Option<u16> {
        let log = self.log();
        let (_, rest) = log.split_once(STARTED)?;
        rest.chars()
            .take_while(char::is_ascii_digit)
            .collect::<String>()
            .parse()
            .ok()
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        let group = self
            .child
            .id()
            .and_then(|id| i32::try_from(id).ok())
            .and_then(Pid::from_raw);
        if let Some(group) = group {
            // Fails only when nobody of the group is left.
            let _ = kill_process_group(group, Signal::KILL);
        }
    }
}
