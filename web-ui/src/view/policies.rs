//! The bundle of policies that is in force.

use askama::Template;
use clawd_model::{Digest, Timestamp};

use super::shell::Shell;
use crate::ui::{Ago, Badge, Code, DigestTag, Symbol};

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

/// One policy, in a list.
#[derive(Clone, Debug)]
pub(crate) struct PolicyRow {
    pub(crate) id: String,
    /// `capability`, `guard` or `rule`.
    pub(crate) kind: String,
    pub(crate) reason: String,
    /// `prod.cedar:12`; empty for a built-in rule.
    pub(crate) place: String,
}

impl PolicyRow {
    /// What a policy of that kind does to a question.
    fn badge(&self) -> Badge {
        let symbol = match self.kind.as_str() {
            "capability" => Symbol::Ok,
            "guard" => Symbol::Votes,
            _ => Symbol::Denied,
        };
        Badge::new(symbol, self.kind.as_str())
    }
}

/// The policies page.
#[derive(Clone, Debug, Template)]
#[template(path = "page/policies.html")]
pub(crate) struct PoliciesPage {
    pub(crate) shell: Shell,
    pub(crate) digest: Digest,
    pub(crate) published_by: String,
    pub(crate) published_at: Timestamp,
    /// All policies, built-in rules included.
    pub(crate) policies: Vec<PolicyRow>,
    pub(crate) files: Vec<PolicyFile>,
}
