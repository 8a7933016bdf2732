//! The CLI of the binary under test, as a person (of the profile `admin`, unless said otherwise) uses it.

use std::ffi::OsStr;

use anyhow::Result;
use serde::de::DeserializeOwned;
use tokio::process::Command;

use super::ClawdProcess;
use crate::command::{Ran, run};
use crate::{Host, Terminal};

impl ClawdProcess {
    /// Runs a command, whatever its exit code.
    pub async fn cli(&self, args: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Result<Ran> {
        self.cli_as(None, args).await
    }

    /// Runs a command as somebody: `profile` is a name in `profiles.toml`.
    pub async fn cli_as(
        &self,
        profile: Option<&str>,
        args: impl IntoIterator<Item = impl AsRef<OsStr>>,
    ) -> Result<Ran> {
        let mut command = Command::new(self.binary());
        command.env("CLAWD_DATA_DIR", self.data_dir());
        if let Some(profile) = profile {
            command.args(["--profile", profile]);
        }
        command.args(args);
        run(command, "").await
    }

    /// Runs a command that has to succeed with `-o json`, and reads its answer.
    pub async fn json<T: DeserializeOwned>(
        &self,
        args: impl IntoIterator<Item = impl AsRef<OsStr>>,
    ) -> Result<T> {
        let args: Vec<_> = args.into_iter().map(|arg| arg.as_ref().to_owned()).collect();
        self.cli(
            args.iter()
                .map(|arg| arg.as_os_str())
                .chain(["-o", "json"].map(OsStr::new)),
        )
        .await?
        .ok()?
        .json()
    }

    /// Runs a command on a terminal.
    pub fn terminal(&self, args: &[&str]) -> Result<Terminal> {
        Terminal::open(self.binary(), args, &[("CLAWD_DATA_DIR", self.data_dir())])
    }

    /// Registers a host of the lab under its name, accepting the host key that it really has.
    pub async fn add_server(&self, host: &Host, user: &str, env: &str, labels: &[&str]) -> Result<Ran> {
        let address = format!("{user}@{}", host.address());
        let (fingerprint, identity) = (host.fingerprint()?, host.lab().identity());
        let identity = identity.to_string_lossy();
        let mut args = vec!["server", "add", host.name(), "--address", &address, "--env", env];
        args.extend(["--identity", &identity, "--accept-host-key", &fingerprint]);
        for label in labels {
            args.extend(["--label", label]);
        }
        self.cli(args).await?.ok()
    }
}
