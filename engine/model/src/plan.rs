//! A frozen preview of one run.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{
    Change, Decision, Digest, JobName, LaneTarget, OperationName, PrincipalName, RunbookName, StepError,
    StepName, StepRef, TenantName, Timestamp,
};

/// Whether a step will run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case", tag = "is")]
pub enum WillRun {
    /// It will.
    Yes,
    /// Its condition is false.
    No {
        /// The condition.
        condition: String,
    },
    /// Its condition or input depends on what earlier steps will find.
    Depends {
        /// What it depends on.
        on: String,
    },
}

/// The prediction for one step on one server.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PlannedStep {
    /// Which step.
    #[serde(rename = "ref")]
    pub step_ref: StepRef,
    /// The step's name.
    pub step: StepName,
    /// The job's name.
    pub job: JobName,
    /// What it works on.
    pub target: LaneTarget,
    /// What it does.
    pub uses: OperationName,
    /// Whether it will run.
    pub will_run: WillRun,
    /// Its input, secrets as references; absent while it depends on earlier steps.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input: Option<Value>,
    /// What it would change; absent for reads, and while it depends on earlier steps.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub change: Option<Change>,
    /// The frozen output of a read-only step.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output: Option<Value>,
    /// The gate's answer as of now, without votes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decision: Option<Decision>,
    /// Why nothing could be predicted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<StepError>,
}

/// The frozen targets of one job.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PlannedJob {
    /// Which job.
    pub job: JobName,
    /// Its lanes, wave by wave. Lane numbers count through the waves.
    pub waves: Vec<Vec<LaneTarget>>,
}

/// A frozen preview of one run: targets, predictions, decisions.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Plan {
    /// Whose.
    pub tenant: TenantName,
    /// Of which runbook.
    pub runbook: RunbookName,
    /// Of which version of it.
    pub workflow: Digest,
    /// With which inputs, defaults filled in.
    pub inputs: Value,
    /// The selector that was given in place of the runbook's, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub selector: Option<String>,
    /// Who asked for it.
    pub requester: PrincipalName,
    /// When it was made.
    pub at: Timestamp,
    /// Targets.
    pub jobs: Vec<PlannedJob>,
    /// Predictions, in the order of job, lane, step.
    pub steps: Vec<PlannedStep>,
}

impl Plan {
    /// What approvals bind to: the workflow, inputs, targets, and what each step would change. Times and
    /// decisions are left out, so that planning again with nothing changed gives the same digest.
    #[must_use]
    pub fn digest(&self) -> Digest {
        let steps: Vec<Value> = self
            .steps
            .iter()
            .map(|step| {
                let change = step.change.as_ref().map(Change::fingerprint);
                let runs = match &step.will_run {
                    WillRun::Yes => json!("yes"),
                    WillRun::No { .. } => json!("no"),
                    WillRun::Depends { on } => json!({"depends": on}),
                };
                json!({"ref": step.step_ref, "uses": step.uses, "runs": runs, "input": step.input, "change": change})
            })
            .collect();
        Digest::of_value(&json!({
            "tenant": self.tenant, "runbook": self.runbook, "workflow": self.workflow, "inputs": self.inputs,
            "jobs": self.jobs, "steps": steps,
        }))
    }

    /// Whether any step would change anything, as far as can be known.
    #[must_use]
    pub fn has_changes(&self) -> bool {
        self.steps.iter().any(|step| match &step.will_run {
            WillRun::Yes => step.change.as_ref().is_some_and(|change| change.needed),
            WillRun::No { .. } | WillRun::Depends { .. } => false,
        })
    }

    /// The prediction for one step.
    #[must_use]
    pub fn step(&self, step_ref: StepRef) -> Option<&PlannedStep> {
        self.steps
            .binary_search_by_key(&step_ref, |step| step.step_ref)
            .ok()
            .and_then(|at| self.steps.get(at))
    }
}
