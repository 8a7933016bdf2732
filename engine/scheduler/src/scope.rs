//! What an expression of a step can see: the run's inputs, earlier steps of its lane, and the same server's
//! steps in jobs that came before.

use clawd_workflow::{Lookup, Scope};
use serde_json::{Value, json};

use crate::{Program, RunState, StepState};

/// The view from one lane.
pub(crate) struct LaneScope<'a> {
    pub(crate) program: &'a Program,
    pub(crate) state: &'a RunState,
    pub(crate) job: u16,
    pub(crate) lane: u32,
}

impl LaneScope<'_> {
    fn output(&self, job: u16, lane: u32, step: &str) -> Lookup {
        let Some(definition) = self.program.job(job) else {
            return Lookup::Missing;
        };
        let Some(index) = definition
            .steps
            .iter()
            .position(|candidate| candidate.name.as_str() == step)
        else {
            return Lookup::Missing;
        };
        match self.state.lane(job, lane).and_then(|lane| lane.steps.get(index)) {
            Some(StepState::Succeeded { output, .. }) => Lookup::Value(Value::clone(output)),
            // A step that was skipped or failed has no outputs: what asks for them sees null, so that a
            // condition can test for it.
            _ => Lookup::Value(Value::Null),
        }
    }
}

impl Scope for LaneScope<'_> {
    fn inputs(&self) -> Lookup {
        Lookup::Value(Value::clone(&self.state.inputs))
    }

    fn step(&self, step: &str) -> Lookup {
        self.output(self.job, self.lane, step)
    }

    fn job_step(&self, job: &str, step: &str) -> Lookup {
        let jobs = &self.program.workflow.jobs;
        let Some(index) = jobs.iter().position(|candidate| candidate.name.as_str() == job) else {
            return Lookup::Missing;
        };
        let Some(other) = self.state.jobs.get(index) else {
            return Lookup::Missing;
        };
        let server = self
            .state
            .target(self.job, self.lane)
            .and_then(|target| target.server);
        let lane = match server.and_then(|server| other.lane_of.get(&server)) {
            Some(lane) => *lane,
            None if other.lane_of.is_empty() && other.lanes.len() == 1 => 0,
            None => return Lookup::Missing,
        };
        self.output(u16::try_from(index).unwrap_or(u16::MAX), lane, step)
    }

    fn server(&self) -> Lookup {
        match self.state.target(self.job, self.lane) {
            Some(target) if target.server.is_some() => {
                Lookup::Value(json!({"name": target.name, "env": target.env, "labels": target.labels}))
            }
            _ => Lookup::Missing,
        }
    }

    fn run(&self) -> Lookup {
        Lookup::Value(json!({
            "id": self.state.run, "requester": self.state.requester, "runbook": self.state.runbook,
        }))
    }
}
