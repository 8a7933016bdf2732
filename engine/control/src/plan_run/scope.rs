//! What an expression of a step can see while the run is being planned: the same as later in the run, except that what
//! only the run will find out is unknown.

use std::collections::{BTreeMap, HashMap};

use clawd_model::{LaneTarget, ServerId};
use clawd_workflow::{Lookup, Scope, Workflow};
use serde_json::{Value, json};

/// What is known of a step's output.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Known {
    /// This is it.
    Output(Value),
    /// Only the run will tell.
    Unknown(String),
}

impl Known {
    fn lookup(&self) -> Lookup {
        match self {
            Self::Output(value) => Lookup::Value(value.clone()),
            Self::Unknown(what) => Lookup::Unknown(what.clone()),
        }
    }
}

/// The outputs of the steps of one lane, by step.
pub(super) type LaneOutputs = BTreeMap<String, Known>;

/// What the jobs that were walked already have left behind.
#[derive(Default)]
pub(super) struct JobOutputs {
    pub(super) lanes: Vec<LaneOutputs>,
    pub(super) lane_of: HashMap<ServerId, usize>,
}

/// The view from one lane.
pub(super) struct PlanScope<'a> {
    pub(super) workflow: &'a Workflow,
    pub(super) inputs: &'a Value,
    /// By job; `None` for jobs that come later.
    pub(super) jobs: &'a [Option<JobOutputs>],
    pub(super) target: &'a LaneTarget,
    pub(super) own: &'a LaneOutputs,
}

impl Scope for PlanScope<'_> {
    fn inputs(&self) -> Lookup {
        Lookup::Value(self.inputs.clone())
    }

    fn step(&self, step: &str) -> Lookup {
        self.own.get(step).map_or(Lookup::Missing, Known::lookup)
    }

    fn job_step(&self, job: &str, step: &str) -> Lookup {
        let index = self
            .workflow
            .jobs
            .iter()
            .position(|candidate| candidate.name.as_str() == job);
        let Some(Some(outputs)) = index.and_then(|index| self.jobs.get(index)) else {
            return Lookup::Missing;
        };
        let lane = match self.target.server.and_then(|server| outputs.lane_of.get(&server)) {
            Some(lane) => *lane,
            // A job of the controller is seen from every server.
            None if outputs.lane_of.is_empty() && outputs.lanes.len() == 1 => 0,
            None => return Lookup::Missing,
        };
        outputs
            .lanes
            .get(lane)
            .and_then(|lane| lane.get(step))
            .map_or(Lookup::Missing, Known::lookup)
    }

    fn server(&self) -> Lookup {
        let target = self.target;
        match target.server {
            Some(_) => {
                Lookup::Value(json!({"name": target.name, "env": target.env, "labels": target.labels}))
            }
            None => Lookup::Missing,
        }
    }

    fn run(&self) -> Lookup {
        // Who will start the plan, and as which run, is not known.
        Lookup::Unknown("the run itself".to_owned())
    }
}
