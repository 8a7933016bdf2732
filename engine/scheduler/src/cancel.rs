//! Cancelling: nothing new begins but `always`; attempts that began are finished, and their outcomes recorded.

use clawd_model::{ErrorKind, Event, Outcome, PrincipalName, RunOutcome, StepError, StepRef};

use crate::decide::{Decider, Work};
use crate::{Effect, StepState};

impl Decider<'_> {
    pub(crate) fn cancel_requested(&mut self, by: PrincipalName, reason: String) {
        if self.state.cancelled {
            return;
        }
        self.emit(Event::CancelRequested {
            by: by.clone(),
            reason,
        });
        for job in 0..u16::try_from(self.state.jobs.len()).unwrap_or(u16::MAX) {
            self.cancel_job(job, &by);
        }
        self.effect(Effect::AbortAttempts);
        self.queue.push_back(Work::Jobs);
    }

    fn cancel_job(&mut self, job: u16, by: &PrincipalName) {
        let always_from = self.program.job(job).map_or(0, |job| job.always_from);
        let lanes = u32::try_from(
            self.state
                .jobs
                .get(usize::from(job))
                .map_or(0, |state| state.lanes.len()),
        );
        for lane in 0..lanes.unwrap_or(u32::MAX) {
            let Some((step, state)) = self.state.lane(job, lane).and_then(crate::Lane::current) else {
                continue;
            };
            let can_stop = matches!(
                state,
                StepState::Pending | StepState::WaitingForVotes | StepState::WaitingForRetry { .. }
            );
            if can_stop && step < always_from {
                let step = StepRef { job, lane, step };
                let error = StepError::new(ErrorKind::Cancelled, format!("`{by}` cancelled the run"));
                self.emit(Event::StepFailed { step, error });
                self.moved(step);
            }
        }
    }

    /// What the run decides cannot be stored: it ends here, and says why. What attempts that are under way come to
    /// will not be recorded, so nobody will know.
    pub(crate) fn give_up(&mut self, error: StepError) {
        let running: Vec<(StepRef, u32)> = self.running().collect();
        for (step, attempt) in running {
            let error = StepError::new(
                ErrorKind::Indeterminate,
                "the engine gave the run up while the attempt was under way",
            );
            self.emit(Event::AttemptFinished {
                step,
                attempt,
                outcome: Outcome::Unknown { error },
            });
        }
        self.emit(Event::RunFinished {
            outcome: RunOutcome::Failed,
            error: Some(error),
        });
        self.effect(Effect::AbortAttempts);
    }

    fn running(&self) -> impl Iterator<Item = (StepRef, u32)> {
        (0_u16..).zip(&self.state.jobs).flat_map(|(job, state)| {
            (0_u32..).zip(&state.lanes).filter_map(move |(lane, slot)| {
                let (step, StepState::Running { attempt, .. }) = slot.current()? else {
                    return None;
                };
                Some((StepRef { job, lane, step }, *attempt))
            })
        })
    }

    /// Whether the run was cancelled and the step is one of those that do not begin any more.
    pub(crate) fn is_called_off(&self, step: StepRef) -> bool {
        let in_always = self
            .program
            .job(step.job)
            .is_some_and(|job| step.step >= job.always_from);
        self.state.cancelled && !in_always
    }
}
