//! A [`Workflow`]: the validated, immutable graph of one runbook version, named by its digest.
//!
//! Made by [`crate::check`] only, so that whoever holds one knows: every name resolves, every operation exists, every
//! expression compiles, and the jobs have an order. It is never changed; a run is pinned to it for life.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use clawd_model::{
    Digest, DurationMs, GroupName, JobName, LaneTarget, OperationName, Problem, RunbookName, SecretName,
    Server, StepName, StepRef,
};
use serde_json::Value;

use crate::{Expression, InputSpec, Retry, Selector, Strategy, Template, Triggers, inputs};

/// The validated graph of one runbook version.
#[derive(Clone, Debug)]
pub struct Workflow {
    /// Its name for machines.
    pub digest: Digest,
    /// The runbook that it is a version of.
    pub name: RunbookName,
    /// Labels that policies look at: `risk: medium`.
    pub labels: BTreeMap<String, String>,
    /// What it is for, in its author's words.
    pub description: String,
    /// What starts it.
    pub triggers: Triggers,
    /// What each run is given.
    pub inputs: Vec<InputSpec>,
    /// Runs with the same lock wait for each other. May use the run's inputs, and is rendered when the run begins.
    pub lock: Option<Template>,
    /// The jobs, in the order of the document: what [`StepRef::job`] counts.
    pub jobs: Vec<Job>,
    /// The jobs in an order in which each comes after those that it needs.
    pub order: Vec<u16>,
    pub(crate) source: Arc<str>,
}

/// Steps that share targets and a strategy.
#[derive(Clone, Debug)]
pub struct Job {
    /// Its name.
    pub name: JobName,
    /// The jobs that come before it.
    pub needs: Vec<u16>,
    /// Whether it runs at all; evaluated once, when the jobs that it needs are done.
    pub condition: Option<Expression>,
    /// Where it works.
    pub targets: Targets,
    /// Whether the targets are the job's own, and not the runbook's.
    pub has_own_targets: bool,
    /// How old the facts of its servers may be, when a plan is made.
    pub facts_max_age: Option<DurationMs>,
    /// In which order it works on its servers.
    pub strategy: Strategy,
    /// `steps`, then `rescue`, then `always`: what [`StepRef::step`] counts.
    pub steps: Vec<Step>,
    /// The index of the first step of `rescue`.
    pub rescue_from: u16,
    /// The index of the first step of `always`.
    pub always_from: u16,
    /// Votes that it asks for beyond what policies ask for.
    pub approval: Option<ExtraApproval>,
    /// Values for other jobs, which see them as `jobs.<job>.outputs.<output>`; resolved by the expressions that name
    /// them, from the outputs of this job's steps.
    pub outputs: BTreeMap<String, Template>,
}

/// One step of a job.
#[derive(Clone, Debug)]
pub struct Step {
    /// Its `id`, or a name made from its operation; unique in the job.
    pub name: StepName,
    /// What it does.
    pub uses: OperationName,
    /// With what.
    pub with: Template,
    /// Whether it runs; evaluated in its lane, just before.
    pub condition: Option<Expression>,
    /// When it is tried again.
    pub retry: Retry,
    /// The limit of one attempt; the operation's own when absent.
    pub timeout: Option<DurationMs>,
}

/// Where a job works.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Targets {
    /// From the controller: one lane without a server.
    Controller,
    /// On each of these servers: a lane per server.
    Servers(Selector),
}

/// In which list of its job a step stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Section {
    /// `steps`.
    Steps,
    /// `rescue`: after a step of `steps` failed.
    Rescue,
    /// `always`: at the end.
    Always,
}

/// Votes that a runbook asks for beyond what policies ask for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExtraApproval {
    /// So many distinct voters.
    pub quorum: u32,
    /// So many voters of each group.
    pub groups: BTreeMap<GroupName, u32>,
}

impl Workflow {
    /// The YAML that it was made from.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The step with this place.
    #[must_use]
    pub fn step(&self, step: StepRef) -> Option<&Step> {
        self.jobs
            .get(usize::from(step.job))?
            .steps
            .get(usize::from(step.step))
    }

    /// `rollout/apply`; question marks stand for what does not exist.
    #[must_use]
    pub fn step_label(&self, job: u16, step: u16) -> String {
        let job = self.jobs.get(usize::from(job));
        let step = job.and_then(|job| job.steps.get(usize::from(step)));
        let (job, step) = (
            job.map_or("?", |job| job.name.as_str()),
            step.map_or("?", |step| step.name.as_str()),
        );
        format!("{job}/{step}")
    }

    /// The index of the job with this name.
    #[must_use]
    pub fn job_index(&self, name: &str) -> Option<u16> {
        self.jobs
            .iter()
            .position(|job| job.name.as_str() == name)
            .and_then(|index| u16::try_from(index).ok())
    }

    /// Checks the inputs that a run is to be started with and fills in defaults.
    ///
    /// # Errors
    /// All problems with them: unknown, missing, unfit.
    pub fn complete_inputs(&self, given: &Value) -> Result<Value, Vec<Problem>> {
        inputs::complete(&self.inputs, given)
    }

    /// The declaration of an input.
    #[must_use]
    pub fn input(&self, name: &str) -> Option<&InputSpec> {
        self.inputs.iter().find(|input| input.name == name)
    }

    /// The JSON Schema of the inputs.
    #[must_use]
    pub fn inputs_schema(&self) -> Value {
        inputs::schema(&self.inputs)
    }

    /// The names of all secrets that its steps are given.
    #[must_use]
    pub fn secrets(&self) -> BTreeSet<SecretName> {
        self.jobs
            .iter()
            .flat_map(|job| &job.steps)
            .flat_map(|step| step.with.secrets())
            .collect()
    }

    /// The operations that it uses.
    #[must_use]
    pub fn operations(&self) -> BTreeSet<&OperationName> {
        self.jobs
            .iter()
            .flat_map(|job| &job.steps)
            .map(|step| &step.uses)
            .collect()
    }
}

impl Job {
    /// The list in which a step stands.
    #[must_use]
    pub const fn section(&self, step: u16) -> Section {
        if step < self.rescue_from {
            Section::Steps
        } else if step < self.always_from {
            Section::Rescue
        } else {
            Section::Always
        }
    }

    /// The lanes of the job, wave by wave.
    ///
    /// `instead` is the selector of somebody who chose the servers of this run expressly. It replaces the targets of
    /// the runbook. A job with targets of its own works on servers that match both: a choice of web servers never
    /// leads the steps for load balancers to them, and a choice of one server never leads to any other. A job of the
    /// controller is not affected.
    #[must_use]
    pub fn waves(&self, servers: &[Server], instead: Option<&Selector>) -> Vec<Vec<LaneTarget>> {
        let Targets::Servers(selector) = &self.targets else {
            return vec![vec![LaneTarget::controller()]];
        };
        let is_chosen = |server: &Server| match instead {
            None => selector.matches(server),
            Some(instead) => instead.matches(server) && (!self.has_own_targets || selector.matches(server)),
        };
        let chosen: Vec<&Server> = servers.iter().filter(|server| is_chosen(server)).collect();
        self.strategy.waves(&chosen)
    }
}
