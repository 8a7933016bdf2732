//! The fold: one total function from a state and an event to the next state. Recovery and live execution run
//! this same code.

use std::sync::Arc;

use clawd_model::{Decision, DecisionKind, ErrorKind, Event, Outcome, StepError, StepRef, Timestamp};

use crate::{JobPhase, JobState, LaneVerdict, Program, RunState, StepState};

/// The journal holds an event that cannot follow the ones before it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the journal is corrupt at event {seq}: {what}")]
pub struct Corrupt {
    /// The event's place in the journal.
    pub seq: u64,
    /// What does not fit.
    pub what: String,
}

impl RunState {
    /// The state after one more event.
    ///
    /// # Errors
    /// When the event cannot follow the ones before it.
    pub fn apply(&mut self, program: &Program, event: &Event, at: Timestamp) -> Result<(), Corrupt> {
        let seq = self.seq + 1;
        let result = match event {
            Event::StepSkipped { step, reason } => self.set(
                *step,
                StepState::Skipped {
                    reason: reason.clone(),
                },
                |from| matches!(from, StepState::Pending),
            ),
            Event::StepFailed { step, error } => self.fail(*step, error),
            Event::InputSeen { step, input } => {
                self.seen_inputs.insert(*step, (*input, None));
                Ok(())
            }
            Event::LockRequested { lock } => self.lock_requested(lock),
            Event::LockTaken { lock } => self.lock_taken(lock),
            Event::StepChecked {
                step,
                fingerprint,
                drifted,
                ..
            } => {
                if *drifted {
                    self.drifted.insert(*step, *fingerprint);
                }
                Ok(())
            }
            Event::GateDecided { step, decision } => self.gate_decided(*step, decision),
            Event::AttemptStarted {
                step,
                attempt,
                id,
                input,
                decision,
            } => {
                let next = StepState::Running {
                    attempt: *attempt,
                    id: *id,
                    input: *input,
                    since: at,
                };
                self.attempt_started(*step, *attempt, decision, next)
            }
            Event::AttemptFinished {
                step,
                attempt,
                outcome,
            } => self.attempt_finished(*step, *attempt, outcome),
            Event::RetryScheduled { step, attempt, at } => {
                let next = StepState::WaitingForRetry {
                    attempt: *attempt,
                    at: *at,
                };
                self.set(*step, next, |from| {
                    matches!(
                        from,
                        StepState::Failed { .. }
                            | StepState::Pending
                            | StepState::WaitingForVotes
                            | StepState::WaitingForRetry { .. }
                    )
                })
            }
            Event::UnknownResolved { step, outcome, .. } => {
                self.unknown_resolved(*step, outcome.as_ref(), at)
            }
            Event::WaveStarted { job, wave } => self.wave_started(program, *job, *wave),
            Event::SoakStarted { job, until } => self.soak_started(*job, *until),
            Event::JobSkipped { job, failed, .. } => self.job_skipped(*job, *failed),
            Event::CancelRequested { .. } => {
                self.cancelled();
                Ok(())
            }
            Event::RunFinished { outcome, error } => {
                self.outcome = Some(*outcome);
                self.error.clone_from(error);
                self.close_approvals();
                Ok(())
            }
            Event::RunStarted { .. } => Err("the run starts twice".to_owned()),
            approval => self.apply_approval(approval, at),
        };
        result.map_err(|what| Corrupt { seq, what })?;
        self.seq = seq;
        Ok(())
    }

    /// Moves a step from a state that `legal` accepts, and keeps count of what blocks the run.
    fn set(
        &mut self,
        step: StepRef,
        next: StepState,
        legal: impl Fn(&StepState) -> bool,
    ) -> Result<(), String> {
        let slot = self
            .lane_mut(step.job, step.lane)
            .and_then(|lane| lane.steps.get_mut(usize::from(step.step)))
            .ok_or_else(|| format!("step {step:?} does not exist or its wave has not begun"))?;
        if !legal(slot) {
            return Err(format!("step {step:?} cannot go from {slot:?} to {next:?}"));
        }
        let (was, is) = (is_blocked(slot), is_blocked(&next));
        let waits = next == StepState::WaitingForVotes;
        *slot = next;
        match (was, is) {
            (false, true) => self.blocked += 1,
            (true, false) => self.blocked = self.blocked.saturating_sub(1),
            _ => {}
        }
        if waits {
            self.asked.insert(step);
            if !self.looking.steps.contains(&step) {
                self.looking.lacking.insert(step);
            }
        } else {
            self.looking.lacking.remove(&step);
        }
        if let Some(job) = self.jobs.get_mut(usize::from(step.job)) {
            if waits {
                job.waiting.insert(step);
            } else {
                job.waiting.remove(&step);
            }
        }
        Ok(())
    }

    fn fail(&mut self, step: StepRef, error: &StepError) -> Result<(), String> {
        let attempt = match self.step(step) {
            Some(StepState::WaitingForRetry { attempt, .. }) => attempt.saturating_sub(1),
            _ => 0,
        };
        self.set(
            step,
            StepState::Failed {
                attempt,
                error: error.clone(),
            },
            |from| {
                matches!(
                    from,
                    StepState::Pending | StepState::WaitingForVotes | StepState::WaitingForRetry { .. }
                )
            },
        )
    }

    fn gate_decided(&mut self, step: StepRef, decision: &Decision) -> Result<(), String> {
        match &decision.kind {
            DecisionKind::Allow => Ok(()),
            DecisionKind::NeedsApproval { .. } => self.set(step, StepState::WaitingForVotes, |from| {
                matches!(
                    from,
                    StepState::Pending | StepState::WaitingForVotes | StepState::WaitingForRetry { .. }
                )
            }),
            DecisionKind::Deny => self.fail(step, &denied(decision)),
        }
    }

    fn attempt_started(
        &mut self,
        step: StepRef,
        attempt: u32,
        decision: &Decision,
        next: StepState,
    ) -> Result<(), String> {
        if !decision.is_allow() {
            return Err(format!("attempt {attempt} of step {step:?} was not allowed"));
        }
        if attempt <= self.attempts(step) {
            return Err(format!("attempt {attempt} of step {step:?} starts twice"));
        }
        self.set(step, next, |from| {
            matches!(
                from,
                StepState::Pending | StepState::WaitingForVotes | StepState::WaitingForRetry { .. }
            )
        })?;
        let lane = self.lane_mut(step.job, step.lane);
        if let Some(last) = lane.and_then(|lane| lane.attempts.get_mut(usize::from(step.step))) {
            *last = attempt;
        }
        self.undone.remove(&step);
        self.asked.remove(&step);
        Ok(())
    }

    /// The number of the last attempt that a step had; 0 for none.
    #[must_use]
    pub fn attempts(&self, step: StepRef) -> u32 {
        let lane = self.lane(step.job, step.lane);
        lane.and_then(|lane| lane.attempts.get(usize::from(step.step)))
            .copied()
            .unwrap_or(0)
    }

    fn attempt_finished(&mut self, step: StepRef, attempt: u32, outcome: &Outcome) -> Result<(), String> {
        self.set(
            step,
            after(attempt, outcome),
            |from| matches!(from, StepState::Running { attempt: running, .. } if *running == attempt),
        )
    }

    fn unknown_resolved(
        &mut self,
        step: StepRef,
        outcome: Option<&Outcome>,
        at: Timestamp,
    ) -> Result<(), String> {
        let Some(StepState::Unknown { attempt, .. }) = self.step(step) else {
            return Err(format!("step {step:?} is not unknown"));
        };
        let attempt = *attempt;
        let next = match outcome {
            Some(outcome) => after(attempt, outcome),
            None => {
                self.undone.insert(step);
                StepState::WaitingForRetry {
                    attempt: attempt + 1,
                    at,
                }
            }
        };
        self.set(step, next, |from| matches!(from, StepState::Unknown { .. }))
    }

    fn wave_started(&mut self, program: &Program, job: u16, wave: u32) -> Result<(), String> {
        let steps = program.job(job).map_or(0, |job| job.steps.len());
        let state = self.jobs.get_mut(usize::from(job)).ok_or("a wave of no job")?;
        let expected = match state.phase {
            JobPhase::Pending => 0,
            JobPhase::Wave(before) | JobPhase::Soaking { wave: before, .. } => before + 1,
            JobPhase::Skipped { .. } | JobPhase::Done(_) => {
                return Err("a wave of a job that is over".to_owned());
            }
        };
        if wave != expected {
            return Err(format!("wave {wave} begins where {expected} should"));
        }
        let lanes = state.wave(wave).ok_or("a wave beyond the plan")?;
        state.phase = JobPhase::Wave(wave);
        state.lanes_open = 0;
        for lane in lanes.filter_map(|lane| usize::try_from(lane).ok()) {
            if let Some(slot) = state.lanes.get_mut(lane) {
                slot.steps = vec![StepState::Pending; steps];
                slot.attempts = vec![0; steps];
                state.lanes_open += 1;
                self.open += 1;
            }
        }
        Ok(())
    }

    fn soak_started(&mut self, job: u16, until: Timestamp) -> Result<(), String> {
        let state = self.jobs.get_mut(usize::from(job)).ok_or("a soak of no job")?;
        let JobPhase::Wave(wave) = state.phase else {
            return Err("a soak outside of a wave".to_owned());
        };
        state.phase = JobPhase::Soaking { wave, until };
        Ok(())
    }

    fn job_skipped(&mut self, job: u16, failed: bool) -> Result<(), String> {
        let state = self.jobs.get_mut(usize::from(job)).ok_or("no such job")?;
        if state.phase != JobPhase::Pending {
            return Err("a job that began cannot be skipped".to_owned());
        }
        state.phase = JobPhase::Skipped { failed };
        Ok(())
    }

    /// Nothing follows a wave any more, so that what soaks is over.
    fn cancelled(&mut self) {
        self.cancelled = true;
        for job in &mut self.jobs {
            if let JobPhase::Soaking { .. } = job.phase {
                job.phase = JobPhase::Done(LaneVerdict::Cancelled);
            }
        }
    }
}

impl JobState {
    /// The lanes of a wave.
    pub(crate) fn wave(&self, wave: u32) -> Option<std::ops::Range<u32>> {
        let wave = usize::try_from(wave).ok()?;
        Some(*self.wave_starts.get(wave)?..*self.wave_starts.get(wave + 1)?)
    }
}

/// The refusal of a decision as the error of its step.
fn denied(decision: &Decision) -> StepError {
    let reasons = if decision.reasons.is_empty() {
        "no policy permits it".to_owned()
    } else {
        decision.reasons.join("; ")
    };
    StepError::new(ErrorKind::Denied, format!("denied by policy: {reasons}"))
}

fn after(attempt: u32, outcome: &Outcome) -> StepState {
    match outcome {
        Outcome::Succeeded { output, changed } => StepState::Succeeded {
            output: Arc::new(output.clone()),
            changed: *changed,
        },
        Outcome::Failed { error } => StepState::Failed {
            attempt,
            error: error.clone(),
        },
        Outcome::Unknown { error } => StepState::Unknown {
            attempt,
            error: error.clone(),
        },
    }
}

pub(crate) fn is_blocked(state: &StepState) -> bool {
    matches!(state, StepState::WaitingForVotes | StepState::Unknown { .. })
}

impl LaneVerdict {
    /// What a failed step makes of its lane.
    pub(crate) fn of(error: &StepError) -> Self {
        match error.kind {
            ErrorKind::Denied => Self::Denied,
            ErrorKind::Cancelled => Self::Cancelled,
            _ => Self::Failed,
        }
    }
}
