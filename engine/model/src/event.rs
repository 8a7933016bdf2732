//! A run's past facts. The journal is the ordered list of these; a run is their fold.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    ApprovalId, ApprovalSubject, AttemptId, Decision, Digest, DurationMs, MissingVotes, Outcome, PlannedJob,
    PrincipalKind, PrincipalName, RunId, RunOutcome, RunbookName, StepError, StepRef, TenantName, Timestamp,
    Vote,
};

const fn user() -> PrincipalKind {
    PrincipalKind::User
}

/// A past fact of one run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case", tag = "type")]
pub enum Event {
    /// Somebody started the run. Always the first event.
    RunStarted {
        /// Which run.
        run: RunId,
        /// Whose.
        tenant: TenantName,
        /// Of which runbook.
        runbook: RunbookName,
        /// Pinned for the life of the run.
        workflow: Digest,
        /// The plan that approvals bind to.
        plan: Digest,
        /// Inputs, defaults filled in.
        inputs: Value,
        /// Who started it.
        requester: PrincipalName,
        /// What kind of party that is.
        #[serde(default = "user")]
        requester_kind: PrincipalKind,
        /// Frozen targets, in the order of the workflow's jobs.
        #[cfg_attr(feature = "openapi", schema(value_type = Vec<PlannedJob>))]
        jobs: Arc<Vec<PlannedJob>>,
    },
    /// The run stands in the queue for its lock: no job begins before it holds it.
    LockRequested {
        /// Which.
        lock: String,
    },
    /// The run holds its lock, until it is finished.
    LockTaken {
        /// Which.
        lock: String,
    },
    /// A step's condition was false.
    StepSkipped {
        /// Which step.
        step: StepRef,
        /// Why.
        reason: String,
    },
    /// A step could not begin: its expressions failed, or its server is gone.
    StepFailed {
        /// Which step.
        step: StepRef,
        /// Why.
        error: StepError,
    },
    /// The step's `check` was repeated just before it is dispatched.
    StepChecked {
        /// Which step.
        step: StepRef,
        /// What it would change now.
        fingerprint: Digest,
        /// Whether that is not what was planned.
        drifted: bool,
        /// What it would change now, for people, when it drifted.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        now: String,
    },
    /// An input that the plan could not know is known, and votes are wanted for it.
    InputSeen {
        /// Which step.
        step: StepRef,
        /// The digest of its input.
        input: Digest,
    },
    /// The gate said no, or wants votes. An allow stands in the attempt that it let start.
    GateDecided {
        /// Which step.
        step: StepRef,
        /// The answer.
        decision: Decision,
    },
    /// Votes are asked for.
    ApprovalRequested {
        /// Its id.
        approval: ApprovalId,
        /// What votes bind to.
        subject: ApprovalSubject,
        /// What is missing.
        missing: Vec<MissingVotes>,
        /// Why.
        reasons: Vec<String>,
        /// How long a vote counts, in milliseconds.
        vote_ttl_ms: DurationMs,
        /// Channels to tell.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        notify: Vec<String>,
    },
    /// A channel was told that votes are wanted.
    ApprovalAnnounced {
        /// Which approval.
        approval: ApprovalId,
        /// Which channel.
        channel: String,
    },
    /// Somebody voted.
    VoteCast {
        /// The vote.
        vote: Vote,
    },
    /// What an approval still lacks has changed: a vote arrived or expired, somebody left, a policy changed.
    ApprovalUpdated {
        /// Which.
        approval: ApprovalId,
        /// What is missing now.
        missing: Vec<MissingVotes>,
        /// Why.
        reasons: Vec<String>,
        /// How long a vote counts from now on, when a stricter policy asks.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        vote_ttl_ms: Option<DurationMs>,
    },
    /// The gate was satisfied by the votes.
    ApprovalGranted {
        /// Which.
        approval: ApprovalId,
        /// Whose votes counted.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        voters: Vec<PrincipalName>,
    },
    /// Somebody said no.
    ApprovalRejected {
        /// Which.
        approval: ApprovalId,
        /// Who.
        by: PrincipalName,
    },
    /// The world drifted from what people had looked at: their votes no longer count.
    ApprovalVoided {
        /// Which.
        approval: ApprovalId,
        /// What drifted.
        reason: String,
    },
    /// Intent: durable before the operation is called.
    AttemptStarted {
        /// Which step.
        step: StepRef,
        /// Which try, from 1.
        attempt: u32,
        /// Its key.
        id: AttemptId,
        /// The digest of its input.
        input: Digest,
        /// The gate's allow.
        decision: Decision,
    },
    /// Outcome: durable before anything that depends on it.
    AttemptFinished {
        /// Which step.
        step: StepRef,
        /// Which try.
        attempt: u32,
        /// What it came to.
        outcome: Outcome,
    },
    /// The step will be tried again.
    RetryScheduled {
        /// Which step.
        step: StepRef,
        /// The next try.
        attempt: u32,
        /// Not before.
        at: Timestamp,
    },
    /// A person decided what an unknown step came to.
    UnknownResolved {
        /// Which step.
        step: StepRef,
        /// Who decided.
        by: PrincipalName,
        /// What they say it came to; `None`: it did not take place, try again.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        outcome: Option<Outcome>,
    },
    /// The next wave of a job waits, for `soak`.
    SoakStarted {
        /// Which job.
        job: u16,
        /// Until when.
        until: Timestamp,
    },
    /// A wave of a job began.
    WaveStarted {
        /// Which job.
        job: u16,
        /// Which wave, from 0.
        wave: u32,
    },
    /// A job will not run: its condition was false, it has no targets, or a job that it needs failed.
    JobSkipped {
        /// Which job.
        job: u16,
        /// Why.
        reason: String,
        /// Whether that is a failure: a job that it needs failed, or the run was cancelled.
        #[serde(default)]
        failed: bool,
    },
    /// Somebody cancelled the run.
    CancelRequested {
        /// Who.
        by: PrincipalName,
        /// Why, in their words.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        reason: String,
    },
    /// The run is over. Always the last event.
    RunFinished {
        /// How.
        outcome: RunOutcome,
        /// Why the engine gave it up, if it did.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        error: Option<StepError>,
    },
}

/// An event with its place in the journal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Recorded {
    /// Counts from 1 within the run, without gaps.
    pub seq: u64,
    /// When it was decided.
    pub at: Timestamp,
    /// The fact.
    pub event: Event,
}
