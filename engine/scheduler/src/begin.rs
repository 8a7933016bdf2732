//! The first event: what a run is before anything of it has begun.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use clawd_model::{Event, PlannedJob};

use crate::state::{Looking, Rendered};
use crate::{Corrupt, JobPhase, JobState, Lane, LockState, Program, RunState};

impl RunState {
    /// The state after the first event.
    ///
    /// # Errors
    /// When it is not `RunStarted`, or does not fit the program.
    pub fn begin(program: &Program, event: &Event) -> Result<Self, Corrupt> {
        let corrupt = |what: &str| Corrupt {
            seq: 1,
            what: what.to_owned(),
        };
        let Event::RunStarted {
            run,
            tenant,
            runbook,
            workflow,
            plan,
            inputs,
            requester,
            jobs,
            ..
        } = event
        else {
            return Err(corrupt("the first event does not start the run"));
        };
        if *workflow != program.workflow.digest {
            return Err(corrupt("the run is pinned to another workflow"));
        }
        if jobs.len() != program.workflow.jobs.len() {
            return Err(corrupt("the frozen targets do not fit the workflow's jobs"));
        }
        Ok(Self {
            run: *run,
            tenant: tenant.clone(),
            runbook: runbook.clone(),
            inputs: Arc::new(inputs.clone()),
            requester: requester.clone(),
            targets: Arc::clone(jobs),
            plan: *plan,
            seq: 1,
            jobs: jobs.iter().map(job_state).collect(),
            approvals: BTreeMap::new(),
            drifted: BTreeMap::new(),
            undone: BTreeSet::new(),
            asked: BTreeSet::new(),
            seen_inputs: BTreeMap::new(),
            lock: LockState::None,
            untold: BTreeMap::new(),
            cancelled: false,
            outcome: None,
            error: None,
            just_checked: Vec::new(),
            looking: Looking::default(),
            rendered: Rendered::default(),
            blocked: 0,
            open: 0,
        })
    }
}

fn job_state(planned: &PlannedJob) -> JobState {
    let mut wave_starts = vec![0];
    let mut lane_of = HashMap::new();
    let mut lanes = 0_u32;
    for wave in &planned.waves {
        for target in wave {
            if let Some(server) = target.server {
                lane_of.insert(server, lanes);
            }
            lanes += 1;
        }
        wave_starts.push(lanes);
    }
    JobState {
        phase: JobPhase::Pending,
        lanes: vec![Lane::idle(); usize::try_from(lanes).unwrap_or(0)],
        approval: None,
        waiting: BTreeSet::new(),
        was_void: false,
        wave_starts,
        lane_of,
        lanes_open: 0,
        lanes_failed: 0,
    }
}
