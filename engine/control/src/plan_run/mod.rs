//! Makes a plan: what a run would do, on which servers, and what the gate would say, without changing anything.
//!
//! ```text
//!   selector ──▶ targets ──▶ waves ──▶ lanes ─┐   jobs in topological order, lanes side by side
//!   inputs ───────────────────────────────────┴▶ per step: condition, input, gate, look ──▶ Plan ──▶ digest
//!                                                             read-only: its output is frozen
//!                                                             mutating: the change that it would make
//! ```
//!
//! 1. Nothing is changed: operations are only asked to `check`.
//! 2. Nothing is looked at that the gate denies; a read that needs votes is not carried out either.
//! 3. What cannot be known before the run is said to depend on what it depends on, never guessed.
//! 4. What goes wrong for one step is recorded with that step, and the plan goes on.

mod facts;
mod gate;
mod scope;
mod step;
mod summary;
mod targets;
mod walk;

use std::sync::Arc;

use clawd_model::api::{MakePlan, PlanView};
use clawd_model::{Digest, DurationMs, Plan, Problem, RunbookName};
use clawd_policy::Bundle;
use clawd_store::{ReadError, WriteError};
use clawd_workflow::{Selector, Workflow};
use serde_json::json;

pub(crate) use self::summary::plan_view;
use crate::error::{Class, Explained};
use crate::gate::{Permit, PlanCreate, RunbookOn};

/// A plan that is older than this is not started.
pub const PLAN_LIFETIME: DurationMs = DurationMs::from_secs(3600);

/// No plan was made.
#[derive(Debug, thiserror::Error)]
pub enum PlanRunError {
    /// The runbook no longer fits the operations of this process.
    #[error("runbook `{0}` does not fit the operations of this version")]
    Unusable(RunbookName),
    /// The inputs do not fit the runbook. All problems are here.
    #[error("the inputs do not fit runbook `{runbook}`")]
    Inputs {
        /// Which runbook.
        runbook: RunbookName,
        /// What is wrong.
        problems: Vec<Problem>,
    },
    /// The selector is none.
    #[error("{message}")]
    Selector {
        /// What is wrong with it.
        message: String,
        /// What to do about it.
        hint: Option<&'static str>,
    },
    /// Nothing to work on.
    #[error("no server matches {}", .0.as_deref().map_or_else(|| "the runbook's targets".to_owned(), |on| format!("`{on}`")))]
    NoTargets(Option<String>),
    /// The tenant lost its policies in the meantime.
    #[error("the tenant has no policies")]
    NoPolicies,
    /// The store could not be read.
    #[error("the store could not be read")]
    Read(#[from] ReadError),
    /// The store could not be written.
    #[error("the store could not be written")]
    Write(#[from] WriteError),
}

impl Explained for PlanRunError {
    fn class(&self) -> Class {
        match self {
            Self::Unusable(_) => Class::Conflict,
            Self::Inputs { .. } | Self::Selector { .. } | Self::NoTargets(_) => Class::Invalid,
            Self::NoPolicies => Class::Denied,
            Self::Read(_) | Self::Write(_) => Class::Internal,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Unusable(_) => "runbook-unusable",
            Self::Inputs { .. } => "invalid-inputs",
            Self::Selector { .. } => "invalid-selector",
            Self::NoTargets(_) => "no-targets",
            Self::NoPolicies => "denied",
            Self::Read(_) | Self::Write(_) => "store",
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Unusable(_) => Some("check the runbook, and publish it again".to_owned()),
            Self::NoTargets(_) => Some("list servers with the same selector; is a label missing?".to_owned()),
            Self::Selector { hint, .. } => hint.map(str::to_owned),
            _ => None,
        }
    }

    fn problems(&self) -> &[Problem] {
        match self {
            Self::Inputs { problems, .. } => problems,
            _ => &[],
        }
    }
}

/// Makes and keeps a plan of the runbook that the permit is for.
///
/// # Errors
/// When the request makes no sense. What cannot be predicted for a step is part of the plan, not an error.
pub async fn plan_run(
    permit: &Permit<PlanCreate, RunbookOn>,
    wanted: &MakePlan,
) -> Result<PlanView, PlanRunError> {
    let made = make_plan(permit, wanted).await?;
    Ok(plan_view(made.digest, &made.plan))
}

/// A plan that was just made and kept.
pub(crate) struct Made {
    pub(crate) workflow: Arc<Workflow>,
    pub(crate) plan: Arc<Plan>,
    pub(crate) digest: Digest,
}

/// What a plan is made of.
pub(crate) struct Question {
    pub(crate) workflow: Arc<Workflow>,
    pub(crate) inputs: serde_json::Value,
    pub(crate) selector: Option<Selector>,
    pub(crate) bundle: Arc<Bundle>,
}

pub(crate) async fn make_plan(
    permit: &Permit<PlanCreate, RunbookOn>,
    wanted: &MakePlan,
) -> Result<Made, PlanRunError> {
    let runbook = permit.on();
    let unusable = || PlanRunError::Unusable(runbook.name().clone());
    let workflow = runbook.workflow.clone().ok_or_else(unusable)?;
    let inputs = workflow
        .complete_inputs(&wanted.inputs)
        .map_err(|problems| PlanRunError::Inputs {
            runbook: runbook.name().clone(),
            problems,
        })?;
    let selector = wanted
        .on
        .as_deref()
        .map(Selector::parse)
        .transpose()
        .map_err(|error| PlanRunError::Selector {
            message: error.to_string(),
            hint: error.hint(),
        })?;
    let bundle = permit
        .app()
        .policies()
        .current(permit.tenant())
        .ok_or(PlanRunError::NoPolicies)?;
    let question = Question {
        workflow: Arc::clone(&workflow),
        inputs,
        selector,
        bundle,
    };
    let targets = targets::expand(permit, &question).await?;
    if targets.nothing(&workflow) {
        return Err(PlanRunError::NoTargets(wanted.on.clone()));
    }
    let steps = walk::walk(permit, &question, &targets).await?;
    let plan = Plan {
        tenant: permit.tenant().clone(),
        runbook: workflow.name.clone(),
        workflow: workflow.digest,
        inputs: question.inputs,
        selector: wanted.on.clone(),
        requester: permit.caller().principal().name.clone(),
        at: permit.app().now(),
        jobs: targets.jobs,
        steps,
    };
    let digest = plan.digest();
    let data = json!({
        "runbook": plan.runbook, "workflow": plan.workflow, "selector": plan.selector, "inputs": plan.inputs,
        "summary": summary::count(&plan),
    });
    permit
        .store()
        .put_plan(
            &plan,
            &[permit.record("plan.created", format!("plan/{digest}"), data)],
        )
        .await?;
    Ok(Made {
        workflow,
        plan: Arc::new(plan),
        digest,
    })
}

#[cfg(test)]
mod tests;
