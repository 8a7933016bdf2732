//! Servers, as people see them.

use crate::{Facts, KeyName, Labels, ServerId, ServerName, ServerProvider};

super::views! {
    /// A managed machine. Where its private key lies is not part of the view.
    pub struct ServerView {
        /// Its id, never reused.
        pub id: ServerId,
        /// Its name, unique within the tenant.
        pub name: ServerName,
        /// How it is reached; `sim` is a simulated machine.
        pub provider: ServerProvider,
        /// `user@host:port` for SSH; free text elsewhere.
        pub address: String,
        /// The environment that policies look at.
        pub env: String,
        /// Labels that selectors choose by.
        pub labels: Labels,
        /// Never to be changed by anybody, whatever the votes.
        pub protected: bool,
        /// The pinned host key's fingerprint, `SHA256:…`; SSH only.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub host_key_fingerprint: Option<String>,
        /// What was last learnt of it, and when.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub facts: Option<Facts>,
        /// Counts the changes of this record.
        pub version: u32,
    }

    /// Adds a server.
    #[serde(deny_unknown_fields)]
    pub struct AddServer {
        /// Its name, unique within the tenant.
        pub name: ServerName,
        /// How it is reached.
        #[serde(default = "ssh")]
        pub provider: ServerProvider,
        /// `user@host:port` for SSH; free text elsewhere.
        #[serde(default)]
        pub address: String,
        /// The environment that policies look at.
        pub env: String,
        /// Labels that selectors choose by.
        #[serde(default)]
        pub labels: Labels,
        /// Never to be changed by anybody, whatever the votes.
        #[serde(default)]
        pub protected: bool,
        /// Which of the keys that were granted to the tenant to sign in with; SSH only. Keys are granted on the
        /// controller's own machine, and are never named by their path.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub identity: Option<KeyName>,
        /// The fingerprint of the host key that was looked at and accepted, `SHA256:…`; SSH only. Without it the
        /// answer is a problem that shows the fingerprint, and nothing is added.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub host_key: Option<String>,
    }

    /// Asks a machine for its host key, without adding it.
    #[serde(deny_unknown_fields)]
    pub struct ProbeServer {
        /// `user@host:port`.
        pub address: String,
    }

    /// A host key, as a machine presents it.
    pub struct HostKey {
        /// `ssh-ed25519`.
        pub algorithm: String,
        /// `SHA256:…`, as `ssh-keygen -l` prints it.
        pub fingerprint: String,
        /// OpenSSH's one-line form.
        pub line: String,
    }
}

fn ssh() -> ServerProvider {
    ServerProvider::Ssh
}
