//! What a run executes, in the form that the decisions need: the workflow, the plan, and a few traits of the
//! operations, looked up once.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use clawd_model::{Change, Digest, OperationName, OperationSpec, Plan, PlannedStep, Risk, StepRef, WillRun};
use clawd_workflow::{Job, Step, Workflow};

/// The immutable part of a run.
#[derive(Clone)]
pub struct Program {
    /// The pinned workflow.
    pub workflow: Arc<Workflow>,
    /// The plan that approvals bind to.
    pub plan: Arc<Plan>,
    /// The plan's digest.
    pub plan_digest: Digest,
    /// By job and step: whether the operation changes anything.
    mutating: Vec<Vec<bool>>,
    /// By job and step: whether the operation could do anything.
    high_risk: Vec<Vec<bool>>,
    /// The predicted changes.
    fingerprints: HashMap<StepRef, Digest>,
    /// Digests of the planned inputs, as far as they were known.
    inputs: HashMap<StepRef, Digest>,
}

impl Program {
    /// Looks up what decisions need. A step whose operation is not known counts as mutating.
    #[must_use]
    pub fn new(
        workflow: Arc<Workflow>,
        plan: Arc<Plan>,
        specs: &BTreeMap<OperationName, OperationSpec>,
    ) -> Self {
        let is_mutating = |step: &Step| specs.get(&step.uses).is_none_or(OperationSpec::is_mutating);
        let is_high_risk = |step: &Step| {
            let spec = specs.get(&step.uses);
            spec.is_none_or(|spec| spec.risk == Risk::High && spec.is_mutating())
        };
        let mutating = of_steps(&workflow, is_mutating);
        let high_risk = of_steps(&workflow, is_high_risk);
        let fingerprints = plan
            .steps
            .iter()
            .filter_map(|step| Some((step.step_ref, step.change.as_ref().map(Change::fingerprint)?)))
            .collect();
        let inputs = plan
            .steps
            .iter()
            .filter_map(|step| Some((step.step_ref, planned_input(step)?)))
            .collect();
        let plan_digest = plan.digest();
        Self {
            workflow,
            plan,
            plan_digest,
            mutating,
            high_risk,
            fingerprints,
            inputs,
        }
    }

    /// The job with this index.
    #[must_use]
    pub fn job(&self, job: u16) -> Option<&Job> {
        self.workflow.jobs.get(usize::from(job))
    }

    /// The step with this place.
    #[must_use]
    pub fn step(&self, step: StepRef) -> Option<&Step> {
        self.job(step.job)?.steps.get(usize::from(step.step))
    }

    /// Whether the step's operation changes anything.
    #[must_use]
    pub fn is_mutating(&self, step: StepRef) -> bool {
        look_up(&self.mutating, step)
    }

    /// Whether the step's operation changes something, and could change anything.
    #[must_use]
    pub fn is_high_risk(&self, step: StepRef) -> bool {
        look_up(&self.high_risk, step)
    }

    /// The digest of the input that stands in the plan, whatever the step is held to.
    pub(crate) fn foreseen_input(&self, step: StepRef) -> Option<Digest> {
        self.inputs.get(&step).copied()
    }

    /// What the plan predicted that the step would change; `None` when nothing could be predicted.
    #[must_use]
    pub fn fingerprint(&self, step: StepRef) -> Option<Digest> {
        if self.is_mutating(step) {
            self.fingerprints.get(&step).copied()
        } else {
            None
        }
    }

    /// The digest of the input that people looked at; `None` when there was none to look at. Only the steps proper of
    /// a job are held to it: what `rescue` and `always` say depends on how those went.
    #[must_use]
    pub fn planned_input(&self, step: StepRef) -> Option<Digest> {
        let is_proper = self.job(step.job).is_some_and(|job| step.step < job.rescue_from);
        if is_proper && self.is_mutating(step) {
            self.inputs.get(&step).copied()
        } else {
            None
        }
    }
}

fn of_steps(workflow: &Workflow, of: impl Fn(&Step) -> bool) -> Vec<Vec<bool>> {
    let jobs = workflow.jobs.iter();
    jobs.map(|job| job.steps.iter().map(&of).collect()).collect()
}

/// What is not known counts as true, the stricter answer.
fn look_up(table: &[Vec<bool>], step: StepRef) -> bool {
    let job = table.get(usize::from(step.job));
    job.and_then(|steps| steps.get(usize::from(step.step)))
        .copied()
        .unwrap_or(true)
}

/// A step that was not to run has an input that no step has.
fn planned_input(step: &PlannedStep) -> Option<Digest> {
    match &step.will_run {
        WillRun::No { .. } => Some(Digest::of(b"does not run")),
        WillRun::Yes | WillRun::Depends { .. } => step.input.as_ref().map(Digest::of_value),
    }
}
