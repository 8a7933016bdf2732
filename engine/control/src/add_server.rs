//! Adds a server.
//!
//! Trust on first use is explicit: the machine is asked for its host key, and unless the caller names that key's
//! fingerprint, the answer is the fingerprint and nothing is added. The key that is pinned is the one that was
//! presented and accepted, so a machine that shows another key between the two questions is not added.

use clawd_model::api::{AddServer, HostKey, ServerView};
use clawd_model::{Server, ServerId, ServerName, ServerProvider};
use clawd_store::WriteError;
use serde_json::json;

use crate::error::{Class, Explained};
use crate::gate::{Permit, ProbeError, ServerAdd};
use crate::show_server::server_view;

/// A server was not added.
#[derive(Debug, thiserror::Error)]
pub enum AddServerError {
    /// A server of that name is there.
    #[error("there is a server `{0}` already")]
    Exists(ServerName),
    /// The environment is empty, or a label is no label.
    #[error("{0}")]
    Invalid(String),
    /// The machine could not be asked for its host key.
    #[error("the machine at `{address}` cannot be asked for its host key: {source}")]
    Probe {
        /// Where.
        address: String,
        /// Why.
        source: ProbeError,
    },
    /// Nobody has accepted the host key yet.
    #[error("the machine at `{address}` shows the host key `{}`; nobody has accepted it yet", key.fingerprint)]
    Unconfirmed {
        /// Where.
        address: String,
        /// The key that it shows.
        key: Box<HostKey>,
    },
    /// Another host key than the accepted one.
    #[error("the machine at `{address}` shows the host key `{}`, and `{accepted}` was accepted", key.fingerprint)]
    OtherKey {
        /// Where.
        address: String,
        /// The key that it shows.
        key: Box<HostKey>,
        /// The fingerprint that was accepted.
        accepted: String,
    },
    /// The store could not be written.
    #[error("the store could not be written")]
    Write(#[source] WriteError),
}

impl Explained for AddServerError {
    fn class(&self) -> Class {
        match self {
            Self::Exists(_) | Self::Unconfirmed { .. } | Self::OtherKey { .. } => Class::Conflict,
            Self::Invalid(_)
            | Self::Probe {
                source: ProbeError::Address(_),
                ..
            } => Class::Invalid,
            Self::Probe { .. } => Class::Unreachable,
            Self::Write(_) => Class::Internal,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Exists(_) => "server-exists",
            Self::Invalid(_) => "invalid-server",
            Self::Probe {
                source: ProbeError::Address(_),
                ..
            } => "invalid-address",
            Self::Probe { .. } => "unreachable",
            Self::Unconfirmed { .. } => "host-key-unconfirmed",
            Self::OtherKey { .. } => "host-key-changed",
            Self::Write(_) => "store",
        }
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Exists(_) => "choose another name, or remove the server first".to_owned(),
            Self::Probe {
                source: ProbeError::Address(_),
                ..
            } => "an address looks like `root@203.0.113.5:22`".to_owned(),
            Self::Probe { .. } => "is the machine up, and may the controller reach its SSH port?".to_owned(),
            Self::Unconfirmed { .. } => {
                "compare it with `ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub` on the \
                machine itself, then send it as `host_key`"
                    .to_owned()
            }
            Self::OtherKey { .. } => {
                "somebody may be in between: compare the key on the machine itself".to_owned()
            }
            Self::Invalid(_) | Self::Write(_) => return None,
        })
    }

    fn more(&self) -> Option<(&'static str, serde_json::Value)> {
        match self {
            Self::Unconfirmed { key, .. } | Self::OtherKey { key, .. } => Some(("host_key", json!(key))),
            _ => None,
        }
    }
}

/// Asks a machine for its host key, and adds nothing.
///
/// # Errors
/// When there is no answer.
pub async fn probe_server(permit: &Permit<ServerAdd>, address: &str) -> Result<HostKey, AddServerError> {
    permit
        .app()
        .probe()
        .host_key(address)
        .await
        .map_err(|source| AddServerError::Probe {
            address: address.to_owned(),
            source,
        })
}

/// Adds a server.
///
/// # Errors
/// When the name is taken, the host key is not accepted, or the machine does not answer.
pub async fn add_server(permit: &Permit<ServerAdd>, wanted: AddServer) -> Result<ServerView, AddServerError> {
    validate(&wanted)?;
    let host_key = match wanted.provider {
        ServerProvider::Ssh => Some(accepted_key(permit, &wanted).await?),
        ServerProvider::Local | ServerProvider::Sim => None,
    };
    let app = permit.app();
    let mut server = Server {
        id: ServerId::new(app.now(), app.entropy()),
        tenant: permit.tenant().clone(),
        name: wanted.name,
        provider: wanted.provider,
        address: wanted.address,
        env: wanted.env,
        labels: wanted.labels,
        protected: wanted.protected,
        host_key: host_key.map(|key| key.line),
        identity: wanted.identity,
        facts: None,
        version: 0,
    };
    let view = server_view(&server);
    let data = json!({
        "id": server.id, "provider": server.provider, "address": server.address, "env": server.env,
        "labels": server.labels, "protected": server.protected, "identity": server.identity, "host_key": view.host_key_fingerprint,
    });
    let record = permit.record("server.added", format!("server/{}", server.name), data);
    match permit.store().put_server(&server, &[record]).await {
        Ok(()) => {}
        Err(WriteError::Exists(_)) => return Err(AddServerError::Exists(server.name)),
        Err(error) => return Err(AddServerError::Write(error)),
    }
    app.driver().policies_changed(permit.tenant());
    server.version = 1;
    Ok(server_view(&server))
}

async fn accepted_key(permit: &Permit<ServerAdd>, wanted: &AddServer) -> Result<HostKey, AddServerError> {
    let key = Box::new(probe_server(permit, &wanted.address).await?);
    let address = wanted.address.clone();
    match &wanted.host_key {
        None => Err(AddServerError::Unconfirmed { address, key }),
        Some(accepted) if *accepted != key.fingerprint => Err(AddServerError::OtherKey {
            address,
            key,
            accepted: accepted.clone(),
        }),
        Some(_) => Ok(*key),
    }
}

fn validate(wanted: &AddServer) -> Result<(), AddServerError> {
    let text = |what: &str, text: &str, max: usize| {
        let fine = !text.is_empty() && text.len() <= max && !text.chars().any(char::is_control);
        if fine {
            Ok(())
        } else {
            Err(AddServerError::Invalid(format!(
                "{what} must have 1 to {max} characters"
            )))
        }
    };
    text("the environment", &wanted.env, 63)?;
    if wanted.provider == ServerProvider::Ssh || !wanted.address.is_empty() {
        text("the address", &wanted.address, 255)?;
    }
    if wanted.labels.len() > 64 {
        return Err(AddServerError::Invalid(
            "a server has at most 64 labels".to_owned(),
        ));
    }
    for (key, value) in &wanted.labels {
        if matches!(key.as_str(), "name" | "env" | "provider") {
            return Err(AddServerError::Invalid(format!(
                "`{key}` is built in, and cannot be a label"
            )));
        }
        text("a label's name", key, 63)?;
        text("a label's value", value, 255)?;
    }
    Ok(())
}
