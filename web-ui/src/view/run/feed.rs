//! What happened last in a run, in words, newest first.

use askama::Template;
use askama::filters::HtmlSafe;
use clawd_model::Timestamp;

use crate::ui::{Clocked, Symbol};

/// One past fact.
#[derive(Clone, Debug)]
pub(crate) struct FeedLine {
    pub(crate) seq: u64,
    pub(crate) at: Timestamp,
    pub(crate) symbol: Symbol,
    /// `web-1 / apply`; empty for facts of the run.
    pub(crate) place: String,
    pub(crate) text: String,
}

/// The last facts of a run.
#[derive(Clone, Debug, Template)]
#[template(path = "part/run_feed.html")]
pub(crate) struct RunFeed {
    pub(crate) run: String,
    pub(crate) lines: Vec<FeedLine>,
}

impl HtmlSafe for RunFeed {}
