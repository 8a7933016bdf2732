//! Where a run and its steps stand, as people see it.

use serde::{Deserialize, Serialize};

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum RunOutcome {
    /// Every job did what it should.
    Succeeded,
    /// A job failed.
    Failed,
    /// The gate said no, or somebody rejected it.
    Denied,
    /// Somebody cancelled it.
    Cancelled,
}

/// Where a run stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum RunStatus {
    /// It waits for its lock: no job has begun.
    Queued,
    /// Steps run, or could run.
    Running,
    /// Nothing can go on until somebody votes or decides.
    Waiting,
    /// Somebody cancelled it; attempts that began are being finished.
    Cancelling,
    /// It did what it should.
    Succeeded,
    /// A job failed.
    Failed,
    /// The gate said no, or somebody rejected it.
    Denied,
    /// Somebody cancelled it.
    Cancelled,
}

impl RunStatus {
    /// Whether nothing more will happen.
    #[must_use]
    pub const fn is_final(self) -> bool {
        matches!(
            self,
            Self::Succeeded | Self::Failed | Self::Denied | Self::Cancelled
        )
    }

    /// The word in documents and pages.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Waiting => "waiting",
            Self::Cancelling => "cancelling",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Denied => "denied",
            Self::Cancelled => "cancelled",
        }
    }
}

impl From<RunOutcome> for RunStatus {
    fn from(outcome: RunOutcome) -> Self {
        match outcome {
            RunOutcome::Succeeded => Self::Succeeded,
            RunOutcome::Failed => Self::Failed,
            RunOutcome::Denied => Self::Denied,
            RunOutcome::Cancelled => Self::Cancelled,
        }
    }
}

/// Where a step stands, as people see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum StepStatus {
    /// Its turn has not come.
    Pending,
    /// Its `check` is being repeated before it is dispatched.
    Checking,
    /// It waits for votes.
    WaitingForVotes,
    /// It waits until its next attempt.
    WaitingForRetry,
    /// An attempt runs.
    Running,
    /// Done; something was changed.
    Changed,
    /// Done; nothing had to be changed, or it only looked.
    Succeeded,
    /// Its condition was false, or an earlier step failed.
    Skipped,
    /// It failed.
    Failed,
    /// The gate said no.
    Denied,
    /// Nobody can know what it did; a person has to decide.
    Unknown,
    /// The run was cancelled before it started.
    Cancelled,
}

impl StepStatus {
    /// The word in documents and pages.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Checking => "checking",
            Self::WaitingForVotes => "waiting for votes",
            Self::WaitingForRetry => "waiting for retry",
            Self::Running => "running",
            Self::Changed => "changed",
            Self::Succeeded => "ok",
            Self::Skipped => "skipped",
            Self::Failed => "failed",
            Self::Denied => "denied",
            Self::Unknown => "unknown",
            Self::Cancelled => "cancelled",
        }
    }
}
