//! A run, folded from its journal. Each state carries exactly the data that exists in it.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use clawd_model::{
    Approval, ApprovalId, ApprovalStatus, AttemptId, Digest, ErrorKind, LaneTarget, PlannedJob,
    PrincipalName, RunId, RunOutcome, RunStatus, RunbookName, ServerId, StepError, StepRef, StepStatus,
    TenantName, Timestamp,
};
use serde_json::Value;

/// Where a step stands.
#[derive(Clone, Debug, PartialEq)]
pub enum StepState {
    /// Its turn has not come, or it is being checked.
    Pending,
    /// The gate wants votes.
    WaitingForVotes,
    /// A failed attempt will be followed by this one, not before `at`.
    WaitingForRetry {
        /// The next try.
        attempt: u32,
        /// Not before.
        at: Timestamp,
    },
    /// An attempt has an intent and no outcome.
    Running {
        /// Which try.
        attempt: u32,
        /// Its key.
        id: AttemptId,
        /// The digest of its input.
        input: Digest,
        /// Since when.
        since: Timestamp,
    },
    /// Nobody can know what the attempt did; a person decides.
    Unknown {
        /// Which try.
        attempt: u32,
        /// What is known.
        error: StepError,
    },
    /// Done.
    Succeeded {
        /// The operation's output.
        output: Arc<Value>,
        /// Whether anything was changed.
        changed: bool,
    },
    /// Its condition was false.
    Skipped {
        /// Why.
        reason: String,
    },
    /// It failed, was denied, or was cancelled: the error's kind tells.
    Failed {
        /// After how many tries.
        attempt: u32,
        /// Why.
        error: StepError,
    },
}

impl StepState {
    /// Whether it is never left again.
    #[must_use]
    pub fn is_final(&self) -> bool {
        matches!(
            self,
            Self::Succeeded { .. } | Self::Skipped { .. } | Self::Failed { .. }
        )
    }

    /// The state as people see it.
    #[must_use]
    pub fn status(&self) -> StepStatus {
        match self {
            Self::Pending => StepStatus::Pending,
            Self::WaitingForVotes => StepStatus::WaitingForVotes,
            Self::WaitingForRetry { .. } => StepStatus::WaitingForRetry,
            Self::Running { .. } => StepStatus::Running,
            Self::Unknown { .. } => StepStatus::Unknown,
            Self::Succeeded { changed: true, .. } => StepStatus::Changed,
            Self::Succeeded { .. } => StepStatus::Succeeded,
            Self::Skipped { .. } => StepStatus::Skipped,
            Self::Failed { error, .. } => match error.kind {
                ErrorKind::Denied => StepStatus::Denied,
                ErrorKind::Cancelled => StepStatus::Cancelled,
                _ => StepStatus::Failed,
            },
        }
    }
}

/// How a lane went, in rising order of weight.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LaneVerdict {
    /// All steps did what they should.
    Fine,
    /// A step failed. `rescue` repairs the server, not the verdict.
    Failed,
    /// The gate said no.
    Denied,
    /// The run was cancelled.
    Cancelled,
}

/// The steps of one job on one target.
#[derive(Clone, Debug, PartialEq)]
pub struct Lane {
    /// All steps of the job; empty until the lane's wave begins.
    pub steps: Vec<StepState>,
    /// The number of the last attempt that each step had; 0 for none.
    pub(crate) attempts: Vec<u32>,
    /// The step whose turn it is; the number of steps when the lane is done. Derived from `steps`.
    pub(crate) cursor: usize,
    /// How the lane went so far. Derived from `steps`.
    pub(crate) verdict: LaneVerdict,
}

impl Lane {
    pub(crate) const fn idle() -> Self {
        Self {
            steps: Vec::new(),
            attempts: Vec::new(),
            cursor: 0,
            verdict: LaneVerdict::Fine,
        }
    }

    /// Whether its wave has begun.
    #[must_use]
    pub fn is_open(&self) -> bool {
        !self.steps.is_empty()
    }

    /// How it went so far.
    #[must_use]
    pub fn verdict(&self) -> LaneVerdict {
        self.verdict
    }

    /// The step whose turn it is.
    #[must_use]
    pub fn current(&self) -> Option<(u16, &StepState)> {
        Some((u16::try_from(self.cursor).ok()?, self.steps.get(self.cursor)?))
    }
}

/// Where a job stands.
#[derive(Clone, Debug, PartialEq)]
pub enum JobPhase {
    /// Jobs that it needs are not done.
    Pending,
    /// This wave runs.
    Wave(u32),
    /// The wave is done; the next one begins at this time.
    Soaking {
        /// The wave that is done.
        wave: u32,
        /// When the next begins.
        until: Timestamp,
    },
    /// It will not run.
    Skipped {
        /// Whether that is a failure: a job that it needs failed, or the run was cancelled.
        failed: bool,
    },
    /// All its waves are done, or too many lanes failed.
    Done(LaneVerdict),
}

/// One job of a run.
#[derive(Clone, Debug, PartialEq)]
pub struct JobState {
    /// Where it stands.
    pub phase: JobPhase,
    /// Its lanes, wave after wave.
    pub lanes: Vec<Lane>,
    /// The request for votes that its steps wait for or were allowed by.
    pub approval: Option<ApprovalId>,
    /// Its steps that wait for votes. Derived.
    pub(crate) waiting: BTreeSet<StepRef>,
    /// Whether a request of it was void once: more of it may drift.
    pub(crate) was_void: bool,
    /// First lane of each wave, and the number of lanes as the last entry.
    pub(crate) wave_starts: Vec<u32>,
    /// Which lane a server is.
    pub(crate) lane_of: HashMap<ServerId, u32>,
    /// Lanes of the present wave that are not done. Derived.
    pub(crate) lanes_open: u32,
    /// Lanes that did not go well. Derived.
    pub(crate) lanes_failed: u32,
}

/// A run, folded from its journal.
#[derive(Clone, Debug, PartialEq)]
pub struct RunState {
    /// Which run.
    pub run: RunId,
    /// Whose.
    pub tenant: TenantName,
    /// Of which runbook.
    pub runbook: RunbookName,
    /// Its inputs.
    pub inputs: Arc<Value>,
    /// Who started it.
    pub requester: PrincipalName,
    /// Frozen targets.
    pub targets: Arc<Vec<PlannedJob>>,
    /// The plan that approvals bind to.
    pub plan: Digest,
    /// The number of events so far.
    pub seq: u64,
    /// Its jobs, in the order of the workflow.
    pub jobs: Vec<JobState>,
    /// All requests for votes.
    pub approvals: BTreeMap<ApprovalId, Approval>,
    /// Fingerprints that replace the plan's after drift.
    pub drifted: BTreeMap<StepRef, Digest>,
    /// Steps of which a person said that their last attempt did not take place, until the next one begins.
    pub(crate) undone: BTreeSet<StepRef>,
    /// Steps that waited for votes, until their next attempt begins.
    pub(crate) asked: BTreeSet<StepRef>,
    /// Inputs that the plan could not know, and that votes were wanted for: their digests, and the request that
    /// names them.
    pub(crate) seen_inputs: BTreeMap<StepRef, (Digest, Option<ApprovalId>)>,
    /// The lock that it waits for or holds.
    pub lock: LockState,
    /// Channels that are to be told of requests for votes, and of which nobody knows that they were.
    pub(crate) untold: BTreeMap<ApprovalId, BTreeSet<String>>,
    /// Whether somebody cancelled it.
    pub cancelled: bool,
    /// How it ended.
    pub outcome: Option<RunOutcome>,
    /// Why the engine gave it up, if it did.
    pub error: Option<StepError>,
    /// Steps whose check is part of the turn that is being decided; empty between turns.
    pub(crate) just_checked: Vec<StepRef>,
    /// Steps whose check is under way.
    pub(crate) looking: Looking,
    /// The input that was asked for last.
    pub(crate) rendered: Rendered,
    /// Steps that wait for votes or for a person's decision. Derived.
    pub(crate) blocked: u32,
    /// Lanes that are open and not done. Derived.
    pub(crate) open: u32,
}

/// A run's claim on its lock.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub enum LockState {
    /// It has asked for none.
    #[default]
    None,
    /// It stands in the queue for this one.
    Waiting(String),
    /// It holds this one, until it is finished.
    Held(String),
}

/// Steps whose check is under way. That is no part of the journal: after a crash nothing is under way.
#[derive(Clone, Debug, Default)]
pub(crate) struct Looking {
    /// These.
    pub(crate) steps: BTreeSet<StepRef>,
    /// Steps that wait for votes and are not being looked at: those that the gate has not let pass.
    pub(crate) lacking: BTreeSet<StepRef>,
    /// By job: the looks that a request for votes is held back for.
    pub(crate) awaited: BTreeMap<u16, BTreeSet<StepRef>>,
}

/// The input of a step, as it was when the journal had so many events. That is no part of the journal: it only saves
/// the evaluation between the question to the gate and its answer.
#[derive(Clone, Debug, Default)]
pub(crate) struct Rendered(Option<(StepRef, u64, Arc<Value>)>);

impl Rendered {
    pub(crate) fn keep(&mut self, step: StepRef, seq: u64, input: &Arc<Value>) {
        self.0 = Some((step, seq, Arc::clone(input)));
    }

    pub(crate) fn get(&self, step: StepRef, seq: u64) -> Option<Arc<Value>> {
        let kept = self.0.as_ref();
        kept.filter(|(of, at, _)| (*of, *at) == (step, seq))
            .map(|(.., input)| Arc::clone(input))
    }
}

impl PartialEq for Rendered {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

/// All steps of a job.
pub(crate) fn steps_of(job: u16) -> std::ops::RangeInclusive<StepRef> {
    let at = |lane, step| StepRef { job, lane, step };
    at(0, 0)..=at(u32::MAX, u16::MAX)
}

impl PartialEq for Looking {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl RunState {
    /// The lane at this place.
    #[must_use]
    pub fn lane(&self, job: u16, lane: u32) -> Option<&Lane> {
        self.jobs
            .get(usize::from(job))?
            .lanes
            .get(usize::try_from(lane).ok()?)
    }

    pub(crate) fn lane_mut(&mut self, job: u16, lane: u32) -> Option<&mut Lane> {
        self.jobs
            .get_mut(usize::from(job))?
            .lanes
            .get_mut(usize::try_from(lane).ok()?)
    }

    /// The step at this place; `None` when its wave has not begun.
    #[must_use]
    pub fn step(&self, step: StepRef) -> Option<&StepState> {
        self.lane(step.job, step.lane)?.steps.get(usize::from(step.step))
    }

    /// What the lane works on.
    #[must_use]
    pub fn target(&self, job: u16, lane: u32) -> Option<&LaneTarget> {
        let starts = &self.jobs.get(usize::from(job))?.wave_starts;
        // The last wave that begins at or before the lane: waves without lanes begin where the next one does.
        let wave = starts.partition_point(|start| *start <= lane).checked_sub(1)?;
        let place = usize::try_from(lane - starts.get(wave)?).ok()?;
        self.targets.get(usize::from(job))?.waves.get(wave)?.get(place)
    }

    /// The request for votes that counts for a job now.
    #[must_use]
    pub fn approval_of(&self, job: u16) -> Option<&Approval> {
        self.approvals.get(&self.jobs.get(usize::from(job))?.approval?)
    }

    /// The run as people see it.
    #[must_use]
    pub fn status(&self) -> RunStatus {
        match self.outcome {
            Some(outcome) => outcome.into(),
            None if self.cancelled => RunStatus::Cancelling,
            None if matches!(self.lock, LockState::Waiting(_)) => RunStatus::Queued,
            None if self.open > 0 && self.blocked >= self.open && !self.soaks() => RunStatus::Waiting,
            None => RunStatus::Running,
        }
    }

    /// Whether the next wave of a job comes by itself.
    fn soaks(&self) -> bool {
        let is_soaking = |job: &JobState| matches!(job.phase, JobPhase::Soaking { .. });
        self.jobs.iter().any(is_soaking)
    }

    /// Requests that votes may be cast on.
    pub fn open_approvals(&self) -> impl Iterator<Item = &Approval> {
        self.approvals
            .values()
            .filter(|approval| approval.status == ApprovalStatus::Open)
    }
}
