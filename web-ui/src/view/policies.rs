//! The bundle of policies that is in force.

use askama::Template;
use clawd_model::{Digest, Timestamp};

use super::shell::Shell;
use crate::ui::{Ago, Code, DigestTag};

/// One file of the bundle.
#[derive(Clone, Debug)]
pub(crate) struct PolicyFile {
    pub(crate) name: String,
    pub(crate) text: String,
}

impl PolicyFile {
    fn listing(&self) -> Code {
        Code::new(&self.name, &self.text)
    }

    fn lines(&self) -> usize {
        self.text.lines().count()
    }
}

/// An earlier or later version.
#[derive(Clone, Debug)]
pub(crate) struct BundleRow {
    pub(crate) digest: Digest,
    pub(crate) by: String,
    pub(crate) at: Timestamp,
    pub(crate) active: bool,
}

impl BundleRow {
    fn tag(&self) -> DigestTag {
        DigestTag::new(self.digest)
    }
}

/// The policies page.
#[derive(Clone, Debug, Template)]
#[template(path = "page/policies.html")]
pub(crate) struct PoliciesPage {
    pub(crate) shell: Shell,
    pub(crate) digest: Digest,
    /// How many policies it holds.
    pub(crate) policies: usize,
    pub(crate) files: Vec<PolicyFile>,
    pub(crate) versions: Vec<BundleRow>,
}
