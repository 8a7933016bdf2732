//! Private keys that were granted to tenants: `FOLDER/TENANT/NAME`, each a key or a link to one.
//!
//! A server's record names a key, never a path. Only whoever can write the folder, the operator of the machine, decides
//! which files a tenant may sign in with; and a tenant can name its own keys only.

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use clawd_model::{KeyName, Server, TenantName};

/// The folder of keys.
#[derive(Clone, Debug)]
pub struct Keys(PathBuf);

/// One key of a tenant.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct KeyFile {
    /// As messages call it: paths are nobody's business but the operator's.
    name: KeyName,
    path: PathBuf,
}

impl Keys {
    /// The keys in a folder. It may come later.
    #[must_use]
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self(folder.into())
    }

    /// One key of a tenant. Names have no slashes and do not begin with a dot: neither can leave the folder.
    #[must_use]
    pub fn of(&self, tenant: &TenantName, name: &KeyName) -> KeyFile {
        KeyFile {
            name: name.clone(),
            path: self.0.join(tenant.as_str()).join(name.as_str()),
        }
    }

    /// The key that a server's record names.
    pub(crate) fn of_server(&self, server: &Server) -> Option<KeyFile> {
        server.identity.as_ref().map(|name| self.of(&server.tenant, name))
    }
}

impl KeyFile {
    pub(crate) fn name(&self) -> &KeyName {
        &self.name
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Which files the key and its certificate are now: another stamp when one of them was replaced.
    pub(crate) fn stamp(&self) -> Stamp {
        let of = |path: &Path| {
            let metadata = std::fs::metadata(path).ok()?;
            Some((
                metadata.ino(),
                metadata.len(),
                metadata.mtime(),
                metadata.mtime_nsec(),
            ))
        };
        let Ok(key) = std::fs::canonicalize(&self.path) else {
            return Stamp(None, None);
        };
        let mut certificate = key.clone().into_os_string();
        certificate.push("-cert.pub");
        Stamp(of(&key), of(Path::new(&certificate)))
    }
}

type Seen = Option<(u64, u64, i64, i64)>;

/// What a key and its certificate were when somebody looked.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Stamp(Seen, Seen);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tenant_reaches_its_own_keys_only() {
        let keys = Keys::new("/data/keys");
        let path = |tenant: &str, name: &str| {
            let key = keys.of(&tenant.parse().unwrap(), &name.parse().unwrap());
            key.path().to_owned()
        };
        assert_eq!(
            path("acme", "id_ed25519"),
            Path::new("/data/keys/acme/id_ed25519")
        );
        assert_ne!(path("acme", "web"), path("demo", "web"));
        for outside in [
            "..",
            "../demo/web",
            "/home/ops/.ssh/id_ed25519",
            "demo/web",
            ".",
            ".ssh",
            "",
        ] {
            assert!(outside.parse::<KeyName>().is_err(), "{outside}");
            assert!(outside.parse::<TenantName>().is_err(), "{outside}");
        }
    }
}
