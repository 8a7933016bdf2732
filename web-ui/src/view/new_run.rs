//! Asking for a run: choose a runbook, its inputs and targets; the plan comes next.

use askama::Template;

use super::fleet::ProviderTag;
use super::shell::Shell;

/// A runbook that can be chosen.
#[derive(Clone, Debug)]
pub(crate) struct RunbookChoice {
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) href: String,
    pub(crate) chosen: bool,
}

/// How an input is asked for.
#[derive(Clone, Debug)]
pub(crate) enum Field {
    /// A line of text.
    Text { value: String, numeric: bool },
    /// One of these.
    Choice { value: String, values: Vec<String> },
    /// Yes or no.
    Flag { value: bool },
    /// A list of texts, one per line.
    Lines { value: String },
}

/// An input of the chosen runbook.
#[derive(Clone, Debug)]
pub(crate) struct InputField {
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) required: bool,
    pub(crate) field: Field,
    pub(crate) problem: Option<String>,
}

/// A server that the selector chooses now.
#[derive(Clone, Debug)]
pub(crate) struct Match {
    pub(crate) name: String,
    pub(crate) env: String,
    pub(crate) provider: ProviderTag,
}

/// The form.
#[derive(Clone, Debug, Template)]
#[template(path = "page/new_run.html")]
pub(crate) struct NewRunPage {
    pub(crate) shell: Shell,
    pub(crate) runbooks: Vec<RunbookChoice>,
    /// The name of the chosen runbook; nothing is asked before it is chosen.
    pub(crate) chosen: Option<String>,
    pub(crate) inputs: Vec<InputField>,
    /// What the person wrote.
    pub(crate) selector: String,
    /// What the runbook says when the person writes nothing.
    pub(crate) default_selector: String,
    pub(crate) matches: Vec<Match>,
    /// Why no plan could be made.
    pub(crate) problems: Vec<String>,
}
