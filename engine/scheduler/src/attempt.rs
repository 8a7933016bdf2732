//! Outcomes of attempts, retries, and a person's word on the unknown.

use clawd_model::{ErrorKind, Event, Outcome, PrincipalName, StepError, StepRef, Timestamp};

use crate::decide::Decider;
use crate::{Effect, StepState, Timer};

impl Decider<'_> {
    pub(crate) fn attempt_finished(&mut self, step: StepRef, attempt: u32, outcome: Outcome) {
        // A late outcome of an attempt that is no longer the running one changes nothing.
        if !matches!(self.state.step(step), Some(StepState::Running { attempt: running, .. }) if *running == attempt)
        {
            return;
        }
        let backoff = match &outcome {
            Outcome::Failed { error } if !self.is_called_off(step) => self
                .program
                .step(step)
                .and_then(|step| step.retry.next(attempt, error)),
            _ => None,
        };
        self.emit(Event::AttemptFinished {
            step,
            attempt,
            outcome,
        });
        match backoff {
            Some(backoff) => self.schedule_retry(step, attempt + 1, self.now.plus(backoff)),
            None => self.moved(step),
        }
    }

    pub(crate) fn schedule_retry(&mut self, step: StepRef, attempt: u32, at: Timestamp) {
        self.emit(Event::RetryScheduled { step, attempt, at });
        self.effect(Effect::SetTimer {
            at,
            timer: Timer::Retry(step),
        });
    }

    pub(crate) fn unknown_resolved(
        &mut self,
        step: StepRef,
        attempt: u32,
        by: PrincipalName,
        outcome: Option<Outcome>,
    ) {
        // A word about an earlier attempt says nothing about this one.
        if !matches!(self.state.step(step), Some(StepState::Unknown { attempt: unknown, .. }) if *unknown == attempt)
        {
            return;
        }
        let tries_again = outcome.is_none();
        self.emit(Event::UnknownResolved { step, by, outcome });
        if tries_again && self.is_called_off(step) {
            let error = StepError::new(
                ErrorKind::Cancelled,
                "the run was cancelled before the next attempt",
            );
            self.emit(Event::StepFailed { step, error });
            self.moved(step);
        } else if tries_again {
            self.dispatch(step);
        } else {
            self.moved(step)
        }
    }
}
