//! The disk of a host: an overlay over the common base. What the host writes goes to a tmpfs of limited
//! size, so that a full disk is really full, and that a disk is gone when it is unmounted.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use crate::command::run_blocking;
use crate::paths;

const HOST_KEY: &str = "etc/ssh/ssh_host_ed25519_key";

/// The disk of one host, mounted as long as the lab lives.
#[derive(Debug)]
pub(super) struct Disk {
    name: String,
    dir: PathBuf,
    size_mb: u32,
}

impl Disk {
    /// Mounts an empty disk with the identity of a new host. `name` is the source of its mounts, by which
    /// they are found when they have to go.
    pub(super) fn create(name: String, dir: PathBuf, size_mb: u32, hostname: &str) -> Result<Self> {
        let disk = Self { name, dir, size_mb };
        disk.mount()?;
        disk.write("etc/hostname", &format!("{hostname}\n"))?;
        disk.write(
            "etc/hosts",
            &format!("127.0.0.1 localhost\n127.0.1.1 {hostname}\n"),
        )?;
        disk.new_host_key()?;
        Ok(disk)
    }

    /// The root of the host's file system, as seen from outside.
    pub(super) fn root(&self) -> PathBuf {
        self.dir.join("root")
    }

    /// Everything that the host ever wrote is gone; its name and its host key stay.
    pub(super) fn reset(&self) -> Result<()> {
        let public = format!("{HOST_KEY}.pub");
        let kept = ["etc/hostname", "etc/hosts", HOST_KEY, &public];
        let texts = kept.map(|file| self.read(file));
        run_blocking(&["umount", &self.root().to_string_lossy()], "")?;
        run_blocking(&["umount", &self.dir.to_string_lossy()], "")?;
        self.mount()?;
        for (file, text) in kept.into_iter().zip(texts) {
            self.write(file, &text?)?;
        }
        run_blocking(
            &["chmod", "600", &self.root().join(HOST_KEY).to_string_lossy()],
            "",
        )?;
        Ok(())
    }

    /// The public half of the host key, in OpenSSH's format.
    pub(super) fn host_key(&self) -> Result<String> {
        Ok(self.read(&format!("{HOST_KEY}.pub"))?.trim().to_owned())
    }

    /// `SHA256:…` of the host key, as OpenSSH prints it.
    pub(super) fn fingerprint(&self) -> Result<String> {
        let public = self.root().join(format!("{HOST_KEY}.pub"));
        let listed = run_blocking(&["ssh-keygen", "-lf", &public.to_string_lossy()], "")?.stdout;
        let fingerprint = listed
            .split(' ')
            .nth(1)
            .context("ssh-keygen printed no fingerprint")?;
        Ok(fingerprint.to_owned())
    }

    /// Replaces the host key.
    pub(super) fn new_host_key(&self) -> Result<()> {
        let path = self.root().join(HOST_KEY);
        for old in [path.clone(), path.with_extension("pub")] {
            if old.exists() {
                std::fs::remove_file(&old)
                    .with_context(|| format!("could not remove `{}`", old.display()))?;
            }
        }
        let path = path.to_string_lossy();
        run_blocking(
            &[
                "ssh-keygen",
                "-q",
                "-t",
                "ed25519",
                "-N",
                "",
                "-C",
                "",
                "-f",
                &path,
            ],
            "",
        )?;
        Ok(())
    }

    fn mount(&self) -> Result<()> {
        let (name, dir) = (self.name.as_str(), self.dir.to_string_lossy());
        create_dir(&self.dir)?;
        run_blocking(
            &[
                "mount",
                "-t",
                "tmpfs",
                "-o",
                &format!("size={}m,mode=755", self.size_mb),
                name,
                &dir,
            ],
            "",
        )?;
        for part in ["up", "work", "root"] {
            create_dir(&self.dir.join(part))?;
        }
        let base = paths::lab().join("base");
        let layers = format!("lowerdir={},upperdir={dir}/up,workdir={dir}/work", base.display());
        run_blocking(
            &[
                "mount",
                "-t",
                "overlay",
                name,
                "-o",
                &layers,
                &format!("{dir}/root"),
            ],
            "",
        )?;
        Ok(())
    }

    fn read(&self, file: &str) -> Result<String> {
        let path = self.root().join(file);
        std::fs::read_to_string(&path).with_context(|| format!("could not read `{}`", path.display()))
    }

    fn write(&self, file: &str, text: &str) -> Result<()> {
        let path = self.root().join(file);
        std::fs::write(&path, text).with_context(|| format!("could not write `{}`", path.display()))
    }
}

fn create_dir(path: &Path) -> Result<()> {
    std::fs::create_dir_all(path).with_context(|| format!("could not create `{}`", path.display()))
}
