//! Lists servers.

use clawd_model::Server;
use clawd_model::api::{Page, ServerView};
use clawd_store::ReadError;
use clawd_workflow::Selector;

use crate::error::{Class, Explained};
use crate::gate::{Permit, ServerRead};
use crate::show_server::server_view;

/// Servers cannot be listed.
#[derive(Debug, thiserror::Error)]
pub enum ListServersError {
    /// The selector is none.
    #[error("{message}")]
    Selector {
        /// What is wrong with it.
        message: String,
        /// What to do about it.
        hint: Option<&'static str>,
    },
    /// The store could not be read.
    #[error("the store could not be read")]
    Read(#[from] ReadError),
}

impl Explained for ListServersError {
    fn class(&self) -> Class {
        match self {
            Self::Selector { .. } => Class::Invalid,
            Self::Read(_) => Class::Internal,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Selector { .. } => "invalid-selector",
            Self::Read(_) => "store",
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Selector { hint, .. } => hint.map(str::to_owned),
            Self::Read(_) => None,
        }
    }
}

/// The servers that the selector matches and that the caller may see; all of these without one.
///
/// # Errors
/// When the selector is none, or the store fails.
pub async fn list_servers(
    permit: &Permit<ServerRead>,
    on: Option<&str>,
) -> Result<Page<ServerView>, ListServersError> {
    let selector = on
        .map(Selector::parse)
        .transpose()
        .map_err(|error| ListServersError::Selector {
            message: error.to_string(),
            hint: error.hint(),
        })?;
    let matches = |server: &Server| selector.as_ref().is_none_or(|selector| selector.matches(server));
    let servers = permit.store().servers().await?;
    let items = servers
        .into_iter()
        .filter(|server| matches(server) && permit.covers(server))
        .map(|server| server_view(&server))
        .collect();
    Ok(Page { items, next: None })
}
