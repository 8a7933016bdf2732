//! A new run, on its way in.

use std::sync::Arc;

use clawd_audit::Draft;
use clawd_model::{Digest, Plan, PrincipalKind, PrincipalName, RunId, TenantName};
use clawd_store::CommitError;
use clawd_workflow::Workflow;

/// A run that somebody was permitted to start.
#[derive(Clone)]
pub struct NewRun {
    /// Its id.
    pub run: RunId,
    /// Whose.
    pub tenant: TenantName,
    /// What it executes.
    pub workflow: Arc<Workflow>,
    /// The plan that approvals bind to.
    pub plan: Arc<Plan>,
    /// The plan's digest.
    pub plan_digest: Digest,
    /// Who started it.
    pub requester: PrincipalName,
    /// What kind of party that is.
    pub requester_kind: PrincipalKind,
    /// What else is recorded with the run's beginning.
    pub audit: Vec<Draft>,
}

/// Why a run was not admitted. Nothing of it is stored then.
#[derive(Debug, thiserror::Error)]
pub enum AdmitError {
    /// This process does not hold the lease on the run's shard.
    #[error("this node holds no lease for the run; try again in a moment")]
    NoLease,
    /// The plan does not belong to the workflow.
    #[error("the plan does not fit the runbook: {0}")]
    Unfit(String),
    /// The store refused.
    #[error("the run could not be stored")]
    Store(#[from] CommitError),
    /// The process is stopping.
    #[error("the engine is stopping; try again when it is back")]
    Stopping,
}
