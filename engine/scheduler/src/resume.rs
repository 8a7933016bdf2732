//! Recovery: the folded state, and the effects that still have to be performed.

use clawd_model::{ErrorKind, Event, Recorded, StepError, StepRef};

use crate::advance::settle;
use crate::decide::{Decider, Work};
use crate::{Corrupt, Effect, JobPhase, LaneVerdict, Program, RunState, StepState, Timer};

/// Folds a whole journal.
///
/// # Errors
/// When the journal is empty, has gaps, or holds an event that cannot follow the ones before it.
pub fn fold(program: &Program, journal: &[Recorded]) -> Result<RunState, Corrupt> {
    let Some((first, rest)) = journal.split_first() else {
        return Err(Corrupt {
            seq: 1,
            what: "there is no first event".to_owned(),
        });
    };
    let mut state = RunState::begin(program, &first.event)?;
    for recorded in rest {
        if recorded.seq != state.seq + 1 {
            let what = format!("event {} follows event {}", recorded.seq, state.seq);
            return Err(Corrupt {
                seq: recorded.seq,
                what,
            });
        }
        state.apply(program, &recorded.event, recorded.at)?;
    }
    state.derive(program);
    Ok(state)
}

impl RunState {
    /// Computes what follows from the steps' states: cursors, verdicts, counts. Live decisions keep the same
    /// numbers up to date as they go.
    pub(crate) fn derive(&mut self, program: &Program) {
        self.open = 0;
        for (index, job) in self.jobs.iter_mut().enumerate() {
            let Some(definition) = program.workflow.jobs.get(index) else {
                continue;
            };
            job.lanes_open = 0;
            job.lanes_failed = 0;
            for lane in job.lanes.iter_mut().filter(|lane| !lane.steps.is_empty()) {
                settle(definition, lane);
                if lane.current().is_some() {
                    job.lanes_open += 1;
                } else {
                    job.lanes_failed += u32::from(lane.verdict != LaneVerdict::Fine);
                }
            }
            self.open += job.lanes_open;
            match job.phase {
                // A wave that is done and was followed by nothing was the job's last.
                JobPhase::Wave(_) if job.lanes_open == 0 => job.phase = JobPhase::Done(job.worst_verdict()),
                _ => {}
            }
        }
    }
}

impl Decider<'_> {
    /// What the folded state still asks for. The same for a run that was just admitted.
    pub(crate) fn resume(&mut self) {
        self.state.looking.steps.clear();
        self.state.looking.awaited.clear();
        let waiting = self.state.jobs.iter().flat_map(|job| &job.waiting);
        self.state.looking.lacking = waiting.copied().collect();
        self.resume_lock();
        for approval in self.state.untold.keys().copied().collect::<Vec<_>>() {
            self.announce(approval);
        }
        for job in 0..u16::try_from(self.state.jobs.len()).unwrap_or(u16::MAX) {
            self.vote_timers(job);
            let Some(state) = self.state.jobs.get(usize::from(job)) else {
                continue;
            };
            match state.phase {
                JobPhase::Soaking { until, .. } => {
                    self.effect(Effect::SetTimer {
                        at: until,
                        timer: Timer::Soak(job),
                    });
                }
                JobPhase::Wave(_) => {
                    for lane in 0..u32::try_from(state.lanes.len()).unwrap_or(u32::MAX) {
                        self.resume_lane(job, lane);
                    }
                }
                _ => {}
            }
        }
        if self.state.cancelled {
            self.effect(Effect::AbortAttempts);
        }
        self.queue.push_back(Work::Jobs);
    }

    fn resume_lane(&mut self, job: u16, lane: u32) {
        let Some((step, state)) = self.state.lane(job, lane).and_then(crate::Lane::current) else {
            return;
        };
        let step = StepRef { job, lane, step };
        match state.clone() {
            StepState::Pending => self.queue.push_back(Work::Lane(job, lane)),
            StepState::WaitingForVotes => self.ask_gate(step),
            StepState::WaitingForRetry { at, .. } => self.effect(Effect::SetTimer {
                at,
                timer: Timer::Retry(step),
            }),
            StepState::Running {
                attempt,
                id,
                input: digest,
                since,
            } => match self.input(step) {
                Ok(input) => self.effect(Effect::RecoverAttempt {
                    step,
                    attempt,
                    id,
                    input,
                    digest,
                    since,
                }),
                Err(message) => self.cannot_recover(step, attempt, message),
            },
            StepState::Unknown { .. }
            | StepState::Succeeded { .. }
            | StepState::Skipped { .. }
            | StepState::Failed { .. } => {}
        }
    }

    /// The input of a running attempt cannot be evaluated any more: nobody can ask the host about it.
    fn cannot_recover(&mut self, step: StepRef, attempt: u32, message: String) {
        let error = StepError::new(ErrorKind::Indeterminate, message);
        self.emit(Event::AttemptFinished {
            step,
            attempt,
            outcome: clawd_model::Outcome::Unknown { error },
        });
    }
}
