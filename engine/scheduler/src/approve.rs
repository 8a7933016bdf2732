//! The fold of requests for votes.

use clawd_model::{Approval, ApprovalStatus, Event, Timestamp};

use crate::RunState;

impl RunState {
    pub(crate) fn apply_approval(&mut self, event: &Event, at: Timestamp) -> Result<(), String> {
        if let Event::ApprovalRequested {
            approval,
            subject,
            missing,
            reasons,
            vote_ttl_ms,
            notify,
        } = event
        {
            let job = self
                .targets
                .iter()
                .position(|job| job.job == subject.job)
                .ok_or("an approval of no job")?;
            let request = Approval {
                id: *approval,
                subject: subject.clone(),
                requester: self.requester.clone(),
                status: ApprovalStatus::Open,
                missing: missing.clone(),
                reasons: reasons.clone(),
                vote_ttl_ms: *vote_ttl_ms,
                opened_at: at,
                votes: Vec::new(),
            };
            self.approvals.insert(*approval, request);
            let number = u16::try_from(job).unwrap_or(u16::MAX);
            for (step, _) in self.unforeseen(number) {
                if let Some((_, named_by)) = self.seen_inputs.get_mut(&step) {
                    *named_by = Some(*approval);
                }
            }
            if !notify.is_empty() {
                self.untold.insert(*approval, notify.iter().cloned().collect());
            }
            if let Some(job) = self.jobs.get_mut(job) {
                job.approval = Some(*approval);
            }
            return Ok(());
        }
        let id = match event {
            Event::VoteCast { vote } => vote.approval,
            Event::ApprovalUpdated { approval, .. }
            | Event::ApprovalGranted { approval, .. }
            | Event::ApprovalAnnounced { approval, .. }
            | Event::ApprovalRejected { approval, .. }
            | Event::ApprovalVoided { approval, .. } => *approval,
            other => return Err(format!("{other:?} is no event of an approval")),
        };
        let approval = self
            .approvals
            .get_mut(&id)
            .ok_or_else(|| format!("`{id}` was never requested"))?;
        change(approval, event);
        if approval.status == ApprovalStatus::Void {
            for job in &mut self.jobs {
                if job.approval == Some(id) {
                    job.approval = None;
                    job.was_void = true;
                }
            }
        }
        if let Event::ApprovalAnnounced { channel, .. } = event
            && let Some(channels) = self.untold.get_mut(&id)
        {
            channels.remove(channel);
        }
        // Of what nobody may vote on any more nobody needs to be told.
        let is_over = self
            .approvals
            .get(&id)
            .is_some_and(|approval| approval.status != ApprovalStatus::Open);
        if is_over || self.untold.get(&id).is_some_and(|channels| channels.is_empty()) {
            self.untold.remove(&id);
        }
        Ok(())
    }

    /// Nobody answers any more.
    pub(crate) fn close_approvals(&mut self) {
        for approval in self.approvals.values_mut() {
            if approval.status == ApprovalStatus::Open {
                approval.status = ApprovalStatus::Closed;
            }
        }
    }
}

fn change(approval: &mut Approval, event: &Event) {
    match event {
        // The last vote of a person counts: an earlier one is replaced.
        Event::VoteCast { vote } => {
            approval.votes.retain(|earlier| earlier.voter != vote.voter);
            approval.votes.push(vote.clone());
        }
        Event::ApprovalUpdated {
            missing,
            reasons,
            vote_ttl_ms,
            ..
        } => {
            approval.status = ApprovalStatus::Open;
            approval.missing.clone_from(missing);
            approval.reasons.clone_from(reasons);
            if let Some(stricter) = vote_ttl_ms {
                approval.vote_ttl_ms = approval.vote_ttl_ms.min(*stricter);
            }
        }
        Event::ApprovalGranted { .. } => {
            approval.status = ApprovalStatus::Granted;
            approval.missing.clear();
        }
        Event::ApprovalRejected { .. } => approval.status = ApprovalStatus::Rejected,
        Event::ApprovalVoided { .. } => approval.status = ApprovalStatus::Void,
        _ => {}
    }
}
