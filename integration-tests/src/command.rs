//! Running a program of the machine and keeping what it said.

use std::io::Write as _;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use serde::de::DeserializeOwned;
use tokio::io::AsyncWriteExt as _;

/// A command that takes longer than this hangs.
const DEADLINE: Duration = Duration::from_secs(120);

/// What a finished program left.
#[derive(Debug, Clone)]
pub struct Ran {
    /// What was run, for messages.
    pub command: String,
    /// The exit code; none if a signal ended it.
    pub code: Option<i32>,
    /// Its standard output.
    pub stdout: String,
    /// Its standard error.
    pub stderr: String,
}

impl Ran {
    /// Whether it exited with 0.
    pub fn success(&self) -> bool {
        self.code == Some(0)
    }

    /// Itself if it exited with 0, else an error that shows all of it.
    pub fn ok(self) -> Result<Self> {
        self.expect_code(0)
    }

    /// Itself if it exited with `code`, else an error that shows all of it.
    pub fn expect_code(self, code: i32) -> Result<Self> {
        if self.code != Some(code) {
            bail!("expected exit code {code}, but:\n{self}");
        }
        Ok(self)
    }

    /// Its standard output as JSON.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T> {
        serde_json::from_str(&self.stdout).with_context(|| format!("no such JSON on stdout:\n{self}"))
    }
}

impl std::fmt::Display for Ran {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let code = self
            .code
            .map_or_else(|| "a signal".to_owned(), |code| format!("exit code {code}"));
        writeln!(f, "`{}` ended with {code}", self.command)?;
        writeln!(f, "--- stdout\n{}--- stderr\n{}", self.stdout, self.stderr)
    }
}

/// Runs `command` to its end, with `input` on its standard input, and kills it when no end comes.
pub(crate) async fn run(mut command: tokio::process::Command, input: &str) -> Result<Ran> {
    let text = text_of(command.as_std());
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    let running = async {
        let mut child = command.spawn()?;
        // It may end without reading all of its input; that is its own affair.
        let _ = async { child.stdin.take()?.write_all(input.as_bytes()).await.ok() }.await;
        child.wait_with_output().await
    };
    let output = tokio::time::timeout(DEADLINE, running)
        .await
        .with_context(|| format!("`{text}` did not end within {DEADLINE:?}"))?
        .with_context(|| format!("could not run `{text}`"))?;
    Ok(ran(text, &output))
}

/// Runs a short command that has to succeed, without an async runtime; `stdin` is its input.
pub(crate) fn run_blocking(argv: &[&str], stdin: &str) -> Result<Ran> {
    let (program, args) = argv.split_first().context("no command")?;
    let mut command = std::process::Command::new(program);
    command
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let text = text_of(&command);
    let mut child = command.spawn().with_context(|| {
        format!("could not run `{text}`\nhint: scripts/install-test-deps installs what the lab needs")
    })?;
    if let Some(mut input) = child.stdin.take() {
        input
            .write_all(stdin.as_bytes())
            .with_context(|| format!("`{text}` did not read its input"))?;
    }
    let output = child
        .wait_with_output()
        .with_context(|| format!("`{text}` has no result"))?;
    let ran = ran(text, &output);
    if !ran.success() {
        bail!("{ran}--- stdin\n{stdin}");
    }
    Ok(ran)
}

fn ran(command: String, output: &std::process::Output) -> Ran {
    Ran {
        command,
        code: output.status.code(),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

fn text_of(command: &std::process::Command) -> String {
    let mut words = vec![command.get_program().to_string_lossy().into_owned()];
    words.extend(command.get_args().map(|arg| arg.to_string_lossy().into_owned()));
    words.join(" ")
}
