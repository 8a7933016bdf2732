//! A program on a pseudo-terminal, as a person has it before them. `script` of bsdutils makes the terminal.

use std::path::Path;
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, Result};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::task::JoinHandle;

use crate::command::Ran;
use crate::wait_for;

/// Nothing that a person waits for at a terminal is further away than this, even on a busy machine.
const DEADLINE: Duration = Duration::from_secs(60);

/// A program that runs on a terminal of its own.
#[derive(Debug)]
pub struct Terminal {
    child: Child,
    keyboard: ChildStdin,
    screen: Arc<Mutex<Vec<u8>>>,
    reader: JoinHandle<()>,
    command: String,
}

impl Terminal {
    /// Starts a program on a terminal that is wide enough for its lines.
    pub(crate) fn open(program: &Path, args: &[&str], env: &[(&str, &Path)]) -> Result<Self> {
        let program = program.to_string_lossy();
        let words: Vec<String> = std::iter::once(&*program)
            .chain(args.iter().copied())
            .map(quoted)
            .collect();
        let command = words.join(" ");
        let mut script = Command::new("script");
        script
            .args(["--quiet", "--return", "--flush", "--command"])
            .arg(format!("stty rows 50 cols 200; exec {command}"))
            .arg("/dev/null")
            .envs(env.iter().copied())
            .envs([("SHELL", "/bin/sh"), ("TERM", "xterm")])
            .env_remove("NO_COLOR")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true);
        let mut child = script
            .spawn()
            .context("could not run `script`\nhint: scripts/install-test-deps installs it")?;
        let keyboard = child.stdin.take().context("no keyboard")?;
        let output = child.stdout.take().context("no screen")?;
        let screen = Arc::default();
        let reader = tokio::spawn(read(output, Arc::clone(&screen)));
        Ok(Self {
            child,
            keyboard,
            screen,
            reader,
            command,
        })
    }

    /// Waits until this has been shown, at any time so far.
    pub async fn wait_for(&self, text: &str) -> Result<()> {
        let what = format!("`{text}` on the terminal");
        let shown = wait_for(&what, DEADLINE, async || {
            Ok(self.shown().contains(text).then_some(()))
        });
        shown
            .await
            .with_context(|| format!("the terminal shows:\n{}", self.shown()))
    }

    /// Types.
    pub async fn type_in(&mut self, keys: &str) -> Result<()> {
        self.keyboard.write_all(keys.as_bytes()).await?;
        self.keyboard.flush().await.context("nobody reads the keyboard")
    }

    /// Waits until the program has ended; all that it has shown is its standard output.
    pub async fn end(mut self) -> Result<Ran> {
        let status = tokio::time::timeout(DEADLINE, self.child.wait())
            .await
            .with_context(|| {
                format!(
                    "`{}` did not end within {DEADLINE:?}:\n{}",
                    self.command,
                    self.shown()
                )
            })??;
        self.reader.await?;
        let stdout =
            String::from_utf8_lossy(&self.screen.lock().unwrap_or_else(PoisonError::into_inner)).into_owned();
        Ok(Ran {
            command: self.command,
            code: status.code(),
            stdout,
            stderr: String::new(),
        })
    }

    fn shown(&self) -> String {
        String::from_utf8_lossy(&self.screen.lock().unwrap_or_else(PoisonError::into_inner)).into_owned()
    }
}

async fn read(mut output: ChildStdout, screen: Arc<Mutex<Vec<u8>>>) {
    let mut piece = vec![0; 8192];
    // An error ends the stream as its end does.
    while let Ok(length @ 1..) = output.read(&mut piece).await {
        let read = piece.get(..length).unwrap_or_default();
        screen
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .extend_from_slice(read);
    }
}

/// One word for a shell.
fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', r"'\''"))
}
