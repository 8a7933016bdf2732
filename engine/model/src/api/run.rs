//! Runs, as people see them.

use serde_json::Value;

use crate::{
    ApprovalId, AttemptId, Change, Decision, Digest, JobName, LaneTarget, OperationName, PrincipalName,
    RunId, RunStatus, RunbookName, StepError, StepName, StepRef, StepStatus, Timestamp,
};

super::views! {
    /// One run of a list.
    pub struct RunSummary {
        /// Its id.
        pub id: RunId,
        /// Of which runbook.
        pub runbook: RunbookName,
        /// Of which version of it.
        pub workflow: Digest,
        /// By which plan.
        pub plan: Digest,
        /// Who started it.
        pub requester: PrincipalName,
        /// Where it stands.
        pub status: RunStatus,
        /// When it was started.
        pub started_at: Timestamp,
        /// When it was over.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub finished_at: Option<Timestamp>,
    }

    /// One run, folded from its journal.
    pub struct RunView {
        /// Id, runbook, status, times.
        #[serde(flatten)]
        pub summary: RunSummary,
        /// Inputs, defaults filled in.
        pub inputs: Value,
        /// Its jobs, in the order of the runbook.
        pub jobs: Vec<JobView>,
        /// Approvals that are open or were given, oldest first.
        pub approvals: Vec<ApprovalId>,
        /// The lock that it waits for or holds.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub lock: Option<LockView>,
        /// Why the engine gave it up, if it did.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub error: Option<StepError>,
        /// The last event that this view stands on: where to resume the stream of events.
        pub last_seq: u64,
    }

    /// A lock: runs that name the same one do their work one after the other.
    pub struct LockView {
        /// Its name.
        pub name: String,
        /// The run that has it, when that is another one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub held_by: Option<RunId>,
        /// How many runs come before this one.
        pub ahead: u32,
    }

    /// One job of a run.
    pub struct JobView {
        /// Its name.
        pub name: JobName,
        /// The jobs that it waits for.
        pub needs: Vec<JobName>,
        /// Its lanes, in the order of their numbers.
        pub lanes: Vec<LaneView>,
        /// Why it did not run.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub skipped: Option<String>,
    }

    /// One target of a job.
    pub struct LaneView {
        /// The server, or the controller.
        pub target: LaneTarget,
        /// Its wave, from 0.
        pub wave: u32,
        /// Its steps, in order.
        pub steps: Vec<StepView>,
    }

    /// One step on one server.
    pub struct StepView {
        /// Which.
        #[serde(rename = "ref")]
        pub step_ref: StepRef,
        /// Its name within the run: `rollout/web-1/apply`.
        pub path: String,
        /// Its name within the job.
        pub name: StepName,
        /// What it does.
        pub uses: OperationName,
        /// When it runs: always in turn, only after a failure, or in any case.
        pub phase: StepPhase,
        /// Where it stands.
        pub status: StepStatus,
        /// The number of the last attempt; 0 before the first.
        pub attempt: u32,
        /// The key of the last attempt: what its output is found by.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub attempt_id: Option<AttemptId>,
        /// When the last attempt began.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub started_at: Option<Timestamp>,
        /// When it ended.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub finished_at: Option<Timestamp>,
        /// What the plan predicted.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub change: Option<Change>,
        /// The gate's last answer.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub decision: Option<Decision>,
        /// The request for votes that it waits for.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub approval: Option<ApprovalId>,
        /// What the operation returned.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub output: Option<Value>,
        /// Why it failed, or what is known of an unknown one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub error: Option<StepError>,
        /// Why it was skipped.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub skipped: Option<String>,
    }

    /// What a step has printed.
    pub struct OutputView {
        /// Of which attempt.
        pub attempt: AttemptId,
        /// Pieces, in order.
        pub chunks: Vec<OutputChunk>,
        /// Where to go on reading: pass it as `from`.
        pub next: u64,
        /// Whether there is nothing more to come.
        pub complete: bool,
    }

    /// A piece of output.
    pub struct OutputChunk {
        /// `stdout`, `stderr` or `note`.
        pub stream: String,
        /// When it was taken.
        pub at: Timestamp,
        /// The text; bytes that are not UTF-8 are replaced.
        pub text: String,
    }

    /// Cancels a run.
    #[serde(deny_unknown_fields)]
    pub struct CancelRun {
        /// Why, in the caller's words.
        #[serde(default)]
        pub reason: String,
    }

    /// Decides what an unknown step came to.
    #[serde(deny_unknown_fields)]
    pub struct ResolveStep {
        /// Which: `rollout/web-1/apply`.
        pub step: String,
        /// Which attempt was looked at. A word about an earlier one is refused.
        pub attempt: u32,
        /// What it came to.
        pub resolution: Resolution,
    }
}

/// When a step of a job runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum StepPhase {
    /// In turn.
    Steps,
    /// Only after a step failed.
    Rescue,
    /// At the end, in any case.
    Always,
}

/// What a person found that an unknown step came to.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case", tag = "is", deny_unknown_fields)]
pub enum Resolution {
    /// It took place: go on with this output.
    Happened {
        /// What the operation would have returned.
        #[serde(default)]
        output: Value,
        /// Whether anything was changed.
        #[serde(default)]
        changed: bool,
    },
    /// It failed: go on as after a failure.
    Failed {
        /// What was found.
        message: String,
    },
    /// It did not take place: try again.
    DidNotHappen,
}
