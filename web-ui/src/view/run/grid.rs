//! Steps and servers: one table per job, a row per server, a column per step, waves apart from each other.

use askama::Template;
use askama::filters::HtmlSafe;
use clawd_model::{StepStatus, Timestamp};

use super::step::step_href;
use crate::ui::{Status, Tally, Took};
use crate::view::fleet::ProviderTag;

/// Which list of its job a step stands in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// `steps`.
    Steps,
    /// `rescue`.
    Rescue,
    /// `always`.
    Always,
}

impl Part {
    const fn word(self) -> &'static str {
        match self {
            Self::Steps => "",
            Self::Rescue => "rescue",
            Self::Always => "always",
        }
    }
}

/// A step of a job.
#[derive(Clone, Debug)]
pub(crate) struct Column {
    pub(crate) name: String,
    pub(crate) uses: String,
    pub(crate) part: Part,
}

/// One step on one server.
#[derive(Clone, Debug)]
pub(crate) struct Cell {
    /// `job.lane.step`: indices, as in the address of the step.
    pub(crate) key: String,
    pub(crate) status: StepStatus,
    pub(crate) began: Option<Timestamp>,
    pub(crate) ended: Option<Timestamp>,
    /// Which try; shown from the second on.
    pub(crate) attempt: u32,
}

/// One server of a job.
#[derive(Clone, Debug)]
pub(crate) struct GridLane {
    pub(crate) server: String,
    pub(crate) provider: Option<ProviderTag>,
    pub(crate) env: String,
    pub(crate) cells: Vec<Cell>,
}

/// One wave of a job.
#[derive(Clone, Debug)]
pub(crate) struct GridWave {
    /// `canary`, `wave 2 of 3`; empty when there is only one.
    pub(crate) label: String,
    /// What the wave as a whole waits for: `soaks until 09:45`.
    pub(crate) note: String,
    pub(crate) lanes: Vec<GridLane>,
    /// How many servers are left out of the page.
    pub(crate) hidden: u32,
}

/// One job.
#[derive(Clone, Debug)]
pub(crate) struct GridJob {
    pub(crate) name: String,
    /// Why it was skipped.
    pub(crate) note: String,
    pub(crate) columns: Vec<Column>,
    pub(crate) waves: Vec<GridWave>,
}

impl GridJob {
    fn tally(&self) -> Tally {
        self.waves
            .iter()
            .flat_map(|wave| &wave.lanes)
            .flat_map(|lane| &lane.cells)
            .map(|cell| cell.status)
            .collect()
    }

    /// The provider's tag that all servers of the job share: said once, beside the job's name.
    pub(crate) fn shared_provider(&self) -> Option<ProviderTag> {
        let mut tags = self
            .waves
            .iter()
            .flat_map(|wave| &wave.lanes)
            .map(|lane| lane.provider);
        let first = tags.next()??;
        tags.all(|tag| tag.is_some_and(|tag| tag.provider == first.provider))
            .then_some(first)
    }

    fn status(&self) -> StepStatus {
        self.tally().overall()
    }

    /// Whether all went as it should and nothing more will happen: shown folded.
    fn is_quiet(&self) -> bool {
        matches!(self.status(), StepStatus::Succeeded | StepStatus::Skipped)
    }

    fn lanes(&self) -> usize {
        self.waves.iter().map(|wave| wave.lanes.len()).sum()
    }

    /// The cells of a row, each with its column.
    fn pairs<'a>(&'a self, lane: &'a GridLane) -> impl Iterator<Item = (&'a Column, &'a Cell)> {
        self.columns.iter().zip(&lane.cells)
    }
}

/// All jobs.
#[derive(Clone, Debug, Template)]
#[template(path = "part/run_grid.html")]
pub(crate) struct RunGrid {
    pub(crate) run: String,
    pub(crate) jobs: Vec<GridJob>,
    /// The step that is open.
    pub(crate) selected: Option<String>,
    pub(crate) now: Timestamp,
}

impl HtmlSafe for RunGrid {}

impl RunGrid {
    fn is_selected(&self, cell: &Cell) -> bool {
        self.selected.as_deref() == Some(cell.key.as_str())
    }

    fn href(&self, cell: &Cell) -> String {
        step_href(&self.run, &cell.key)
    }
}
