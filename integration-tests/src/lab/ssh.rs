//! OpenSSH's own client, for what a test wants to see from outside, as a person with a key would.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use tempfile::TempDir;
use tokio::process::Command;

use super::Lab;
use super::host::Host;
use crate::command::{Ran, run, run_blocking};

/// A key with a certificate of the lab's authority beside it (`key-cert.pub`), until it is dropped.
#[derive(Debug)]
pub struct CertifiedKey {
    dir: TempDir,
}

impl CertifiedKey {
    /// The private key.
    pub fn path(&self) -> PathBuf {
        self.dir.path().join("key")
    }

    /// The certificate.
    pub fn certificate(&self) -> PathBuf {
        self.dir.path().join("key-cert.pub")
    }
}

impl Lab {
    /// A fresh key, certified for `principal` (a user on the hosts) and `validity` (`+1h`, `-2h:-1h`).
    pub fn certify(&self, principal: &str, validity: &str) -> Result<CertifiedKey> {
        let key = CertifiedKey {
            dir: tempfile::tempdir().context("no temporary folder")?,
        };
        let path = key.path();
        let (ca, path) = (self.user_ca(), path.to_string_lossy());
        run_blocking(
            &[
                "ssh-keygen",
                "-q",
                "-t",
                "ed25519",
                "-N",
                "",
                "-C",
                "certified",
                "-f",
                &path,
            ],
            "",
        )?;
        let public = format!("{path}.pub");
        let sign = [
            "ssh-keygen",
            "-q",
            "-s",
            &ca.to_string_lossy(),
            "-I",
            "lab",
            "-n",
            principal,
            "-V",
            validity,
            &public,
        ];
        run_blocking(&sign, "")?;
        Ok(key)
    }
}

impl Host {
    /// Runs `command` over SSH as `user`, with the lab's key. The host key must be the host's.
    pub async fn ssh(&self, user: &str, command: &str) -> Result<Ran> {
        self.ssh_with(&self.lab.identity(), user, command).await
    }

    /// The same with another key.
    pub async fn ssh_with(&self, key: &Path, user: &str, command: &str) -> Result<Ran> {
        let ip = self.address().ip();
        let known = format!("{ip} {}\n", self.disk.host_key()?);
        std::fs::write(&self.known_hosts, known).context("could not write the known hosts")?;
        let mut ssh = Command::new("ssh");
        ssh.args([
            "-F",
            "none",
            "-o",
            "BatchMode=yes",
            "-o",
            "IdentitiesOnly=yes",
            "-o",
            "LogLevel=ERROR",
        ]);
        ssh.args(["-o", "StrictHostKeyChecking=yes", "-o", "ConnectTimeout=5"]);
        ssh.arg("-o")
            .arg(format!("UserKnownHostsFile={}", self.known_hosts.display()));
        ssh.arg("-i")
            .arg(key)
            .arg(format!("{user}@{ip}"))
            .arg("--")
            .arg(command);
        run(ssh, "").await
    }
}
