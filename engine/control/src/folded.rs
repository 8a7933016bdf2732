//! Runs as they were last folded, kept in memory, so that looking at a run again costs as much as what has happened
//! since, and not as much as its whole journal.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use clawd_model::{ApprovalId, AttemptId, Decision, Event, Recorded, RunId, StepError, StepRef, Timestamp};
use clawd_scheduler::{Corrupt, Program, RunState};
use clawd_store::{ReadError, RunRow};

use crate::error::{Class, Explained};
use crate::gate::{Permit, RunRead, Target};

/// How many runs are kept.
const KEPT: usize = 64;
/// How many events are read at once.
const PAGE: u32 = 5_000;

/// Runs as they were last folded.
#[derive(Default)]
pub(crate) struct FoldedRuns(Mutex<Kept>);

#[derive(Default)]
struct Kept {
    runs: HashMap<RunId, Arc<tokio::sync::Mutex<Option<Folded>>>>,
    /// The oldest first.
    order: VecDeque<RunId>,
}

impl FoldedRuns {
    fn slot(&self, run: RunId) -> Arc<tokio::sync::Mutex<Option<Folded>>> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(slot) = kept.runs.get(&run) {
            return Arc::clone(slot);
        }
        if kept.order.len() >= KEPT
            && let Some(oldest) = kept.order.pop_front()
        {
            kept.runs.remove(&oldest);
        }
        let slot = Arc::default();
        kept.runs.insert(run, Arc::clone(&slot));
        kept.order.push_back(run);
        slot
    }
}

/// What people want to know of a step beside its state.
#[derive(Clone, Debug, Default)]
pub(crate) struct Detail {
    pub(crate) attempt: u32,
    pub(crate) attempt_id: Option<AttemptId>,
    pub(crate) started_at: Option<Timestamp>,
    pub(crate) finished_at: Option<Timestamp>,
    pub(crate) decision: Option<Decision>,
}

/// A run, folded.
pub(crate) struct Folded {
    pub(crate) program: Program,
    pub(crate) state: RunState,
    pub(crate) details: HashMap<StepRef, Detail>,
    pub(crate) approvals: Vec<ApprovalId>,
    pub(crate) skipped_jobs: HashMap<u16, String>,
    pub(crate) seq: u64,
}

/// A run cannot be shown.
#[derive(Debug, thiserror::Error)]
pub enum FoldError {
    /// Its runbook no longer fits the operations of this process.
    #[error("the runbook of run `{0}` does not fit the operations of this version")]
    Unusable(RunId),
    /// Its plan is not stored, or its journal is empty.
    #[error("run `{0}` is not complete in the store")]
    Incomplete(RunId),
    /// Its journal makes no sense.
    #[error("the journal cannot be folded")]
    Corrupt(#[from] Corrupt),
    /// The store could not be read.
    #[error("the store could not be read")]
    Read(#[from] ReadError),
}

impl Explained for FoldError {
    fn class(&self) -> Class {
        match self {
            Self::Unusable(_) => Class::Conflict,
            Self::Incomplete(_) | Self::Corrupt(_) | Self::Read(_) => Class::Internal,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Unusable(_) => "runbook-unusable",
            Self::Incomplete(_) | Self::Corrupt(_) => "journal",
            Self::Read(_) => "store",
        }
    }
}

/// Folds what has happened since the run was last looked at, and gives the run to `use_it`.
pub(crate) async fn with_run<T>(
    permit: &Permit<RunRead, RunRow>,
    use_it: impl FnOnce(&Folded) -> T,
) -> Result<T, FoldError> {
    let run = permit.on();
    let slot = permit.app().folded().slot(run.id);
    let mut slot = slot.lock().await;
    // A fold that fails leaves nothing half done behind.
    let mut folded = match slot.take() {
        Some(folded) => folded,
        None => begin(permit, run).await?,
    };
    loop {
        let events = permit.store().events(run.id, folded.seq, PAGE).await?;
        if events.is_empty() {
            break;
        }
        for recorded in &events {
            folded.take(recorded)?;
        }
    }
    let answer = use_it(&folded);
    *slot = Some(folded);
    Ok(answer)
}

async fn begin<On: Target>(permit: &Permit<RunRead, On>, run: &RunRow) -> Result<Folded, FoldError> {
    let store = permit.store();
    let incomplete = || FoldError::Incomplete(run.id);
    let version = store
        .runbook_by_digest(run.workflow)
        .await?
        .ok_or_else(incomplete)?;
    let workflow = permit
        .app()
        .workflow(version.digest, &version.source)
        .ok_or(FoldError::Unusable(run.id))?;
    let plan = store.run_plan(run.id).await?.ok_or_else(incomplete)?;
    let program = Program::new(workflow, Arc::new(plan), permit.app().registry().specs());
    let first = store.events(run.id, 0, 1).await?.pop().ok_or_else(incomplete)?;
    let state = RunState::begin(&program, &first.event)?;
    Ok(Folded {
        program,
        state,
        details: HashMap::new(),
        approvals: Vec::new(),
        skipped_jobs: HashMap::new(),
        seq: first.seq,
    })
}

impl Folded {
    fn take(&mut self, recorded: &Recorded) -> Result<(), Corrupt> {
        self.state.apply(&self.program, &recorded.event, recorded.at)?;
        self.seq = recorded.seq;
        match &recorded.event {
            Event::GateDecided { step, decision } => self.detail(*step).decision = Some(decision.clone()),
            Event::AttemptStarted {
                step,
                attempt,
                id,
                decision,
                ..
            } => {
                let detail = self.detail(*step);
                detail.decision = Some(decision.clone());
                detail.attempt = *attempt;
                detail.attempt_id = Some(*id);
                detail.started_at = Some(recorded.at);
                detail.finished_at = None;
            }
            Event::AttemptFinished { step, .. }
            | Event::StepFailed { step, .. }
            | Event::StepSkipped { step, .. } => {
                self.detail(*step).finished_at = Some(recorded.at);
            }
            Event::UnknownResolved {
                step,
                outcome: Some(_),
                ..
            } => {
                self.detail(*step).finished_at = Some(recorded.at);
            }
            Event::ApprovalRequested { approval, .. } => self.approvals.push(*approval),
            Event::JobSkipped { job, reason, .. } => {
                self.skipped_jobs.insert(*job, reason.clone());
            }
            _ => {}
        }
        Ok(())
    }

    fn detail(&mut self, step: StepRef) -> &mut Detail {
        self.details.entry(step).or_default()
    }

    /// `rollout/web-1/apply`.
    pub(crate) fn path(&self, step: StepRef) -> Option<String> {
        let job = self.program.job(step.job)?;
        let target = self.state.target(step.job, step.lane)?;
        let name = &job.steps.get(usize::from(step.step))?.name;
        Some(format!("{}/{}/{name}", job.name, target.name))
    }

    /// The step of that path.
    pub(crate) fn find(&self, path: &str) -> Option<StepRef> {
        let (job_name, rest) = path.split_once('/')?;
        let (target, step_name) = rest.split_once('/')?;
        let jobs = &self.program.workflow.jobs;
        let job = jobs.iter().position(|job| job.name.as_str() == job_name)?;
        let step = jobs
            .get(job)?
            .steps
            .iter()
            .position(|step| step.name.as_str() == step_name)?;
        let mut lanes = self.state.targets.get(job)?.waves.iter().flatten();
        let lane = lanes.position(|lane| lane.name.as_str() == target)?;
        Some(StepRef {
            job: u16::try_from(job).ok()?,
            lane: u32::try_from(lane).ok()?,
            step: u16::try_from(step).ok()?,
        })
    }
}

/// Why a step failed, or what is known of an unknown one.
pub(crate) fn step_error(state: &clawd_scheduler::StepState) -> Option<StepError> {
    match state {
        clawd_scheduler::StepState::Failed { error, .. }
        | clawd_scheduler::StepState::Unknown { error, .. } => Some(error.clone()),
        _ => None,
    }
}
