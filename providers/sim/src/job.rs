//! A job of a simulated server: what it was asked, until when it runs, and what it came to.

use clawd_model::{Digest, OperationName, StepError, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A job.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Job {
    pub(crate) operation: OperationName,
    /// What tells the same request from another one under the same attempt id.
    pub(crate) input_digest: Digest,
    /// The highest epoch that asked for it.
    pub(crate) epoch: u64,
    pub(crate) started_at: Timestamp,
    pub(crate) ends_at: Timestamp,
    /// What it prints, spread over its time.
    pub(crate) lines: Vec<String>,
    pub(crate) state: JobState,
}

/// Where a job stands. What it was asked is forgotten once it is done: it may hold a secret.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "is")]
pub(crate) enum JobState {
    /// It runs until `ends_at`.
    Running {
        input: Value,
        /// How it will go wrong.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        ends_in: Option<BadEnd>,
    },
    /// It took place.
    Done { output: Value, changed: bool },
    /// It says that it failed, and changed nothing.
    Failed { error: StepError },
    /// The power went while it ran: nobody can know.
    Lost,
}

/// How a job goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum BadEnd {
    Failure,
    PowerCut,
}

impl Job {
    pub(crate) fn is_running(&self) -> bool {
        matches!(self.state, JobState::Running { .. })
    }

    pub(crate) fn runs_at(&self, now: Timestamp) -> bool {
        self.is_running() && self.started_at <= now && now < self.ends_at
    }
}
