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
            if let Some(job) = self.jobs.get_mut(job) {
                job.approval = Some(*approval);
            }
            return Ok(());
        }
        let id = match event {
            Event::VoteCast { vote } => vote.approval,
            Event::ApprovalUpdated { approval, .. }
            | Event::ApprovalGranted { approval }
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
                }
            }
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
        Event::ApprovalUpdated { missing, reasons, .. } => {
            approval.status = ApprovalStatus::Open;
            approval.missing.clone_from(missing);
            approval.reasons.clone_from(reasons);
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
