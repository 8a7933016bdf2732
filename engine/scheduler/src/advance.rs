//! How lanes, waves, jobs and the run move on.

use std::sync::Arc;

use clawd_model::{ErrorKind, Event, RunOutcome, StepError, StepRef};
use clawd_workflow::{Evaluated, Job, Truth};
use serde_json::Value;

use crate::decide::{Decider, Work};
use crate::scope::LaneScope;
use crate::{Effect, JobPhase, Lane, LaneVerdict, StepState, Timer};

/// Moves a lane's cursor over steps that are final. `rescue` follows a failed step; `always` follows everything.
pub(crate) fn settle(job: &Job, lane: &mut Lane) {
    let (rescue, always) = (usize::from(job.rescue_from), usize::from(job.always_from));
    while let Some(state) = lane.steps.get(lane.cursor) {
        if !state.is_final() {
            return;
        }
        let verdict = match state {
            StepState::Failed { error, .. } => LaneVerdict::of(error),
            _ => LaneVerdict::Fine,
        };
        lane.verdict = lane.verdict.max(verdict);
        let in_main = lane.cursor < rescue;
        lane.cursor = match verdict {
            LaneVerdict::Fine if in_main && lane.cursor + 1 == rescue => always,
            LaneVerdict::Fine => lane.cursor + 1,
            LaneVerdict::Failed if in_main => rescue,
            _ if lane.cursor < always => always,
            _ => lane.cursor + 1,
        };
    }
}

impl Decider<'_> {
    /// Enters the lane's next step, or finishes the lane.
    pub(crate) fn advance_lane(&mut self, job: u16, lane: u32) {
        loop {
            let program = self.program;
            let (Some(definition), Some(slot)) = (program.job(job), self.state.lane_mut(job, lane)) else {
                return;
            };
            settle(definition, slot);
            let Some((step, state)) = slot.current() else {
                return self.lane_done(job, lane);
            };
            if *state != StepState::Pending {
                return;
            }
            if !self.enter(StepRef { job, lane, step }) {
                return;
            }
        }
    }

    /// Evaluates a step's condition and sends it to its check or to the gate. True when the step is over already.
    fn enter(&mut self, step: StepRef) -> bool {
        let Some(definition) = self.program.step(step) else {
            return false;
        };
        if self.is_called_off(step) {
            let error = StepError::new(ErrorKind::Cancelled, "the run was cancelled before this step");
            self.emit(Event::StepFailed { step, error });
            return true;
        }
        if let Some(condition) = &definition.condition {
            let scope = LaneScope {
                program: self.program,
                state: self.state,
                job: step.job,
                lane: step.lane,
            };
            match condition.holds(&scope) {
                Ok(Truth::True) => {}
                Ok(Truth::False) => {
                    let reason = format!("`{}` is false", condition.source());
                    self.emit(Event::StepSkipped { step, reason });
                    return true;
                }
                Ok(Truth::DependsOn(what)) => {
                    return self.fail_expression(step, format!("nothing is known of {what}"));
                }
                Err(error) => return self.fail_expression(step, error.to_string()),
            }
        }
        !self.try_dispatch(step)
    }

    /// Sends a step to its check or to the gate.
    pub(crate) fn dispatch(&mut self, step: StepRef) {
        if !self.try_dispatch(step) {
            self.moved(step);
        }
    }

    /// False when the step failed on its expressions.
    fn try_dispatch(&mut self, step: StepRef) -> bool {
        match self.input(step) {
            Err(message) => {
                self.fail_expression(step, message);
                false
            }
            Ok(input) => {
                let seq = self.state.seq;
                self.state.rendered.keep(step, seq, &input);
                if !self.needs_check(step) {
                    self.effect(Effect::AskGate { step, input });
                } else if self.state.looking.steps.insert(step) {
                    self.state.looking.lacking.remove(&step);
                    self.effect(Effect::Check { step, input });
                }
                true
            }
        }
    }

    fn fail_expression(&mut self, step: StepRef, message: String) -> bool {
        let error = StepError::new(ErrorKind::InvalidInput, message)
            .with_hint("look at the step's `if` and `with`, and at the outputs of the steps that they name");
        self.emit(Event::StepFailed { step, error });
        true
    }

    /// The step's input, secrets as references. The same state gives the same input, before and after a crash.
    pub(crate) fn input(&self, step: StepRef) -> Result<Arc<Value>, String> {
        if let Some(input) = self.state.rendered.get(step, self.state.seq) {
            return Ok(input);
        }
        let definition = self.program.step(step).ok_or("the workflow has no such step")?;
        let scope = LaneScope {
            program: self.program,
            state: self.state,
            job: step.job,
            lane: step.lane,
        };
        match definition.with.render(&scope) {
            Ok(Evaluated::Value(value)) => Ok(Arc::new(value)),
            Ok(Evaluated::DependsOn(what)) => Err(format!("nothing is known of {what}")),
            Err(error) => Err(error.to_string()),
        }
    }

    /// INVARIANT: a mutating step whose plan predicted a change is checked again before its first attempt, and
    /// before a later one that people decided on: they may have taken their time. A retry by itself is not: what
    /// the failed attempt left behind is no drift.
    pub(crate) fn needs_check(&self, step: StepRef) -> bool {
        let people_decided = || self.state.undone.contains(&step) || self.state.asked.contains(&step);
        self.program.fingerprint(step).is_some() && (self.state.attempts(step) == 0 || people_decided())
    }

    fn lane_done(&mut self, job: u16, lane: u32) {
        let verdict = self
            .state
            .lane(job, lane)
            .map_or(LaneVerdict::Fine, Lane::verdict);
        self.state.open = self.state.open.saturating_sub(1);
        let Some(state) = self.state.jobs.get_mut(usize::from(job)) else {
            return;
        };
        state.lanes_open = state.lanes_open.saturating_sub(1);
        state.lanes_failed += u32::from(verdict != LaneVerdict::Fine);
        if state.lanes_open == 0 {
            self.wave_done(job);
        }
    }

    fn wave_done(&mut self, job: u16) {
        let Some(definition) = self.program.job(job) else {
            return;
        };
        let strategy = &definition.strategy;
        let cancelled = self.state.cancelled;
        let Some(state) = self.state.jobs.get_mut(usize::from(job)) else {
            return;
        };
        let JobPhase::Wave(wave) = state.phase else { return };
        let is_last = state.wave(wave + 1).is_none();
        if is_last || cancelled || state.failed_too_often(strategy.max_fail_percentage) {
            state.phase = JobPhase::Done(state.worst_verdict());
            self.queue.push_back(Work::Jobs);
        } else if strategy.soak.0 == 0 {
            self.queue.push_back(Work::Wave(job, wave + 1));
        } else {
            let until = self.now.plus(strategy.soak);
            self.emit(Event::SoakStarted { job, until });
            self.effect(Effect::SetTimer {
                at: until,
                timer: Timer::Soak(job),
            });
        }
    }

    pub(crate) fn begin_wave(&mut self, job: u16, wave: u32) {
        self.emit(Event::WaveStarted { job, wave });
        let lanes = self
            .state
            .jobs
            .get(usize::from(job))
            .and_then(|state| state.wave(wave));
        let lanes = lanes.unwrap_or_default();
        if lanes.is_empty() {
            return self.wave_done(job);
        }
        for lane in lanes {
            self.queue.push_back(Work::Lane(job, lane));
        }
    }

    /// Begins the jobs whose needs are met; finishes the run when no job is left.
    pub(crate) fn begin_jobs(&mut self) {
        if !self.may_begin() {
            return;
        }
        for &job in &self.program.workflow.order {
            let is_pending = self
                .state
                .jobs
                .get(usize::from(job))
                .is_some_and(|state| state.phase == JobPhase::Pending);
            let Some(definition) = self.program.job(job) else {
                continue;
            };
            if !is_pending || definition.needs.iter().any(|needed| !self.is_over(*needed)) {
                continue;
            }
            match self.reason_to_skip(job, definition) {
                Some((reason, failed)) => self.emit(Event::JobSkipped { job, reason, failed }),
                None => self.begin_wave(job, 0),
            }
        }
        let is_over =
            |job: &crate::JobState| matches!(job.phase, JobPhase::Done(_) | JobPhase::Skipped { .. });
        if self.state.jobs.iter().all(is_over) && self.state.outcome.is_none() {
            let outcome = self.run_outcome();
            self.emit(Event::RunFinished { outcome, error: None });
        }
    }

    fn is_over(&self, job: u16) -> bool {
        let phase = self.state.jobs.get(usize::from(job)).map(|state| &state.phase);
        matches!(phase, Some(JobPhase::Done(_) | JobPhase::Skipped { .. }))
    }

    fn reason_to_skip(&self, job: u16, definition: &Job) -> Option<(String, bool)> {
        if self.state.cancelled {
            return Some(("the run was cancelled".to_owned(), true));
        }
        if let Err(problem) = self.lock_name() {
            return Some((problem, true));
        }
        let failed = definition.needs.iter().find(|needed| {
            let phase = self
                .state
                .jobs
                .get(usize::from(**needed))
                .map(|state| &state.phase);
            !matches!(
                phase,
                Some(JobPhase::Done(LaneVerdict::Fine) | JobPhase::Skipped { failed: false })
            )
        });
        if let Some(name) = failed
            .and_then(|needed| self.program.job(*needed))
            .map(|needed| &needed.name)
        {
            return Some((format!("job `{name}`, which it needs, did not succeed"), true));
        }
        if self
            .state
            .jobs
            .get(usize::from(job))
            .is_some_and(|state| state.lanes.is_empty())
        {
            return Some(("no server matches its targets".to_owned(), false));
        }
        let condition = definition.condition.as_ref()?;
        let scope = LaneScope {
            program: self.program,
            state: self.state,
            job,
            lane: 0,
        };
        match condition.holds(&scope) {
            Ok(Truth::True) => None,
            Ok(Truth::False) => Some((format!("`{}` is false", condition.source()), false)),
            Ok(Truth::DependsOn(what)) => Some((format!("nothing is known of {what}"), true)),
            Err(error) => Some((format!("its condition cannot be evaluated: {error}"), true)),
        }
    }

    fn run_outcome(&self) -> RunOutcome {
        let worst = self.state.jobs.iter().map(|job| match job.phase {
            JobPhase::Done(verdict) => verdict,
            JobPhase::Skipped { failed: true } => LaneVerdict::Failed,
            _ => LaneVerdict::Fine,
        });
        if self.state.cancelled {
            return RunOutcome::Cancelled;
        }
        match worst.max() {
            None | Some(LaneVerdict::Fine) => RunOutcome::Succeeded,
            Some(LaneVerdict::Failed) => RunOutcome::Failed,
            Some(LaneVerdict::Denied) => RunOutcome::Denied,
            Some(LaneVerdict::Cancelled) => RunOutcome::Cancelled,
        }
    }
}

impl crate::JobState {
    /// The worst of its lanes.
    pub(crate) fn worst_verdict(&self) -> LaneVerdict {
        self.lanes
            .iter()
            .map(Lane::verdict)
            .max()
            .unwrap_or(LaneVerdict::Fine)
    }

    /// Whether more lanes failed than the strategy bears.
    pub(crate) fn failed_too_often(&self, max_fail_percentage: u8) -> bool {
        let total = u64::try_from(self.lanes.len()).unwrap_or(u64::MAX);
        u64::from(self.lanes_failed) * 100 > u64::from(max_fail_percentage) * total
    }
}
