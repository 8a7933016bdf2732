//! One server: what it is, how it is reached.

use askama::Template;

use super::fleet::ServerRow;
use super::shell::Shell;
use crate::ui::Ago;

/// One server.
#[derive(Clone, Debug, Template)]
#[template(path = "page/server.html")]
pub(crate) struct ServerPage {
    pub(crate) shell: Shell,
    pub(crate) id: String,
    pub(crate) server: ServerRow,
    pub(crate) address: String,
    /// The fingerprint of the pinned host key.
    pub(crate) host_key: Option<String>,
    /// Facts as name and value, in the order in which people want them.
    pub(crate) facts: Vec<(String, String)>,
    pub(crate) reboot_reasons: Vec<String>,
    /// Whether this person may look into the audit log.
    pub(crate) can_audit: bool,
}
