//! One run, live: its head, the graph of its jobs, the grid of steps and servers, what it waits for, one step in
//! detail, and what happened last.
//!
//! Each part is a fragment with an id of its own. The page prints all of them; the event stream of the run sends
//! those that changed, and the page's script puts them in place. Without a script, reloading shows the same.

mod feed;
mod graph;
mod grid;
mod head;
mod step;

use askama::Template;

pub(crate) use feed::{FeedLine, RunFeed};
pub(crate) use graph::{GraphJob, RunGraph};
pub(crate) use grid::{Cell, Column, GridJob, GridLane, GridWave, Part, RunGrid};
pub(crate) use head::RunHead;
pub(crate) use step::{
    AttemptError, AttemptView, CheckView, OutputLine, OutputStream, OutputView, StepPanel, Waiting,
};

use super::approvals::ApprovalPanel;
use super::shell::{NavCount, Shell};

/// The page of a run.
#[derive(Clone, Debug, Template)]
#[template(path = "page/run.html")]
pub(crate) struct RunPage {
    pub(crate) shell: Shell,
    pub(crate) head: RunHead,
    pub(crate) approvals: RunApprovals,
    pub(crate) graph: RunGraph,
    pub(crate) grid: RunGrid,
    pub(crate) feed: RunFeed,
    /// The step that is open.
    pub(crate) step: Option<StepPanel>,
    /// The stream of this run's changes; absent once nothing changes any more.
    pub(crate) stream: Option<String>,
}

/// The requests for votes that this run waits for.
#[derive(Clone, Debug, Template)]
#[template(path = "part/run_approvals.html")]
pub(crate) struct RunApprovals {
    pub(crate) panels: Vec<ApprovalPanel>,
}

impl askama::filters::HtmlSafe for RunApprovals {}

/// One message of a run's event stream: the parts that changed.
#[derive(Clone, Debug, Default, Template)]
#[template(path = "part/run_update.html")]
pub(crate) struct RunUpdate {
    pub(crate) head: Option<RunHead>,
    pub(crate) approvals: Option<RunApprovals>,
    pub(crate) graph: Option<RunGraph>,
    pub(crate) grid: Option<RunGrid>,
    pub(crate) feed: Option<RunFeed>,
    /// How many requests wait for this person, for the navigation.
    pub(crate) waiting: Option<NavCount>,
}
