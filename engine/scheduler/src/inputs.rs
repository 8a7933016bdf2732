//! Inputs that become known only while the run goes on, and what votes on them bind to.
//!
//! A request names the inputs that are known when it is opened. A step of high risk never runs on votes that did not
//! name its input; of the others people have accepted in the plan that they become what they become.

use clawd_model::{ApprovalSubject, Digest, Event, MoreSteps, SeenInput, StepRef};
use serde_json::Value;

use crate::decide::Decider;
use crate::state::steps_of;
use crate::{Lane, RunState, StepState};

/// How many steps a request lists one by one.
const LISTED_MAX: usize = 100;
/// The longest input that is shown, as JSON.
const INPUT_MAX: usize = 4 << 10;
/// The most that all inputs of a request may take.
const INPUTS_MAX: usize = 64 << 10;

impl RunState {
    /// Steps of a job whose input the plan could not know, that have not begun, and the digests of their inputs.
    pub(crate) fn unforeseen(&self, job: u16) -> Vec<(StepRef, Digest)> {
        let is_undecided = |step: StepRef| {
            matches!(
                self.step(step),
                Some(StepState::Pending | StepState::WaitingForVotes | StepState::WaitingForRetry { .. })
            )
        };
        let all = self.seen_inputs.range(steps_of(job));
        all.filter(|(step, _)| is_undecided(**step))
            .map(|(step, (digest, _))| (*step, *digest))
            .collect()
    }
}

impl Decider<'_> {
    /// Notes the input of a step that votes are wanted for, if the plan could not know it.
    pub(crate) fn see_input(&mut self, step: StepRef) {
        if !self.program.is_mutating(step) || self.program.planned_input(step).is_some() {
            return;
        }
        let Ok(input) = self.input(step) else { return };
        let digest = Digest::of_value(&input);
        let known = self.state.seen_inputs.get(&step).map(|(digest, _)| *digest);
        if known != Some(digest) && self.program.foreseen_input(step) != Some(digest) {
            self.emit(Event::InputSeen { step, input: digest });
        }
    }

    /// Whether the present votes are for the very input of a step, as far as its risk demands that.
    pub(crate) fn is_named(&mut self, step: StepRef) -> bool {
        if !self.program.is_high_risk(step) {
            return true;
        }
        self.see_input(step);
        let request = self
            .state
            .jobs
            .get(usize::from(step.job))
            .and_then(|job| job.approval);
        match self.state.seen_inputs.get(&step) {
            Some((_, named_by)) => named_by.is_some() && *named_by == request,
            None => true,
        }
    }

    /// Who voted has not seen the input of a step of high risk.
    pub(crate) fn void_unseen(&mut self, step: StepRef) {
        let reason = format!(
            "{} is of high risk, and what it is given became known only now",
            self.label(step)
        );
        self.void_approval(step, reason);
    }

    /// What votes on a job bind to now.
    pub(crate) fn subject(&mut self, job: u16) -> Option<ApprovalSubject> {
        let name = self.program.job(job)?.name.clone();
        // Lanes that stand at the same point are asked for together.
        let lanes = self.state.jobs.get(usize::from(job))?.lanes.len();
        for lane in 0..u32::try_from(lanes).unwrap_or(u32::MAX) {
            let current = self.state.lane(job, lane).and_then(Lane::current);
            if let Some((step, _)) = current {
                let step = StepRef { job, lane, step };
                if self.is_undecided(step) {
                    self.see_input(step);
                }
            }
        }
        let drifted = self.state.drifted.range(steps_of(job));
        let mut drifted: Vec<_> = drifted
            .map(|(step, digest)| (self.label(*step), *digest))
            .collect();
        let unforeseen = self.state.unforeseen(job);
        let mut rest: Vec<_> = drifted.drain(LISTED_MAX.min(drifted.len())..).collect();
        let mut inputs = Vec::new();
        let mut budget = INPUTS_MAX;
        for (step, digest) in unforeseen {
            let label = self.label(step);
            if inputs.len() >= LISTED_MAX {
                rest.push((label, digest));
                continue;
            }
            let input = self.input(step).ok().map(|input| Value::clone(&input));
            let input = input.filter(|input| {
                let size = input.to_string().len();
                let fits = size <= INPUT_MAX.min(budget);
                budget -= if fits { size } else { 0 };
                fits
            });
            inputs.push(SeenInput {
                step: label,
                digest,
                input,
            });
        }
        let more = (!rest.is_empty()).then(|| MoreSteps {
            steps: u32::try_from(rest.len()).unwrap_or(u32::MAX),
            digest: Digest::of_value(&serde_json::json!(rest)),
        });
        Some(ApprovalSubject {
            tenant: self.state.tenant.clone(),
            run: self.state.run,
            runbook: self.state.runbook.clone(),
            job: name,
            plan: self.state.plan,
            drifted,
            inputs,
            more,
        })
    }
}
