//! Which servers each job works on, wave by wave.

use std::collections::HashMap;
use std::sync::Arc;

use clawd_model::{LaneTarget, PlannedJob, Principal, Server, ServerId};

use clawd_workflow::{Job, Targets, Workflow};

use super::{PlanRunError, Question};
use crate::gate::{Permit, PlanCreate, RunbookOn};

/// The frozen targets, and what they are.
pub(super) struct Expanded {
    pub(super) jobs: Vec<PlannedJob>,
    pub(super) servers: HashMap<ServerId, Arc<Server>>,
    /// Everybody, for the votes that the gate may ask for.
    pub(super) electorate: Vec<Principal>,
}

impl Expanded {
    /// Whether there are jobs for servers, and no server for any of them.
    pub(super) fn nothing(&self, workflow: &Workflow) -> bool {
        let for_servers = |job: &&Job| matches!(job.targets, Targets::Servers(_));
        let empty = |job: &PlannedJob| job.waves.iter().all(Vec::is_empty);
        let mut jobs = workflow
            .jobs
            .iter()
            .zip(&self.jobs)
            .filter(|(job, _)| for_servers(job))
            .peekable();
        jobs.peek().is_some() && jobs.all(|(_, planned)| empty(planned))
    }

    /// The lanes of a job, in the order of their numbers.
    pub(super) fn lanes(&self, job: u16) -> impl Iterator<Item = &LaneTarget> {
        self.jobs
            .get(usize::from(job))
            .into_iter()
            .flat_map(|job| job.waves.iter().flatten())
    }
}

/// Expands the targets of every job. A selector that was given takes the place of those of the runbook; jobs of the
/// controller stay there.
pub(super) async fn expand(
    permit: &Permit<PlanCreate, RunbookOn>,
    question: &Question,
) -> Result<Expanded, PlanRunError> {
    let all = permit.store().servers().await?;
    let electorate = permit.store().principals().await?;
    let jobs = question
        .workflow
        .jobs
        .iter()
        .map(|job| PlannedJob {
            job: job.name.clone(),
            waves: job.waves(&all, question.selector.as_ref()),
        })
        .collect();
    let servers = all
        .into_iter()
        .map(|server| (server.id, Arc::new(server)))
        .collect();
    Ok(Expanded {
        jobs,
        servers,
        electorate,
    })
}
