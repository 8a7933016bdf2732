//! Checks, answers of the gate, and votes.

use std::collections::BTreeSet;

use clawd_model::{
    ApprovalId, ApprovalStatus, ApprovalSubject, AttemptId, Decision, DecisionKind, Digest, DurationMs,
    ErrorKind, Event, MissingVotes, StepError, StepRef, VOTE_TTL, Verdict, Vote,
};

use crate::decide::Decider;
use crate::{Effect, StepState};

impl Decider<'_> {
    /// The step's `check` was repeated. Another fingerprint than people approved voids their approval.
    pub(crate) fn checked(&mut self, step: StepRef, result: Result<(Digest, String), StepError>) {
        if !self.is_undecided(step) || !self.needs_check(step) {
            return;
        }
        match result {
            Err(error) => self.check_failed(step, error),
            Ok((fingerprint, now)) => {
                let expected = self
                    .state
                    .drifted
                    .get(&step)
                    .copied()
                    .or_else(|| self.program.fingerprint(step));
                let drifted = expected != Some(fingerprint);
                let now = if drifted { now } else { String::new() };
                self.emit(Event::StepChecked {
                    step,
                    fingerprint,
                    drifted,
                    now: now.clone(),
                });
                if drifted {
                    self.void_approval(step, &now);
                }
                self.state.just_checked.push(step);
                self.ask_gate(step);
            }
        }
    }

    fn void_approval(&mut self, step: StepRef, now: &str) {
        let Some(approval) = self.state.approval_of(step.job) else {
            return;
        };
        if !matches!(approval.status, ApprovalStatus::Open | ApprovalStatus::Granted) {
            return;
        }
        let approval = approval.id;
        let reason = format!(
            "{} would now do something else than planned: {now}",
            self.label(step)
        );
        self.emit(Event::ApprovalVoided { approval, reason });
        // Whoever waited on the void request waits on the next one: its gate is asked again.
        for waiting in self.waiting_steps(step.job) {
            if waiting != step {
                self.ask_gate(waiting);
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
            DecisionKind::NeedsApproval { missing, ttl_ms } => {
                self.needs_approval(step, decision, missing, ttl_ms)
            }
            DecisionKind::Deny => {
                self.emit(Event::GateDecided { step, decision });
                self.moved(step);
            }
        }
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
        let open = self
            .state
            .approval_of(step.job)
            .filter(|approval| approval.status == ApprovalStatus::Open);
        if let Some(approval) = open.map(|approval| approval.id).filter(|_| self.is_waiting(step)) {
            self.emit(Event::ApprovalGranted { approval });
        }
        let attempt = self.next_attempt(step);
        let id = AttemptId::derive(&self.state.tenant, self.state.run, step, attempt);
        self.emit(Event::GateDecided { step, decision });
        self.emit(Event::AttemptStarted {
            step,
            attempt,
            id,
            input: Digest::of_value(&input),
        });
        self.effect(Effect::StartAttempt {
            step,
            attempt,
            id,
            input,
        });
    }

    fn needs_approval(
        &mut self,
        step: StepRef,
        decision: Decision,
        missing: Vec<MissingVotes>,
        ttl_ms: Option<u64>,
    ) {
        let reasons = decision.reasons.clone();
        match self
            .state
            .approval_of(step.job)
            .map(|approval| (approval.id, approval.status))
        {
            Some((_, ApprovalStatus::Rejected)) => {
                return self.refuse(step, "the request for votes was rejected");
            }
            Some((approval, ApprovalStatus::Open | ApprovalStatus::Granted)) => {
                self.update_missing(step, approval, missing, reasons);
            }
            _ => self.request_approval(step, missing, reasons, ttl_ms.map_or(VOTE_TTL, DurationMs)),
        }
        if !self.is_waiting(step) {
            self.emit(Event::GateDecided { step, decision });
        }
    }

    fn update_missing(
        &mut self,
        step: StepRef,
        approval: ApprovalId,
        missing: Vec<MissingVotes>,
        reasons: Vec<String>,
    ) {
        // The lanes of a job may miss different votes. The first that waits speaks for the request; the others
        // are asked anew when it is granted.
        let speaks = self
            .waiting_steps(step.job)
            .into_iter()
            .next()
            .is_none_or(|first| first == step);
        let known = self.state.approvals.get(&approval);
        let is_news =
            known.is_none_or(|known| known.missing != missing || known.status != ApprovalStatus::Open);
        let was_granted = known.is_some_and(|known| known.status == ApprovalStatus::Granted);
        if is_news && (speaks || was_granted) {
            self.emit(Event::ApprovalUpdated {
                approval,
                missing,
                reasons,
            });
        }
    }

    fn request_approval(
        &mut self,
        step: StepRef,
        missing: Vec<MissingVotes>,
        reasons: Vec<String>,
        vote_ttl_ms: DurationMs,
    ) {
        let Some(job) = self.program.job(step.job) else {
            return;
        };
        let of_job = self
            .state
            .drifted
            .iter()
            .filter(|(drifted, _)| drifted.job == step.job);
        let drifted: Vec<_> = of_job
            .map(|(step, digest)| (self.label(*step), *digest))
            .collect();
        let subject = ApprovalSubject {
            tenant: self.state.tenant.clone(),
            run: self.state.run,
            runbook: self.state.runbook.clone(),
            job: job.name.clone(),
            plan: self.state.plan,
            drifted,
        };
        // A request after an expired or closed one is about the same subject, and yet another request.
        let salt = format!("{}\n{}", subject.digest(), self.state.approvals.len());
        let approval = ApprovalId::derive(self.now, &Digest::of(salt.as_bytes()));
        self.emit(Event::ApprovalRequested {
            approval,
            subject,
            missing,
            reasons,
            vote_ttl_ms,
        });
    }

    pub(crate) fn vote_cast(&mut self, vote: Vote) {
        let Some(approval) = self.state.approvals.get(&vote.approval) else {
            return;
        };
        if approval.status != ApprovalStatus::Open || approval.subject.digest() != vote.subject {
            return;
        }
        let job_name = approval.subject.job.clone();
        let (approval, verdict, by) = (vote.approval, vote.verdict, vote.voter.clone());
        self.emit(Event::VoteCast { vote });
        let Some(job) = self
            .state
            .targets
            .iter()
            .position(|planned| planned.job == job_name)
        else {
            return;
        };
        let waiting = self.waiting_steps(u16::try_from(job).unwrap_or(u16::MAX));
        if verdict == Verdict::Reject {
            let reason = format!("rejected by `{by}`");
            self.emit(Event::ApprovalRejected { approval, by });
            for step in waiting {
                self.refuse(step, &reason);
            }
        } else {
            for step in waiting {
                self.ask_gate(step);
            }
        }
    }

    fn refuse(&mut self, step: StepRef, reason: &str) {
        self.emit(Event::StepFailed {
            step,
            error: StepError::new(ErrorKind::Denied, reason),
        });
        self.moved(step);
    }

    /// Policies, groups or people changed: every gate that said "not yet" is asked again.
    pub(crate) fn rules_changed(&mut self) {
        for job in 0..u16::try_from(self.state.jobs.len()).unwrap_or(u16::MAX) {
            for step in self.waiting_steps(job) {
                self.ask_gate(step);
            }
        }
    }

    /// Steps of a job that wait for votes, by lane.
    pub(crate) fn waiting_steps(&self, job: u16) -> BTreeSet<StepRef> {
        let Some(state) = self.state.jobs.get(usize::from(job)) else {
            return BTreeSet::new();
        };
        let lanes = (0_u32..).zip(&state.lanes);
        lanes
            .filter_map(|(lane, slot)| match slot.current() {
                Some((step, StepState::WaitingForVotes)) => Some(StepRef { job, lane, step }),
                _ => None,
            })
            .collect()
    }

    fn is_waiting(&self, step: StepRef) -> bool {
        self.state.step(step) == Some(&StepState::WaitingForVotes)
    }

    /// Whether the gate may still decide about it. A step that was cancelled meanwhile is not touched.
    fn is_undecided(&self, step: StepRef) -> bool {
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
