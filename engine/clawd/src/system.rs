//! The real clock, the real chance, and the real files of secrets. The only place that reads them.

use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use clawd_model::{Clock, Entropy, SecretName, TenantName, Timestamp};
use clawd_worker::Secrets;

/// The wall clock.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is where time comes from")]
    fn now(&self) -> Timestamp {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }
}

/// The operating system's randomness.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct OsEntropy;

impl Entropy for OsEntropy {
    fn bytes(&self) -> [u8; 32] {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes).expect("the operating system gives randomness");
        bytes
    }
}

/// Secrets as files: `DATA_DIR/secrets/NAME` for every tenant, or `DATA_DIR/secrets/TENANT/NAME` for one.
#[derive(Clone, Debug)]
pub(crate) struct SecretFiles(pub(crate) PathBuf);

impl Secrets for SecretFiles {
    fn get(&self, tenant: &TenantName, name: &SecretName) -> Option<String> {
        // Names are letters, digits and underscores, tenants are slugs: neither can leave the folder.
        let of_tenant = self.0.join(tenant.as_str()).join(name.as_str());
        let of_all = self.0.join(name.as_str());
        let text = std::fs::read_to_string(of_tenant)
            .or_else(|_| std::fs::read_to_string(of_all))
            .ok()?;
        Some(text.trim_end_matches('\n').to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tenant_sees_its_own_secret_first() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("acme")).unwrap();
        std::fs::write(dir.path().join("TOKEN"), "for all\n").unwrap();
        std::fs::write(dir.path().join("acme/TOKEN"), "for acme\n").unwrap();
        let files = SecretFiles(dir.path().to_owned());
        let get = |tenant: &str| files.get(&tenant.parse().unwrap(), &"TOKEN".parse().unwrap());
        assert_eq!(get("acme").as_deref(), Some("for acme"));
        assert_eq!(get("demo").as_deref(), Some("for all"));
        assert_eq!(
            files.get(&"demo".parse().unwrap(), &"OTHER".parse().unwrap()),
            None
        );
    }
}
