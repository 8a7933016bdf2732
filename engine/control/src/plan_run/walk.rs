//! Walks the jobs in topological order, the lanes of a job side by side, the steps of a lane in turn.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use clawd_model::{ErrorKind, LaneTarget, PlannedStep, ServerId, StepError, StepRef, WillRun};
use clawd_workflow::{Job, Truth};
use tokio::sync::Semaphore;

use super::scope::{JobOutputs, Known, LaneOutputs, PlanScope};
use super::step::{At, predict};
use super::targets::Expanded;
use super::{PlanRunError, Question, facts};
use crate::gate::{Permit, PlanCreate, RunbookOn};

/// How many looks are under way at once.
const LOOKS: usize = 16;

/// What all steps of a job share.
pub(super) struct Walk<'a> {
    pub(super) permit: &'a Permit<PlanCreate, RunbookOn>,
    pub(super) question: &'a Question,
    pub(super) targets: &'a Expanded,
    /// By job; `None` for jobs that come later.
    pub(super) jobs: &'a [Option<JobOutputs>],
    pub(super) slots: &'a Semaphore,
    down: &'a Mutex<HashMap<ServerId, StepError>>,
}

impl Walk<'_> {
    /// Why the server did not answer earlier: it is not asked again for this plan.
    pub(super) fn down(&self, server: ServerId) -> Option<StepError> {
        self.down
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&server)
            .cloned()
    }

    /// Remembers that a server does not answer, so that the plan does not wait for it once per step.
    pub(super) fn note_failure(&self, server: ServerId, error: &StepError) {
        if matches!(
            error.kind,
            ErrorKind::Connection | ErrorKind::HostKey | ErrorKind::Timeout
        ) {
            self.down
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .insert(server, error.clone());
        }
    }
}

/// Predicts every step of every lane.
pub(super) async fn walk(
    permit: &Permit<PlanCreate, RunbookOn>,
    question: &Question,
    targets: &Expanded,
) -> Result<Vec<PlannedStep>, PlanRunError> {
    let slots = Semaphore::new(LOOKS);
    let down = Mutex::default();
    facts::refresh(permit, question, targets, &slots).await;
    let workflow = &question.workflow;
    let mut jobs: Vec<Option<JobOutputs>> = workflow.jobs.iter().map(|_| None).collect();
    let mut steps = Vec::new();
    for index in &workflow.order {
        let Some(job) = workflow.jobs.get(usize::from(*index)) else {
            continue;
        };
        let walk = Walk {
            permit,
            question,
            targets,
            jobs: &jobs,
            slots: &slots,
            down: &down,
        };
        let runs = job_runs(&walk, job, *index);
        let lanes = (0_u32..).zip(targets.lanes(*index));
        let predicted = lanes.map(|(lane, target)| walk_lane(&walk, job, *index, lane, target, &runs));
        let predicted = futures::future::join_all(predicted).await;
        let mut outputs = JobOutputs::default();
        for ((planned, known), (at, target)) in
            predicted.into_iter().zip((0_usize..).zip(targets.lanes(*index)))
        {
            steps.extend(planned);
            outputs.lanes.push(known);
            outputs.lane_of.extend(target.server.map(|server| (server, at)));
        }
        if let Some(slot) = jobs.get_mut(usize::from(*index)) {
            *slot = Some(outputs);
        }
    }
    steps.sort_by_key(|step| step.step_ref);
    Ok(steps)
}

/// Whether the job runs at all: its condition sees what its first lane sees.
fn job_runs(walk: &Walk<'_>, job: &Job, index: u16) -> WillRun {
    let (Some(condition), Some(target)) = (&job.condition, walk.targets.lanes(index).next()) else {
        return WillRun::Yes;
    };
    let own = LaneOutputs::new();
    let scope = PlanScope {
        workflow: &walk.question.workflow,
        inputs: &walk.question.inputs,
        jobs: walk.jobs,
        target,
        own: &own,
    };
    match condition.holds(&scope) {
        Ok(Truth::True) => WillRun::Yes,
        Ok(Truth::False) => WillRun::No {
            condition: condition.source().to_owned(),
        },
        Ok(Truth::DependsOn(on)) => WillRun::Depends { on },
        Err(error) => WillRun::Depends {
            on: format!("the job's condition, which cannot be evaluated: {error}"),
        },
    }
}

async fn walk_lane(
    walk: &Walk<'_>,
    job: &Job,
    index: u16,
    lane: u32,
    target: &LaneTarget,
    runs: &WillRun,
) -> (Vec<PlannedStep>, LaneOutputs) {
    let mut own = LaneOutputs::new();
    let mut steps = Vec::with_capacity(job.steps.len());
    for (number, step) in (0_u16..).zip(&job.steps) {
        let at = At {
            step_ref: StepRef {
                job: index,
                lane,
                step: number,
            },
            job,
            step,
            target,
        };
        let (planned, known): (PlannedStep, Known) = predict(walk, at, &own, runs).await;
        own.insert(step.name.to_string(), known);
        steps.push(planned);
    }
    (steps, own)
}
