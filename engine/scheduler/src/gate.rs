//! Checks, and answers of the gate.

use clawd_model::{
    ApprovalId, ApprovalStatus, AttemptId, Decision, DecisionKind, Digest, DurationMs, ErrorKind, Event,
    StepError, StepRef, VOTE_TTL,
};

use crate::decide::Decider;
use crate::votes::Asked;
use crate::{Effect, StepState};

/// What people read when a step's input is not the one in the plan.
const OTHER_INPUT: &str = "its input is not the one that was planned";

impl Decider<'_> {
    /// The step's `check` was repeated. Another fingerprint than people approved voids their approval.
    pub(crate) fn checked(&mut self, step: StepRef, result: Result<(Digest, String), StepError>) {
        if !self.state.looking.steps.contains(&step) {
            return;
        }
        let was_last = self.look_over(step);
        if self.is_waiting(step) {
            self.state.looking.lacking.insert(step);
        }
        if self.is_undecided(step) && self.needs_check(step) {
            self.seen_now(step, result);
        }
        if was_last {
            for waiting in self.lacking(step.job).collect::<Vec<_>>() {
                if waiting != step {
                    self.ask_gate(waiting);
                }
            }
        }
    }

    fn seen_now(&mut self, step: StepRef, result: Result<(Digest, String), StepError>) {
        match result {
            Err(error) => self.check_failed(step, error),
            Ok((change, now)) => {
                let (fingerprint, other_input) = self.seen(step, Some(change));
                let fingerprint = fingerprint.unwrap_or(change);
                if self.expected(step) == Some(fingerprint) {
                    self.emit(Event::StepChecked {
                        step,
                        fingerprint,
                        drifted: false,
                        now: String::new(),
                    });
                } else {
                    let now = if other_input {
                        format!("{OTHER_INPUT}: {now}")
                    } else {
                        now
                    };
                    self.drifted(step, fingerprint, now);
                }
                self.state.just_checked.push(step);
                self.ask_gate(step);
            }
        }
    }

    fn check_failed(&mut self, step: StepRef, error: StepError) {
        let attempt = self.next_attempt(step);
        let backoff = self
            .program
            .step(step)
            .and_then(|step| step.retry.next(attempt, &error));
        match backoff {
            Some(backoff) => self.schedule_retry(step, attempt + 1, self.now.plus(backoff)),
            None => {
                self.emit(Event::StepFailed { step, error });
                self.moved(step);
            }
        }
    }

    pub(crate) fn ask_gate(&mut self, step: StepRef) {
        match self.input(step) {
            Ok(input) => self.effect(Effect::AskGate { step, input }),
            Err(message) => {
                self.state.just_checked.retain(|checked| *checked != step);
                self.emit(Event::StepFailed {
                    step,
                    error: StepError::new(ErrorKind::InvalidInput, message),
                });
                self.moved(step);
            }
        }
    }

    pub(crate) fn gate_answered(&mut self, step: StepRef, decision: Decision) {
        let just_checked = self.state.just_checked.contains(&step);
        self.state.just_checked.retain(|checked| *checked != step);
        if !self.is_undecided(step) {
            return;
        }
        match decision.kind.clone() {
            DecisionKind::Allow => self.allowed(step, decision, just_checked),
            DecisionKind::NeedsApproval {
                missing,
                ttl_ms,
                notify,
            } => {
                let asked = Asked {
                    missing,
                    reasons: decision.reasons.clone(),
                    ttl: ttl_ms.map_or(VOTE_TTL, DurationMs),
                    notify,
                };
                self.needs_approval(step, decision, asked)
            }
            DecisionKind::Deny => {
                self.emit(Event::GateDecided { step, decision });
                self.moved(step);
            }
        }
    }

    /// The step waits for room: by the time there is some, what its check saw is old. It lacks no votes, and the gate
    /// is asked for it by itself.
    pub(crate) fn no_room(&mut self, step: StepRef) {
        self.state.just_checked.retain(|checked| *checked != step);
        self.state.looking.lacking.remove(&step);
    }

    fn allowed(&mut self, step: StepRef, decision: Decision, just_checked: bool) {
        // The votes arrived after the last look at the host: look again, the answer leads back here.
        if self.needs_check(step) && !just_checked {
            return self.dispatch(step);
        }
        let input = match self.input(step) {
            Ok(input) => input,
            Err(message) => {
                self.emit(Event::StepFailed {
                    step,
                    error: StepError::new(ErrorKind::InvalidInput, message),
                });
                return self.moved(step);
            }
        };
        // Where the plan predicted no change there is no check, and the input alone tells.
        if self.state.attempts(step) == 0
            && let (Some(fingerprint), true) = self.seen(step, None)
            && !just_checked
            && self.expected(step) != Some(fingerprint)
        {
            self.drifted(step, fingerprint, OTHER_INPUT.to_owned());
            return self.ask_gate(step);
        }
        // Votes let it pass, and those who voted have not seen what it would do.
        if !decision.voters.is_empty() && !self.is_named(step) {
            self.void_unseen(step);
            return self.ask_gate(step);
        }
        if let Some(approval) = self.satisfied_by(step) {
            let voters = decision.voters.clone();
            self.emit(Event::ApprovalGranted { approval, voters });
        }
        let attempt = self.next_attempt(step);
        let id = AttemptId::derive(&self.state.tenant, self.state.run, step, attempt);
        self.emit(Event::AttemptStarted {
            step,
            attempt,
            id,
            input: Digest::of_value(&input),
            decision,
        });
        self.effect(Effect::StartAttempt {
            step,
            attempt,
            id,
            input,
        });
    }

    fn needs_approval(&mut self, step: StepRef, decision: Decision, asked: Asked) {
        // It may have been let pass before, and have waited for room.
        if self.is_waiting(step) {
            self.state.looking.lacking.insert(step);
        }
        self.see_input(step);
        let present = self.present(step.job);
        if present.is_some() && !self.is_named(step) {
            self.void_unseen(step);
        }
        match self.present(step.job) {
            Some((_, ApprovalStatus::Rejected)) => {
                return self.refuse(step, "the request for votes was rejected");
            }
            Some((approval, ApprovalStatus::Open | ApprovalStatus::Granted)) => {
                self.update_missing(step, approval, asked.missing, asked.reasons, asked.ttl);
            }
            _ if self.holds_back(step.job) => {}
            _ => self.request_approval(step, asked),
        }
        if !self.is_waiting(step) {
            self.emit(Event::GateDecided { step, decision });
        }
    }

    /// The request for votes of a job, and where it stands.
    fn present(&self, job: u16) -> Option<(ApprovalId, ApprovalStatus)> {
        self.state
            .approval_of(job)
            .map(|approval| (approval.id, approval.status))
    }

    pub(crate) fn is_waiting(&self, step: StepRef) -> bool {
        self.state.step(step) == Some(&StepState::WaitingForVotes)
    }

    /// Whether the gate may still decide about it. A step that was cancelled meanwhile is not touched.
    pub(crate) fn is_undecided(&self, step: StepRef) -> bool {
        use StepState::{Pending, WaitingForRetry, WaitingForVotes};
        let is_open = matches!(
            self.state.step(step),
            Some(Pending | WaitingForVotes | WaitingForRetry { .. })
        );
        let is_turn = self
            .state
            .lane(step.job, step.lane)
            .and_then(crate::Lane::current)
            .is_some_and(|(at, _)| at == step.step);
        is_open && is_turn
    }

    pub(crate) fn next_attempt(&self, step: StepRef) -> u32 {
        let planned = match self.state.step(step) {
            Some(StepState::WaitingForRetry { attempt, .. }) => *attempt,
            _ => 1,
        };
        planned.max(self.state.attempts(step) + 1)
    }

    /// `job/server/step`, as people know it.
    pub(crate) fn label(&self, step: StepRef) -> String {
        let job = self.program.job(step.job).map_or("?", |job| job.name.as_str());
        let target = self
            .state
            .target(step.job, step.lane)
            .map_or("?", |target| target.name.as_str());
        let name = self.program.step(step).map_or("?", |step| step.name.as_str());
        format!("{job}/{target}/{name}")
    }
}
