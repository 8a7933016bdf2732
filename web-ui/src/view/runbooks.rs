//! Runbooks: the list, and one with its source, its graph and its steps.

use askama::Template;
use clawd_model::{Digest, Risk, Timestamp};

use super::run::RunGraph;
use super::runs::RunRow;
use super::shell::Shell;
use crate::ui::{Ago, Code, DigestTag, Icon, Status, Took};

/// One runbook in a list.
#[derive(Clone, Debug)]
pub(crate) struct RunbookRow {
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) labels: Vec<(String, String)>,
    pub(crate) digest: Digest,
    pub(crate) published_by: String,
    pub(crate) published_at: Timestamp,
}

impl RunbookRow {
    fn tag(&self) -> DigestTag {
        DigestTag::new(self.digest)
    }
}

/// The list.
#[derive(Clone, Debug, Template)]
#[template(path = "page/runbooks.html")]
pub(crate) struct RunbooksPage {
    pub(crate) shell: Shell,
    pub(crate) runbooks: Vec<RunbookRow>,
}

/// One step of a runbook.
#[derive(Clone, Debug)]
pub(crate) struct RunbookStep {
    pub(crate) name: String,
    pub(crate) uses: String,
    pub(crate) summary: String,
    pub(crate) risk: Risk,
    pub(crate) mutating: bool,
    /// `rescue`, `always`, or empty.
    pub(crate) part: &'static str,
}

impl RunbookStep {
    const fn risk_word(&self) -> &'static str {
        match self.risk {
            Risk::Low => "low risk",
            Risk::Medium => "medium risk",
            Risk::High => "high risk",
        }
    }
}

/// One job of a runbook.
#[derive(Clone, Debug)]
pub(crate) struct RunbookJob {
    pub(crate) name: String,
    /// `role=web,env=prod`, or `controller`.
    pub(crate) targets: String,
    /// `canary env=staging, then 1, 50%, 100%`; may be empty.
    pub(crate) strategy: String,
    pub(crate) steps: Vec<RunbookStep>,
}

/// One input of a runbook.
#[derive(Clone, Debug)]
pub(crate) struct RunbookInput {
    pub(crate) name: String,
    pub(crate) kind: String,
    pub(crate) default: String,
    pub(crate) description: String,
}

/// One runbook.
#[derive(Clone, Debug, Template)]
#[template(path = "page/runbook.html")]
pub(crate) struct RunbookPage {
    pub(crate) shell: Shell,
    pub(crate) row: RunbookRow,
    pub(crate) graph: RunGraph,
    pub(crate) inputs: Vec<RunbookInput>,
    pub(crate) jobs: Vec<RunbookJob>,
    pub(crate) source: String,
    pub(crate) runs: Vec<RunRow>,
    pub(crate) can_run: bool,
}

impl RunbookPage {
    fn listing(&self) -> Code {
        Code::new("source", &self.source)
    }
}
