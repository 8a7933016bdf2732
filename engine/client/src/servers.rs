//! Servers.

use clawd_model::ServerName;
use clawd_model::api::{AddServer, HostKey, Page, ProbeServer, ServerView};
use serde_json::json;

use crate::{Client, Error};

impl Client {
    /// Servers that the selector matches; all without one.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn servers(&self, on: Option<&str>) -> Result<Page<ServerView>, Error> {
        let query: Vec<_> = on.iter().map(|on| ("on", (*on).to_owned())).collect();
        self.get(&["servers"], &query).await
    }

    /// One server.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn server(&self, name: &ServerName) -> Result<ServerView, Error> {
        self.get(&["servers", name.as_str()], &[]).await
    }

    /// Asks a machine for its host key, without adding it.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn probe_server(&self, address: &str) -> Result<HostKey, Error> {
        self.post(
            &["host-keys"],
            &ProbeServer {
                address: address.to_owned(),
            },
            None,
        )
        .await
    }

    /// Adds a server.
    ///
    /// # Errors
    /// `host-key-unconfirmed` with the host key in `more`, when no fingerprint or another one was given.
    pub async fn add_server(&self, server: &AddServer, key: Option<&str>) -> Result<ServerView, Error> {
        self.post(&["servers"], server, key).await
    }

    /// Removes a server.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn remove_server(&self, name: &ServerName) -> Result<(), Error> {
        self.delete(&["servers", name.as_str()]).await
    }

    /// Reads a server's facts anew.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn refresh_facts(&self, name: &ServerName) -> Result<ServerView, Error> {
        self.post(&["servers", name.as_str(), "facts"], &json!({}), None)
            .await
    }
}
