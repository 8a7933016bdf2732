//! When a page cannot be shown: what happened, why, and what to do next.

use askama::Template;

use super::shell::{Shell, Theme};
use crate::ui::{DigestTag, Icon, Symbol};
use clawd_model::Digest;

/// Why the gate said no.
#[derive(Clone, Debug)]
pub(crate) struct Refusal {
    /// What was asked: `run.start`.
    pub(crate) action: String,
    pub(crate) reasons: Vec<String>,
    pub(crate) policies: Vec<String>,
    pub(crate) bundle: Option<Digest>,
}

impl Refusal {
    fn tag(&self) -> Option<DigestTag> {
        self.bundle.map(DigestTag::new)
    }
}

/// What a page of an error says.
#[derive(Clone, Debug)]
pub(crate) struct ErrorText {
    pub(crate) status: u16,
    pub(crate) title: String,
    pub(crate) what: String,
    pub(crate) hint: String,
    pub(crate) refusal: Option<Refusal>,
    /// Names the failure in the log.
    pub(crate) trace: Option<String>,
}

impl ErrorText {
    pub(crate) fn symbol(&self) -> Symbol {
        match self.status {
            403 => Symbol::Denied,
            404 => Symbol::Unknown,
            _ => Symbol::Failed,
        }
    }
}

/// An error for somebody who is signed in: the frame stays.
#[derive(Clone, Debug, Template)]
#[template(path = "page/error.html")]
pub(crate) struct ErrorPage {
    pub(crate) shell: Shell,
    pub(crate) error: ErrorText,
}

/// An error for somebody who is not.
#[derive(Clone, Debug, Template)]
#[template(path = "page/error_bare.html")]
pub(crate) struct BareErrorPage {
    pub(crate) theme: Theme,
    pub(crate) error: ErrorText,
}

/// An error in place of a part of a page.
#[derive(Clone, Debug, Template)]
#[template(path = "part/error_fragment.html")]
pub(crate) struct ErrorFragment {
    pub(crate) error: ErrorText,
}
