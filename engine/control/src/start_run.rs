//! Starts a run: of a plan that somebody looked at, or of one that is made on the spot.

use std::sync::Arc;

use clawd_audit::Draft;
use clawd_model::api::{MakePlan, RunSummary};
use clawd_model::{Digest, Plan, RunId, RunStatus, RunbookName, Timestamp};
use clawd_store::{ReadError, WriteError};
use clawd_workflow::Workflow;
use serde_json::json;

use crate::error::{Class, Explained};
use crate::gate::{AdmitError, NewRun, Permit, PlanCreate, PlanOn, Refused, RunStart, RunbookOn, Target};
use crate::list_runs::run_summary;
use crate::once::Request;
use crate::plan_run::{PLAN_LIFETIME, PlanRunError, make_plan};

/// No run was started.
#[derive(Debug, thiserror::Error)]
pub enum StartRunError {
    /// The plan is too old: what it predicts may no longer be so.
    #[error("the plan was made at {made_at}, and a plan is started within {PLAN_LIFETIME}")]
    Stale {
        /// When it was made.
        made_at: Timestamp,
    },
    /// Another version of the runbook was published since.
    #[error("the plan is of version {planned} of runbook `{runbook}`, and {active} is the active one now")]
    Outdated {
        /// Which runbook.
        runbook: RunbookName,
        /// The plan's version.
        planned: String,
        /// The active version.
        active: String,
    },
    /// The runbook no longer fits the operations of this process.
    #[error("runbook `{0}` does not fit the operations of this version")]
    Unusable(RunbookName),
    /// No plan could be made.
    #[error(transparent)]
    Plan(#[from] PlanRunError),
    /// The caller may not make plans.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// The engine did not take it; nothing was started.
    #[error(transparent)]
    Admit(#[from] AdmitError),
    /// The store could not be read.
    #[error("the store could not be read")]
    Read(#[from] ReadError),
    /// The store could not be written.
    #[error("the store could not be written")]
    Write(#[from] WriteError),
}

impl Explained for StartRunError {
    fn class(&self) -> Class {
        match self {
            Self::Stale { .. } | Self::Outdated { .. } | Self::Unusable(_) => Class::Conflict,
            Self::Plan(error) => error.class(),
            Self::Refused(error) => error.class(),
            Self::Admit(AdmitError::Unavailable) => Class::Unavailable,
            Self::Admit(AdmitError::Unfit(_)) => Class::Conflict,
            Self::Admit(AdmitError::Store(_)) | Self::Read(_) | Self::Write(_) => Class::Internal,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Stale { .. } => "plan-stale",
            Self::Outdated { .. } => "plan-outdated",
            Self::Unusable(_) => "runbook-unusable",
            Self::Plan(error) => error.code(),
            Self::Refused(error) => error.code(),
            Self::Admit(AdmitError::Unavailable) => "unavailable",
            Self::Admit(AdmitError::Unfit(_)) => "plan-unfit",
            Self::Admit(AdmitError::Store(_)) | Self::Read(_) | Self::Write(_) => "store",
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Stale { .. } | Self::Outdated { .. } | Self::Admit(AdmitError::Unfit(_)) => {
                Some("make the plan again, look at it, and start that one".to_owned())
            }
            Self::Unusable(_) => Some("check the runbook, and publish it again".to_owned()),
            Self::Plan(error) => error.hint(),
            Self::Refused(error) => error.hint(),
            Self::Admit(AdmitError::Unavailable) => Some("try again in a moment".to_owned()),
            Self::Admit(AdmitError::Store(_)) | Self::Read(_) | Self::Write(_) => None,
        }
    }

    fn problems(&self) -> &[clawd_model::Problem] {
        match self {
            Self::Plan(error) => error.problems(),
            _ => &[],
        }
    }

    fn reasons(&self) -> &[String] {
        match self {
            Self::Refused(error) => error.reasons(),
            _ => &[],
        }
    }
}

/// Starts a run of the plan that the permit is for. The caller becomes its requester, whoever made the plan.
///
/// # Errors
/// When the plan is stale or outdated, or the engine does not take it.
pub async fn start_run(
    permit: &Permit<RunStart, PlanOn>,
    request: &Request,
) -> Result<RunSummary, StartRunError> {
    let PlanOn {
        runbook,
        plan,
        digest,
    } = permit.on();
    if let Some(started) = request.started(permit).await? {
        return Ok(started);
    }
    if permit.app().now().since(plan.at) > PLAN_LIFETIME {
        return Err(StartRunError::Stale { made_at: plan.at });
    }
    if runbook.digest() != plan.workflow {
        return Err(StartRunError::Outdated {
            runbook: plan.runbook.clone(),
            planned: plan.workflow.short(),
            active: runbook.digest().short(),
        });
    }
    let workflow = runbook
        .workflow
        .clone()
        .ok_or_else(|| StartRunError::Unusable(runbook.name().clone()))?;
    admit(permit, workflow, Arc::clone(plan), *digest, request).await
}

/// Makes a plan of the runbook that the permit is for, and starts it. The caller needs the permission to make plans
/// as well.
///
/// # Errors
/// When no plan can be made, or the engine does not take it.
pub async fn plan_and_start(
    permit: &Permit<RunStart, RunbookOn>,
    wanted: &MakePlan,
    request: &Request,
) -> Result<RunSummary, StartRunError> {
    if let Some(started) = request.started(permit).await? {
        return Ok(started);
    }
    let planning = permit.also::<PlanCreate>().await?;
    let made = make_plan(&planning, wanted).await?;
    admit(permit, made.workflow, made.plan, made.digest, request).await
}

async fn admit<On: Target>(
    permit: &Permit<RunStart, On>,
    workflow: Arc<Workflow>,
    plan: Arc<Plan>,
    plan_digest: Digest,
    request: &Request,
) -> Result<RunSummary, StartRunError> {
    let app = permit.app();
    let run = RunId::new(app.now(), app.entropy());
    let caller = permit.caller().principal();
    let (requester, requester_kind) = (caller.name.clone(), caller.kind);
    // Committed together with the run's first event: what a request that is repeated after a crash finds.
    let asked = Draft {
        run: Some(run),
        ..permit.record(
            "run.requested",
            request.subject().unwrap_or_else(|| format!("run/{run}")),
            json!({"plan": plan_digest, "bundle": permit.bundle(), "via": permit.caller().via_word(),
                "credential": permit.caller().provenance()}),
        )
    };
    let summary = RunSummary {
        id: run,
        runbook: workflow.name.clone(),
        workflow: workflow.digest,
        plan: plan_digest,
        requester: requester.clone(),
        status: RunStatus::Running,
        started_at: app.now(),
        finished_at: None,
    };
    let new = NewRun {
        run,
        tenant: permit.tenant().clone(),
        workflow,
        plan,
        plan_digest,
        requester,
        requester_kind,
        audit: vec![asked],
    };
    let driver = app.driver();
    // In a task of its own: a caller who goes away must not leave a run behind that is stored and not driven.
    let admitted = tokio::spawn(async move { driver.admit(new).await }).await;
    admitted.map_err(|error| AdmitError::Store(Box::new(error)))??;
    Ok(match permit.store().run(run).await? {
        Some(row) => run_summary(&row),
        None => summary,
    })
}

#[cfg(test)]
mod tests;
