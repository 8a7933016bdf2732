//! Brings a stored run back: its workflow, its plan, its journal, folded.

use std::sync::Arc;

use clawd_model::{RunId, TenantName};
use clawd_scheduler::{Corrupt, Program, RunState, fold};
use clawd_store::{ReadError, RunRow};

use crate::env::Env;

/// Why a run cannot be brought back. It stays as it is, and is reported.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LoadError {
    #[error("the store could not be read")]
    Store(#[from] ReadError),
    #[error("`{0}` is not stored")]
    NoRun(RunId),
    #[error("its runbook `{0}` is not stored")]
    NoWorkflow(clawd_model::Digest),
    #[error("its runbook is not valid with the operations of this version: {0}")]
    Invalid(String),
    #[error("its runbook now has another digest: the operations that it uses have changed")]
    OtherDigest,
    #[error("its plan `{0}` is not stored")]
    NoPlan(clawd_model::Digest),
    #[error(transparent)]
    Corrupt(#[from] Corrupt),
}

impl LoadError {
    /// Whether the same run may be loaded later. The others need another version of this program, or a repair.
    pub(crate) const fn may_pass(&self) -> bool {
        matches!(self, Self::Store(ReadError::Database(_)))
    }
}

/// Loads and folds a run that was in memory before.
pub(crate) async fn again(
    env: &Env,
    tenant: &TenantName,
    id: RunId,
) -> Result<(Program, RunState), LoadError> {
    let row = env
        .deps
        .store
        .tenant(tenant.clone())
        .run(id)
        .await?
        .ok_or(LoadError::NoRun(id))?;
    run(env, &row).await
}

/// Loads and folds a run.
pub(crate) async fn run(env: &Env, head: &RunRow) -> Result<(Program, RunState), LoadError> {
    let tenant = env.deps.store.tenant(head.tenant.clone());
    let version = tenant
        .runbook_by_digest(head.workflow)
        .await?
        .ok_or(LoadError::NoWorkflow(head.workflow))?;
    let specs = env.deps.registry.specs();
    let checked = clawd_workflow::check(&version.source, specs);
    let problem = || {
        checked
            .problems
            .first()
            .map_or_else(String::new, |problem| problem.message.clone())
    };
    let workflow = checked.workflow.ok_or_else(|| LoadError::Invalid(problem()))?;
    if workflow.digest != head.workflow {
        return Err(LoadError::OtherDigest);
    }
    let plan = tenant
        .run_plan(head.id)
        .await?
        .ok_or(LoadError::NoPlan(head.plan))?;
    let program = Program::new(Arc::new(workflow), Arc::new(plan), specs);
    let journal = env.deps.store.journal(head.id).await?;
    let state = fold(&program, &journal)?;
    Ok((program, state))
}
