//! Managed machines.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{KeyName, ServerId, ServerName, TenantName, Timestamp};

/// Labels that selectors choose by: `role=web`.
pub type Labels = BTreeMap<String, String>;

/// How a server is reached, hence which implementation of an operation serves it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum ServerProvider {
    /// A real machine over SSH.
    Ssh,
    /// This very machine, read-only.
    Local,
    /// A simulated machine, labelled so everywhere.
    Sim,
}

impl ServerProvider {
    /// The word in documents and pages.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ssh => "ssh",
            Self::Local => "local",
            Self::Sim => "sim",
        }
    }
}

/// What is known of a server, and since when.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Facts {
    /// The output of `host.facts`.
    pub values: Value,
    /// When it was read.
    pub at: Timestamp,
}

/// A managed machine.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Server {
    /// Its id, never reused.
    pub id: ServerId,
    /// Whose it is.
    pub tenant: TenantName,
    /// Its name, unique within the tenant.
    pub name: ServerName,
    /// How it is reached.
    pub provider: ServerProvider,
    /// `user@host:port` for SSH; free text elsewhere.
    pub address: String,
    /// The environment that policies look at: `prod`, `staging`.
    pub env: String,
    /// Labels; `env` and `name` may be selected on as well.
    #[serde(default)]
    pub labels: Labels,
    /// Never to be changed by anybody, whatever the votes.
    #[serde(default)]
    pub protected: bool,
    /// The pinned host key (OpenSSH's one-line form); SSH only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host_key: Option<String>,
    /// Which of the keys that were granted to the tenant to sign in with; SSH only. Neither the key nor its path enters
    /// the store.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identity: Option<KeyName>,
    /// What was last learnt of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub facts: Option<Facts>,
    /// Counts the changes of this record.
    pub version: u32,
}

impl Server {
    /// The value that a selector compares: a label, or the built-in `name`, `env`, `provider`.
    #[must_use]
    pub fn label(&self, key: &str) -> Option<&str> {
        match key {
            "name" => Some(self.name.as_str()),
            "env" => Some(&self.env),
            "provider" => Some(self.provider.as_str()),
            _ => self.labels.get(key).map(String::as_str),
        }
    }
}
