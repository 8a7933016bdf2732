//! A plan: what a run would change, server by server, what the gate says to it, which votes are missing.

use askama::Template;
use clawd_model::{Digest, Timestamp};

use super::fleet::ProviderTag;
use super::shell::Shell;
use crate::ui::{Ago, Badge, DecisionView, Diff, DigestTag, MissingView, Symbol};

/// The prediction for one step on one server.
#[derive(Clone, Debug)]
pub(crate) struct PlanStep {
    pub(crate) name: String,
    pub(crate) uses: String,
    pub(crate) mark: PlanMark,
    /// One line: what would change, or why not.
    pub(crate) summary: String,
    pub(crate) diff: Option<Diff>,
    pub(crate) decision: Option<DecisionView>,
}

/// What is foreseen for a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PlanMark {
    /// It would change something.
    Changes,
    /// All is as wanted.
    Nothing,
    /// It only looks.
    Reads,
    /// It will not run.
    Skips,
    /// It depends on what earlier steps find.
    Depends,
    /// Nothing could be foreseen: an error.
    Error,
}

impl PlanMark {
    pub(crate) fn badge(self) -> Badge {
        let (symbol, word) = match self {
            Self::Changes => (Symbol::Changed, "changes"),
            Self::Nothing => (Symbol::Ok, "no change"),
            Self::Reads => (Symbol::Checking, "reads"),
            Self::Skips => (Symbol::Skipped, "skips"),
            Self::Depends => (Symbol::Pending, "depends"),
            Self::Error => (Symbol::Failed, "error"),
        };
        Badge::new(symbol, word)
    }
}

/// The predictions for one server in one job.
#[derive(Clone, Debug)]
pub(crate) struct PlanLane {
    pub(crate) server: String,
    pub(crate) provider: Option<ProviderTag>,
    pub(crate) env: String,
    pub(crate) steps: Vec<PlanStep>,
    /// Shown unfolded.
    pub(crate) open: bool,
}

impl PlanLane {
    pub(crate) fn overall(&self) -> PlanMark {
        [
            PlanMark::Error,
            PlanMark::Changes,
            PlanMark::Depends,
            PlanMark::Reads,
            PlanMark::Nothing,
        ]
        .into_iter()
        .find(|mark| self.steps.iter().any(|step| step.mark == *mark))
        .unwrap_or(PlanMark::Skips)
    }

    /// What would change here, in one line.
    pub(crate) fn summary(&self) -> String {
        let changes: Vec<&str> = self
            .steps
            .iter()
            .filter(|step| step.mark == PlanMark::Changes)
            .map(|step| step.summary.as_str())
            .collect();
        changes.join(" · ")
    }
}

/// One wave of a job.
#[derive(Clone, Debug)]
pub(crate) struct PlanWave {
    /// `canary`, `wave 2 of 3`; empty when there is only one.
    pub(crate) label: String,
    pub(crate) lanes: Vec<PlanLane>,
}

/// One job of the plan.
#[derive(Clone, Debug)]
pub(crate) struct PlanJob {
    pub(crate) name: String,
    pub(crate) needs: Vec<String>,
    pub(crate) waves: Vec<PlanWave>,
    /// What has to be voted before this job changes anything.
    pub(crate) missing: Vec<MissingView>,
}

impl PlanJob {
    pub(crate) fn servers(&self) -> usize {
        self.waves.iter().map(|wave| wave.lanes.len()).sum()
    }
}

/// How the plan stands as a whole.
#[derive(Clone, Debug, Default)]
pub(crate) struct PlanTotals {
    pub(crate) servers: usize,
    pub(crate) changes: usize,
    pub(crate) depends: usize,
    pub(crate) errors: usize,
    pub(crate) allowed: usize,
    pub(crate) need_votes: usize,
    pub(crate) denied: usize,
}

/// The plan page.
#[derive(Clone, Debug, Template)]
#[template(path = "page/plan.html")]
pub(crate) struct PlanPage {
    pub(crate) shell: Shell,
    pub(crate) runbook: String,
    pub(crate) digest: Digest,
    pub(crate) workflow: Digest,
    pub(crate) requester: String,
    pub(crate) at: Timestamp,
    pub(crate) selector: Option<String>,
    pub(crate) inputs: Vec<(String, String)>,
    /// The policies that the decisions come from.
    pub(crate) bundle: Option<Digest>,
    pub(crate) totals: PlanTotals,
    pub(crate) jobs: Vec<PlanJob>,
    /// Whether it is too old to be started.
    pub(crate) stale: bool,
    /// Makes a repeated press of the button the same request.
    pub(crate) idempotency_key: String,
}

impl PlanPage {
    fn nothing_to_do(&self) -> bool {
        self.totals.changes == 0 && self.totals.depends == 0 && self.totals.errors == 0
    }

    fn verdict(&self) -> Badge {
        match &self.totals {
            totals if totals.errors > 0 => Badge::new(Symbol::Failed, "errors"),
            totals if totals.denied > 0 => Badge::new(Symbol::Denied, "denied"),
            totals if totals.need_votes > 0 => Badge::new(Symbol::Votes, "needs approval"),
            _ if self.nothing_to_do() => Badge::new(Symbol::Ok, "nothing to do"),
            _ => Badge::new(Symbol::Ok, "allowed"),
        }
    }
}
