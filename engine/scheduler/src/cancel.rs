//! Cancelling: nothing new begins but `always`; attempts that began are finished, and their outcomes recorded.

use clawd_model::{ErrorKind, Event, PrincipalName, StepError, StepRef};

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

    /// Whether the run was cancelled and the step is one of those that do not begin any more.
    pub(crate) fn is_called_off(&self, step: StepRef) -> bool {
        let in_always = self
            .program
            .job(step.job)
            .is_some_and(|job| step.step >= job.always_from);
        self.state.cancelled && !in_always
    }
}
