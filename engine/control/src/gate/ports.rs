//! What the use cases need of others, as traits that the binary implements: this crate may import neither the
//! worker nor the transport to hosts.

use std::sync::Arc;

use async_trait::async_trait;
use clawd_audit::Draft;
use clawd_model::api::HostKey;
use clawd_model::{Digest, Plan, PrincipalKind, PrincipalName, RunId, TenantName};
use clawd_workflow::Workflow;

/// A run that is to begin.
#[derive(Clone)]
pub struct NewRun {
    /// Its id.
    pub run: RunId,
    /// Whose.
    pub tenant: TenantName,
    /// The pinned workflow.
    pub workflow: Arc<Workflow>,
    /// The plan that approvals bind to; it is in the store.
    pub plan: Arc<Plan>,
    /// The plan's digest.
    pub plan_digest: Digest,
    /// Who started it.
    pub requester: PrincipalName,
    /// What kind of party that is.
    pub requester_kind: PrincipalKind,
    /// Audit records to commit together with the first event.
    pub audit: Vec<Draft>,
}

/// A run could not be admitted; nothing of it was kept.
#[derive(Debug, thiserror::Error)]
pub enum AdmitError {
    /// This node is about to end, or does not hold the lease of the run.
    #[error("this node takes no runs now")]
    Unavailable,
    /// The plan does not belong to the workflow.
    #[error("the plan does not fit the runbook: {0}")]
    Unfit(String),
    /// The commit failed.
    #[error("the run could not be stored")]
    Store(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// Who drives runs: the worker.
#[async_trait]
pub trait RunDriver: Send + Sync {
    /// Commits the run's first event, and begins to drive it.
    ///
    /// # Errors
    /// When nothing was committed.
    async fn admit(&self, run: NewRun) -> Result<(), AdmitError>;

    /// A message waits in the run's inbox.
    fn wake(&self, run: RunId);

    /// Another bundle is in force, or people or groups changed: what waits for votes is asked anew.
    fn policies_changed(&self, tenant: &TenantName);
}

/// A machine could not be asked for its host key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProbeError {
    /// The address is not `user@host:port`.
    #[error("{0}")]
    Address(String),
    /// Nobody answered, or what answered is no SSH server.
    #[error("{0}")]
    Unreachable(String),
}

/// Who asks a machine for its host key.
#[async_trait]
pub trait HostProbe: Send + Sync {
    /// Connects, takes the host key, and goes away: nobody signs in.
    ///
    /// # Errors
    /// When there is no answer.
    async fn host_key(&self, address: &str) -> Result<HostKey, ProbeError>;
}
