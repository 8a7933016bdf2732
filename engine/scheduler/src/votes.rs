//! Votes: asked for, cast, and what they set in motion.

use clawd_model::{
    ApprovalId, ApprovalStatus, Digest, DurationMs, ErrorKind, Event, MissingVotes, StepError, StepRef,
    Verdict, Vote,
};

use crate::decide::Decider;
use crate::state::steps_of;
use crate::{Effect, Timer};

/// What the gate said that it needs.
pub(crate) struct Asked {
    pub(crate) missing: Vec<MissingVotes>,
    pub(crate) reasons: Vec<String>,
    /// How long a vote counts.
    pub(crate) ttl: DurationMs,
    /// Channels to tell.
    pub(crate) notify: Vec<String>,
}

impl Decider<'_> {
    /// The open request that the gate was satisfied by, if the step waited for it and no other step lacks votes.
    /// While one does, the request stays open: nobody could vote for it otherwise.
    pub(crate) fn satisfied_by(&self, step: StepRef) -> Option<ApprovalId> {
        let approval = self.state.approval_of(step.job)?;
        let is_open = approval.status == ApprovalStatus::Open && self.state.asked.contains(&step);
        (is_open && !self.lacking(step.job).any(|other| other != step)).then_some(approval.id)
    }

    /// What is missing may have changed, and how fresh votes have to be: the strictest policy that asks counts, even
    /// if it came into the way after others had asked.
    pub(crate) fn update_missing(
        &mut self,
        step: StepRef,
        approval: ApprovalId,
        missing: Vec<MissingVotes>,
        reasons: Vec<String>,
        ttl: DurationMs,
    ) {
        // The lanes of a job may miss different votes. The first that lacks some speaks for the request; all are
        // asked anew with each vote.
        let Some(known) = self.state.approvals.get(&approval) else {
            return;
        };
        let is_news = known.missing != missing || known.status != ApprovalStatus::Open;
        let was_granted = known.status == ApprovalStatus::Granted;
        let speaks = was_granted || self.lacking(step.job).next().is_none_or(|first| first == step);
        let stricter = (ttl < known.vote_ttl_ms).then_some(ttl);
        let (missing, reasons) = if speaks {
            (missing, reasons)
        } else {
            (known.missing.clone(), known.reasons.clone())
        };
        if stricter.is_some() || (is_news && speaks) {
            self.emit(Event::ApprovalUpdated {
                approval,
                missing,
                reasons,
                vote_ttl_ms: stricter,
            });
        }
        if stricter.is_some() {
            self.vote_timers(step.job);
        }
    }

    /// Timers for the moments at which votes of a job's open request stop counting.
    pub(crate) fn vote_timers(&mut self, job: u16) {
        let open = self
            .state
            .approval_of(job)
            .filter(|approval| approval.status == ApprovalStatus::Open);
        let ends = open.iter().flat_map(|approval| {
            let ttl = approval.vote_ttl_ms;
            approval
                .votes
                .iter()
                .map(move |vote| vote.expires_at.min(vote.at.plus(ttl)))
        });
        let ends: Vec<_> = ends.filter(|at| *at > self.now).collect();
        for at in ends {
            let timer = Timer::Votes(job);
            self.effect(Effect::SetTimer { at, timer });
        }
    }

    pub(crate) fn request_approval(&mut self, step: StepRef, asked: Asked) {
        let Some(subject) = self.subject(step.job) else {
            return;
        };
        // A request after an expired or closed one is about the same subject, and yet another request.
        let salt = format!("{}\n{}", subject.digest(), self.state.approvals.len());
        let approval = ApprovalId::derive(self.now, &Digest::of(salt.as_bytes()));
        self.emit(Event::ApprovalRequested {
            approval,
            subject,
            missing: asked.missing,
            reasons: asked.reasons,
            vote_ttl_ms: asked.ttl,
            notify: asked.notify,
        });
        self.announce(approval);
    }

    /// Has the channels told that votes are wanted, those that were not.
    pub(crate) fn announce(&mut self, approval: ApprovalId) {
        let channels: Vec<String> = self
            .state
            .untold
            .get(&approval)
            .into_iter()
            .flatten()
            .cloned()
            .collect();
        for channel in channels {
            self.effect(Effect::Announce { approval, channel });
        }
    }

    pub(crate) fn announced(&mut self, approval: ApprovalId, channel: String) {
        let is_news = self
            .state
            .untold
            .get(&approval)
            .is_some_and(|channels| channels.contains(&channel));
        if is_news {
            self.emit(Event::ApprovalAnnounced { approval, channel });
        }
    }

    pub(crate) fn vote_cast(&mut self, vote: Vote) {
        let Some(approval) = self.state.approvals.get(&vote.approval) else {
            return;
        };
        if approval.status != ApprovalStatus::Open || approval.subject.digest() != vote.subject {
            return;
        }
        let (job_name, ttl) = (approval.subject.job.clone(), approval.vote_ttl_ms);
        let (approval, verdict, by) = (vote.approval, vote.verdict, vote.voter.clone());
        // The request may have become stricter while the vote was on its way.
        let expires_at = vote.expires_at.min(vote.at.plus(ttl));
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
        self.state.looking.lacking.range(steps_of(job)).copied()
    }
}
