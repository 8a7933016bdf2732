//! Counts of valid votes: the only form in which policies see votes.

use std::collections::{BTreeMap, BTreeSet};

use clawd_model::{Digest, GroupName, Principal, PrincipalKind, PrincipalName, Timestamp, Verdict, Vote};

/// How many valid votes there are.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Approvals {
    /// Of how many different people.
    pub distinct: u32,
    /// Of how many members of each group. One person counts for each of their groups.
    pub groups: BTreeMap<GroupName, u32>,
    /// Somebody used the emergency way in.
    pub break_glass: bool,
    /// Who gave them: these people cannot be asked again.
    pub voters: BTreeSet<PrincipalName>,
}

impl Approvals {
    /// No votes.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// Counts the votes that are valid now: a yes, on exactly this subject, not expired, of a person whom
    /// `voters` knows and who is not disabled; each person once. Groups are those of now, not of when the vote
    /// was cast: somebody who left a group no longer counts for it.
    ///
    /// Whether the person may still vote on this at all is a question to the gate:
    /// [`crate::Bundle::valid_votes`] asks it too, and is what a dispatcher wants.
    #[must_use]
    pub fn count(votes: &[Vote], voters: &[Principal], subject: Digest, now: Timestamp) -> Self {
        let mut approvals = Self::none();
        for vote in votes {
            if vote.verdict != Verdict::Approve || vote.subject != subject || vote.expires_at <= now {
                continue;
            }
            let Some(voter) = voters.iter().find(|voter| voter.name == vote.voter) else {
                continue;
            };
            approvals.add(voter);
        }
        approvals
    }

    /// Counts one more person, unless that person is counted already, is disabled, or is no person.
    pub fn add(&mut self, voter: &Principal) {
        if voter.disabled || voter.kind != PrincipalKind::User || !self.voters.insert(voter.name.clone()) {
            return;
        }
        self.distinct = self.distinct.saturating_add(1);
        let groups: BTreeSet<&GroupName> = voter.groups.iter().collect();
        for group in groups {
            let count = self.groups.entry(group.clone()).or_default();
            *count = count.saturating_add(1);
        }
    }

    /// Whether there are no votes, and the emergency way in is shut.
    pub(crate) fn are_none(&self) -> bool {
        self.distinct == 0 && !self.break_glass && self.groups.values().all(|count| *count == 0)
    }

    /// The votes of members of a group.
    #[must_use]
    pub fn of(&self, group: &str) -> u32 {
        self.groups.get(group).copied().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests;
