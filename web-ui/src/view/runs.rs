//! Runs, newest first.

use askama::Template;
use clawd_model::{RunStatus, Timestamp};

use super::fleet::Simulated;
use super::shell::Shell;
use crate::ui::{Ago, Status, Took};

/// One run in a list.
#[derive(Clone, Debug)]
pub(crate) struct RunRow {
    pub(crate) id: String,
    pub(crate) runbook: String,
    pub(crate) simulated: Option<Simulated>,
    pub(crate) status: RunStatus,
    pub(crate) requester: String,
    pub(crate) started_at: Timestamp,
    pub(crate) finished_at: Option<Timestamp>,
}

/// One choice of a filter.
#[derive(Clone, Debug)]
pub(crate) struct FilterChoice {
    pub(crate) label: String,
    pub(crate) href: String,
    pub(crate) current: bool,
}

/// The list of runs.
#[derive(Clone, Debug, Template)]
#[template(path = "page/runs.html")]
pub(crate) struct RunsPage {
    pub(crate) shell: Shell,
    pub(crate) filters: Vec<FilterChoice>,
    pub(crate) runs: Vec<RunRow>,
    /// The page of older runs.
    pub(crate) older: Option<String>,
    /// Whether any filter is set.
    pub(crate) filtered: bool,
}
