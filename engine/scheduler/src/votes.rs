//! Votes: asked for, cast, and what they set in motion.

use clawd_model::{
    ApprovalId, ApprovalStatus, ApprovalSubject, Digest, DurationMs, ErrorKind, Event, MissingVotes,
    StepError, StepRef, Verdict, Vote,
};

use crate::decide::Decider;
use crate::{Effect, Timer};

impl Decider<'_> {
    /// The open request that the gate was satisfied by, if the step waited for it and no other step lacks votes.
    /// While one does, the request stays open: nobody could vote for it otherwise.
    pub(crate) fn satisfied_by(&self, step: StepRef) -> Option<ApprovalId> {
        let approval = self.state.approval_of(step.job)?;
        let is_open = approval.status == ApprovalStatus::Open && self.is_waiting(step);
        (is_open && !self.lacking(step.job).any(|other| other != step)).then_some(approval.id)
    }

    pub(crate) fn update_missing(
        &mut self,
        step: StepRef,
        approval: ApprovalId,
        missing: Vec<MissingVotes>,
        reasons: Vec<String>,
    ) {
        // The lanes of a job may miss different votes. The first that lacks some speaks for the request; all are
        // asked anew with each vote.
        let known = self.state.approvals.get(&approval);
        let is_news =
            known.is_none_or(|known| known.missing != missing || known.status != ApprovalStatus::Open);
        let was_granted = known.is_some_and(|known| known.status == ApprovalStatus::Granted);
        let speaks = || self.lacking(step.job).next().is_none_or(|first| first == step);
        if is_news && (was_granted || speaks()) {
            self.emit(Event::ApprovalUpdated {
                approval,
                missing,
                reasons,
            });
        }
    }

    pub(crate) fn request_approval(
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
        let expires_at = vote.expires_at;
        self.emit(Event::VoteCast { vote });
        let Some(job) = self
            .state
            .targets
            .iter()
            .position(|planned| planned.job == job_name)
        else {
            return;
        };
        let job = u16::try_from(job).unwrap_or(u16::MAX);
        if verdict == Verdict::Reject {
            let reason = format!("rejected by `{by}`");
            self.emit(Event::ApprovalRejected { approval, by });
            for step in self.waiting(job).collect::<Vec<_>>() {
                self.refuse(step, &reason);
            }
        } else {
            if expires_at > self.now {
                let timer = Timer::Votes(job);
                self.effect(Effect::SetTimer {
                    at: expires_at,
                    timer,
                });
            }
            self.ask_again(job);
        }
    }

    pub(crate) fn refuse(&mut self, step: StepRef, reason: &str) {
        self.emit(Event::StepFailed {
            step,
            error: StepError::new(ErrorKind::Denied, reason),
        });
        self.moved(step);
    }

    /// Policies, groups or people changed: every gate that said "not yet" is asked again.
    pub(crate) fn rules_changed(&mut self) {
        for job in 0..u16::try_from(self.state.jobs.len()).unwrap_or(u16::MAX) {
            self.ask_again(job);
        }
    }

    /// Asks the gate for every step of a job that lacks votes.
    pub(crate) fn ask_again(&mut self, job: u16) {
        for step in self.lacking(job).collect::<Vec<_>>() {
            self.ask_gate(step);
        }
    }

    /// Steps of a job that wait for votes, by lane.
    fn waiting(&self, job: u16) -> impl Iterator<Item = StepRef> {
        let state = self.state.jobs.get(usize::from(job));
        state.into_iter().flat_map(|state| &state.waiting).copied()
    }

    /// Those of them that the gate has not let pass: their hosts are not being looked at. The others ask the gate
    /// by themselves, when that is done.
    pub(crate) fn lacking(&self, job: u16) -> impl Iterator<Item = StepRef> {
        let looking = &self.state.looking.0;
        self.waiting(job).filter(|step| !looking.contains(step))
    }
}
