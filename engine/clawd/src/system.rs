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

/// Secrets as files: `DATA_DIR/secrets/TENANT/NAME`. What lies in `secrets` itself belongs to the installation (URLs and
/// keys of channels, `clawd.toml`): no runbook of any tenant can name it.
#[derive(Clone, Debug)]
pub(crate) struct SecretFiles(pub(crate) PathBuf);

impl Secrets for SecretFiles {
    fn get(&self, tenant: &TenantName, name: &SecretName) -> Option<String> {
        // Names are letters, digits and underscores, tenants are slugs: neither can leave the folder.
        let path = self.0.join(tenant.as_str()).join(name.as_str());
        let text = std::fs::read_to_string(path).ok()?;
        Some(text.trim_end_matches('\n').to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tenant_sees_its_own_secrets_and_no_others() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("acme")).unwrap();
        std::fs::write(dir.path().join("OPS_WEBHOOK"), "of the installation\n").unwrap();
        std::fs::write(dir.path().join("acme/TOKEN"), "of acme\n").unwrap();
        let files = SecretFiles(dir.path().to_owned());
        let get = |tenant: &str, name: &str| files.get(&tenant.parse().unwrap(), &name.parse().unwrap());
        assert_eq!(get("acme", "TOKEN").as_deref(), Some("of acme"));
        assert_eq!(get("demo", "TOKEN"), None);
        for tenant in ["acme", "demo"] {
            assert_eq!(get(tenant, "OPS_WEBHOOK"), None, "{tenant}");
        }
    }
}
