//! The one decision: a state and an input give events to commit and effects to perform.

use std::collections::VecDeque;

use clawd_model::{Event, StepRef, Timestamp};

use crate::{Effect, Input, JobPhase, Program, RunState, StepState, Timer, Turn};

/// Decides what follows from an input. The state is folded forward by the same [`RunState::apply`] that recovery
/// uses; a caller that cannot commit the turn must drop the state and fold the journal anew.
pub fn decide(program: &Program, state: &mut RunState, input: Input, now: Timestamp) -> Turn {
    let mut decider = Decider {
        program,
        state,
        now,
        turn: Turn::default(),
        queue: VecDeque::new(),
    };
    if decider.state.outcome.is_none() {
        decider.take(input);
        decider.work_off();
    }
    decider.turn
}

/// What is left to look at within one decision. A queue, so that a run of many waves needs no deep stack.
pub(crate) enum Work {
    /// Enter the lane's next step, or finish the lane.
    Lane(u16, u32),
    /// Begin a wave.
    Wave(u16, u32),
    /// Begin the jobs whose needs are met, or finish the run.
    Jobs,
}

pub(crate) struct Decider<'a> {
    pub(crate) program: &'a Program,
    pub(crate) state: &'a mut RunState,
    pub(crate) now: Timestamp,
    pub(crate) turn: Turn,
    pub(crate) queue: VecDeque<Work>,
}

impl Decider<'_> {
    fn take(&mut self, input: Input) {
        match input {
            Input::Resume => self.resume(),
            Input::Checked { step, result } => self.checked(step, result),
            Input::GateAnswered { step, decision } => self.gate_answered(step, decision),
            Input::NoRoom { step } => self.no_room(step),
            Input::AttemptFinished {
                step,
                attempt,
                outcome,
            } => self.attempt_finished(step, attempt, outcome),
            Input::TimerFired(timer) => self.timer_fired(timer),
            Input::VoteCast { vote } => self.vote_cast(vote),
            Input::LockAnswered { is_first } => self.lock_answered(is_first),
            Input::LockFreed => self.resume_lock(),
            Input::Announced { approval, channel } => self.announced(approval, channel),
            Input::GiveUp { error } => self.give_up(error),
            Input::RulesChanged => self.rules_changed(),
            Input::CancelRequested { by, reason } => self.cancel_requested(by, reason),
            Input::UnknownResolved {
                step,
                attempt,
                by,
                outcome,
            } => self.unknown_resolved(step, attempt, by, outcome),
        }
    }

    fn work_off(&mut self) {
        while let Some(work) = self.queue.pop_front() {
            match work {
                Work::Lane(job, lane) => self.advance_lane(job, lane),
                Work::Wave(job, wave) => self.begin_wave(job, wave),
                Work::Jobs => self.begin_jobs(),
            }
        }
    }

    /// Records a fact and folds it in.
    pub(crate) fn emit(&mut self, event: Event) {
        self.state
            .apply(self.program, &event, self.now)
            .expect("a decision emits only events that can follow");
        self.turn.events.push(event);
    }

    pub(crate) fn effect(&mut self, effect: Effect) {
        self.turn.effects.push(effect);
    }

    fn timer_fired(&mut self, timer: Timer) {
        match timer {
            Timer::Retry(step) => {
                if let Some(StepState::WaitingForRetry { at, .. }) = self.state.step(step) {
                    let at = *at;
                    if at <= self.now {
                        self.dispatch(step)
                    } else {
                        self.effect(Effect::SetTimer { at, timer })
                    }
                }
            }
            Timer::Votes(job) => self.ask_again(job),
            Timer::Soak(job) => {
                if let Some(JobPhase::Soaking { wave, until }) =
                    self.state.jobs.get(usize::from(job)).map(|job| &job.phase)
                {
                    let (wave, until) = (*wave, *until);
                    if until <= self.now {
                        self.queue.push_back(Work::Wave(job, wave + 1));
                    } else {
                        self.effect(Effect::SetTimer { at: until, timer });
                    }
                }
            }
        }
    }

    /// The lane of a step has moved: look at it.
    pub(crate) fn moved(&mut self, step: StepRef) {
        self.queue.push_back(Work::Lane(step.job, step.lane));
    }
}
