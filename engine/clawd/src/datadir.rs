//! The data directory: one folder, mode 0700, that holds everything of one installation.
//!
//! ```text
//! clawd-data/
//!   clawd.db          the store
//!   clawd.lock        held by the running process; proves that the previous one is gone
//!   audit.key         signs checkpoints of the audit log (0600)
//!   secrets/NAME      secrets of the installation: URLs and keys of channels (0600)
//!   secrets/TENANT/NAME   secrets that the tenant's runbooks can name (0600)
//!   keys/TENANT/NAME  private keys that the tenant may sign in to servers with, or links to them (0600)
//!   profiles.toml     addresses and tokens for the command line (0600)
//!   sim/              the simulated servers' worlds
//! ```

use std::fs::{self, File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow};
use clawd_model::product::BINARY;
use clawd_model::{Entropy, binary};

/// The file of the store.
pub(crate) const DATABASE: &str = concat!(binary!(), ".db");

/// The data directory.
#[derive(Clone, Debug)]
pub(crate) struct DataDir(PathBuf);

/// Held for as long as the process owns the directory.
#[derive(Debug)]
pub(crate) struct Lock(#[expect(dead_code, reason = "dropping the file gives the lock back")] File);

impl DataDir {
    /// Opens the directory, and makes it when it is not there.
    pub(crate) fn open(path: &Path) -> anyhow::Result<Self> {
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(path)
            .with_context(|| format!("the data directory `{}` cannot be made", path.display()))?;
        fs::set_permissions(path, fs::Permissions::from_mode(0o700)).with_context(|| {
            format!(
                "the data directory `{}` cannot be closed to others",
                path.display()
            )
        })?;
        let dir = Self(path.to_owned());
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(dir.secrets())?;
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(dir.keys())?;
        Ok(dir)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    pub(crate) fn database(&self) -> PathBuf {
        self.0.join(DATABASE)
    }

    pub(crate) fn secrets(&self) -> PathBuf {
        self.0.join("secrets")
    }

    pub(crate) fn keys(&self) -> PathBuf {
        self.0.join("keys")
    }

    pub(crate) fn profiles(&self) -> PathBuf {
        self.0.join("profiles.toml")
    }

    pub(crate) fn simulation(&self) -> PathBuf {
        self.0.join("sim")
    }

    /// Takes the directory for this process.
    pub(crate) fn lock(&self) -> anyhow::Result<Lock> {
        let path = self.0.join(concat!(binary!(), ".lock"));
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .mode(0o600)
            .open(&path)?;
        match file.try_lock() {
            Ok(()) => Ok(Lock(file)),
            Err(_) => Err(anyhow!(
                "another `{BINARY}` uses the data directory `{}`",
                self.0.display()
            )),
        }
    }

    /// The key that signs the audit log; made at the first start.
    pub(crate) fn audit_key(&self, entropy: &dyn Entropy) -> anyhow::Result<[u8; 32]> {
        let path = self.0.join("audit.key");
        if !path.exists() {
            write_private(&path, hex::encode(entropy.bytes()).as_bytes())?;
        }
        let mut text = String::new();
        File::open(&path)?.read_to_string(&mut text)?;
        let mut key = [0; 32];
        hex::decode_to_slice(text.trim(), &mut key).map_err(|_| {
            anyhow!(
                "`{}` does not hold a key of 64 hexadecimal digits",
                path.display()
            )
        })?;
        Ok(key)
    }
}

/// Writes a file that nobody else may read: beside it first, then in its place.
pub(crate) fn write_private(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let beside = path.with_extension("new");
    let mut file = OpenOptions::new()
        .create(true)
        .truncate(true)
        .write(true)
        .mode(0o600)
        .open(&beside)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&beside, path)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use clawd_model::SeededEntropy;

    use super::*;

    #[test]
    fn the_directory_is_private_and_has_one_owner() {
        let dir = tempfile::tempdir().unwrap();
        let data = DataDir::open(&dir.path().join("data")).unwrap();
        assert_eq!(
            fs::metadata(data.path()).unwrap().permissions().mode() & 0o777,
            0o700
        );
        let lock = data.lock().unwrap();
        assert!(data.lock().unwrap_err().to_string().contains("another `clawd`"));
        drop(lock);
        data.lock().unwrap();
    }

    #[test]
    fn the_audit_key_is_made_once() {
        let dir = tempfile::tempdir().unwrap();
        let data = DataDir::open(dir.path()).unwrap();
        let first = data.audit_key(&SeededEntropy::new(1)).unwrap();
        assert_eq!(data.audit_key(&SeededEntropy::new(2)).unwrap(), first);
        let mode = fs::metadata(dir.path().join("audit.key"))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}
