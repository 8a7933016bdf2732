//! The prediction for one step on one target.

use std::sync::Arc;

use clawd_model::{
    Decision, DecisionKind, ErrorKind, LaneTarget, OperationSpec, PlannedStep, StepError, StepRef, WillRun,
};
use clawd_provider::Checked;
use clawd_workflow::{Evaluated, Job, Section, Step, Truth};
use serde_json::Value;

use super::gate;
use super::scope::{Known, LaneOutputs, PlanScope};
use super::walk::Walk;
use crate::look::Look;

/// Where a step stands, and what it is.
pub(super) struct At<'a> {
    pub(super) step_ref: StepRef,
    pub(super) job: &'a Job,
    pub(super) step: &'a Step,
    pub(super) target: &'a LaneTarget,
}

/// Predicts one step, and says what later steps may know of its output.
pub(super) async fn predict(
    walk: &Walk<'_>,
    at: At<'_>,
    own: &LaneOutputs,
    job_runs: &WillRun,
) -> (PlannedStep, Known) {
    let mut planned = PlannedStep {
        step_ref: at.step_ref,
        step: at.step.name.clone(),
        job: at.job.name.clone(),
        target: at.target.clone(),
        uses: at.step.uses.clone(),
        will_run: WillRun::Yes,
        input: None,
        change: None,
        output: None,
        decision: None,
        error: None,
    };
    let output = match evaluate(walk, &at, own, job_runs, &mut planned) {
        Ok(()) => look(walk, &at, &mut planned).await,
        Err(error) => Err(error),
    };
    let known = match output {
        Ok(known) => known,
        Err(error) => {
            planned.error = Some(error);
            Known::Unknown(format!(
                "step `{}` of job `{}`, which could not be predicted",
                at.step.name, at.job.name
            ))
        }
    };
    (planned, known)
}

/// Condition, input and gate.
fn evaluate(
    walk: &Walk<'_>,
    at: &At<'_>,
    own: &LaneOutputs,
    job_runs: &WillRun,
    planned: &mut PlannedStep,
) -> Result<(), StepError> {
    let spec = spec(walk, at)?;
    let decision = gate::policies(walk.permit, walk.question, walk.targets, at.target, spec);
    let requester = walk.permit.caller().principal();
    planned.decision = Some(gate::with_runbook(
        decision,
        at.job,
        requester,
        &walk.targets.electorate,
    ));
    let scope = PlanScope {
        workflow: &walk.question.workflow,
        inputs: &walk.question.inputs,
        jobs: walk.jobs,
        target: at.target,
        own,
    };
    planned.will_run = will_run(at, &scope, job_runs)?;
    if let WillRun::No { .. } = planned.will_run {
        planned.decision = None;
        return Ok(());
    }
    match at.step.with.render(&scope).map_err(|error| expression(&error))? {
        Evaluated::Value(input) => planned.input = Some(input),
        Evaluated::DependsOn(on) => {
            if planned.will_run == WillRun::Yes {
                planned.will_run = WillRun::Depends { on };
            }
        }
    }
    Ok(())
}

fn spec<'a>(walk: &Walk<'a>, at: &At<'_>) -> Result<&'a OperationSpec, StepError> {
    walk.permit.app().registry().spec(&at.step.uses).ok_or_else(|| {
        StepError::new(
            ErrorKind::InvalidInput,
            format!("the operation `{}` is not known here", at.step.uses),
        )
    })
}

fn expression(error: &clawd_workflow::ExpressionError) -> StepError {
    StepError::new(ErrorKind::InvalidInput, error.to_string())
        .with_hint("look at the step's `if` and `with`, and at the outputs of the steps that they name")
}

fn will_run(at: &At<'_>, scope: &PlanScope<'_>, job_runs: &WillRun) -> Result<WillRun, StepError> {
    if *job_runs != WillRun::Yes {
        return Ok(job_runs.clone());
    }
    if at.job.section(at.step_ref.step) == Section::Rescue {
        return Ok(WillRun::Depends {
            on: "whether a step of this job fails".to_owned(),
        });
    }
    let Some(condition) = &at.step.condition else {
        return Ok(WillRun::Yes);
    };
    Ok(
        match condition.holds(scope).map_err(|error| expression(&error))? {
            Truth::True => WillRun::Yes,
            Truth::False => WillRun::No {
                condition: condition.source().to_owned(),
            },
            Truth::DependsOn(on) => WillRun::Depends { on },
        },
    )
}

/// Asks the operation, if the gate lets it pass far enough and all is known that it needs.
async fn look(walk: &Walk<'_>, at: &At<'_>, planned: &mut PlannedStep) -> Result<Known, StepError> {
    let later = Known::Unknown(format!(
        "what step `{}` of job `{}` does",
        at.step.name, at.job.name
    ));
    let input = match (&planned.will_run, &planned.input) {
        (WillRun::No { .. }, _) => return Ok(Known::Output(Value::Null)),
        (WillRun::Yes, Some(input)) => input.clone(),
        _ => return Ok(later),
    };
    let spec = spec(walk, at)?;
    if !may_look(walk, at, spec, planned.decision.as_ref()) {
        return Ok(later);
    }
    let server = at
        .target
        .server
        .and_then(|id| walk.targets.servers.get(&id))
        .map(Arc::clone);
    if let Some(down) = server.as_ref().and_then(|server| walk.down(server.id)) {
        return Err(down);
    }
    let id = server.as_ref().map(|server| server.id);
    let look = Look {
        app: walk.permit.app(),
        tenant: walk.permit.tenant(),
        server,
        spec,
        input: &input,
    };
    // Closed never: the walk owns it.
    let _slot = walk.slots.acquire().await;
    match look.run().await {
        Ok(Checked::Would(change)) => planned.change = Some(change),
        Ok(Checked::Read(value)) => {
            planned.output = Some(value.clone());
            return Ok(Known::Output(value));
        }
        Ok(Checked::Unpredictable) => {}
        Err(error) => {
            if let Some(id) = id {
                walk.note_failure(id, &error);
            }
            return Err(error);
        }
    }
    Ok(later)
}

/// A mutating operation may be looked at while votes are missing, since people vote on what would change; a read is
/// carried out for real, so it needs the policies' full permission. What they deny is not looked at.
fn may_look(walk: &Walk<'_>, at: &At<'_>, spec: &OperationSpec, shown: Option<&Decision>) -> bool {
    if spec.is_mutating() {
        return shown.is_some_and(|decision| decision.kind != DecisionKind::Deny);
    }
    gate::policies(walk.permit, walk.question, walk.targets, at.target, spec).is_allow()
}
