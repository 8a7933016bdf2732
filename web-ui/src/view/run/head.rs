//! The head of a run: how it stands, why, on what it was approved, how far it is.

use askama::Template;
use askama::filters::HtmlSafe;
use clawd_model::{Digest, RunStatus, Timestamp};

use crate::ui::{Ago, DigestTag, Status, Tally, Took};

/// The head of a run.
#[derive(Clone, Debug, Template)]
#[template(path = "part/run_head.html")]
pub(crate) struct RunHead {
    pub(crate) id: String,
    pub(crate) runbook: String,
    pub(crate) status: RunStatus,
    /// One sentence: what it waits for, why it ended.
    pub(crate) why: String,
    pub(crate) requester: String,
    pub(crate) started_at: Timestamp,
    pub(crate) finished_at: Option<Timestamp>,
    pub(crate) plan: Digest,
    pub(crate) workflow: Digest,
    pub(crate) selector: Option<String>,
    pub(crate) inputs: Vec<(String, String)>,
    /// All steps on all servers.
    pub(crate) tally: Tally,
    pub(crate) can_cancel: bool,
    pub(crate) csrf: String,
    pub(crate) now: Timestamp,
}

impl HtmlSafe for RunHead {}
