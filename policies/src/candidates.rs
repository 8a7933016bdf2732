//! Who could give the missing votes, and whose votes still count.

use clawd_model::{Digest, MissingVotes, Principal, Timestamp, Vote};

use crate::{Action, Approvals, Bundle, ControlAction, Request, Resource};

impl Bundle {
    /// Whether this person may vote on this request for votes (a [`Resource::Approval`]): `vote.cast`, asked the
    /// way the gate itself asks it when it names candidates.
    #[must_use]
    pub fn decide_vote(
        &self,
        voter: &Principal,
        about: Resource<'_>,
        now: Timestamp,
    ) -> clawd_model::Decision {
        let request = Request {
            principal: voter,
            action: Action::Control(ControlAction::VoteCast),
            resource: about,
            run: None,
            approvals: &Approvals::none(),
            now,
        };
        self.decide(&request, &[])
    }

    /// [`Approvals::count`], of those votes only whose voter may vote on this now: somebody who left, or whom a
    /// newer policy shuts out, no longer counts.
    #[must_use]
    pub fn valid_votes(
        &self,
        about: Resource<'_>,
        votes: &[Vote],
        voters: &[Principal],
        subject: Digest,
        now: Timestamp,
    ) -> Approvals {
        let asked: Vec<Principal> = voters
            .iter()
            .filter(|voter| votes.iter().any(|vote| vote.voter == voter.name))
            .filter(|voter| self.decide_vote(voter, about, now).is_allow())
            .cloned()
            .collect();
        Approvals::count(votes, &asked, subject, now)
    }
}

/// Adds to each alternative the people whose vote would bring it closer.
pub(crate) fn name(
    bundle: &Bundle,
    request: &Request<'_>,
    mut missing: Vec<MissingVotes>,
    electorate: &[Principal],
) -> Vec<MissingVotes> {
    let about = Resource::Approval {
        tenant: request.resource.tenant(),
        id: None,
        requester: request.run.map_or(&request.principal.name, |run| run.requester),
        operator: request.principal.operator.as_ref(),
        runbook: request.run.map(|run| run.runbook),
    };
    let free: Vec<&Principal> = electorate
        .iter()
        .filter(|voter| !request.approvals.voters.contains(&voter.name))
        .filter(|voter| bundle.decide_vote(voter, about, request.now).is_allow())
        .collect();
    for alternative in &mut missing {
        // When more people are needed than any group has to give, everybody's vote helps.
        let of_groups = alternative.groups.values().copied().max().unwrap_or(0);
        let anybody = alternative.distinct > of_groups;
        let helps = |voter: &&&Principal| {
            anybody
                || voter
                    .groups
                    .iter()
                    .any(|group| alternative.groups.contains_key(group))
        };
        let mut names: Vec<_> = free
            .iter()
            .filter(helps)
            .map(|voter| voter.name.clone())
            .collect();
        names.sort_unstable();
        names.dedup();
        alternative.candidates = names;
    }
    missing
}
