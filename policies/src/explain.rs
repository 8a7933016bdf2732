//! Why the gate answers as it does: for `explain`, policy by policy.

use std::collections::BTreeSet;

use cedar_policy::PolicySet;
use cedar_policy::pst::Effect;
use clawd_model::{Decision, Principal};
use serde::Serialize;

use crate::action::ActionInfo;
use crate::bundle::{Member, PolicyInfo};
use crate::facts::Facts;
use crate::index::Slice;
use crate::{Approvals, Bundle, Request, decide::Plain, missing};

/// What a policy has to do with a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "is")]
pub enum Outcome {
    /// It could not be evaluated: a deny.
    Failed {
        /// What went wrong.
        error: String,
    },
    /// It applies: it permits, or it forbids and no votes lift it.
    Applies,
    /// It stands in the way (or does not help yet), and votes would change that.
    AsksForVotes,
    /// It would stand in the way, had people not voted.
    LiftedByVotes,
    /// Its scope fits, its condition does not.
    DoesNotApply,
}

/// A policy, and what it has to do with the request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PolicyOutcome {
    /// The policy.
    #[serde(flatten)]
    pub policy: PolicyInfo,
    /// What it has to do with the request.
    pub outcome: Outcome,
}

/// An answer with its grounds.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Explanation {
    /// Who asked for what on what.
    pub question: String,
    /// The answer, with the missing votes and who could give them.
    pub decision: Decision,
    /// The policies whose scope fits the request; those that matter first.
    pub policies: Vec<PolicyOutcome>,
    /// How many policies the bundle has, most of which are about something else.
    pub of: usize,
}

impl Bundle {
    /// The gate's answer, and what each policy contributes to it.
    #[must_use]
    pub fn explain(&self, request: &Request<'_>, electorate: &[Principal]) -> Explanation {
        let decision = self.decide(request, electorate);
        let policies = match self.applicable(request) {
            Ok((place, action)) => self.outcomes(&self.index.slice(request, place), request, action),
            Err(_) => Vec::new(),
        };
        Explanation {
            question: request.describe(),
            decision,
            policies,
            of: self.len(),
        }
    }

    fn outcomes(&self, slice: &Slice, request: &Request<'_>, action: &ActionInfo) -> Vec<PolicyOutcome> {
        let open: BTreeSet<String> = missing::sort(self, slice, request, action)
            .map(|sorted| {
                sorted
                    .open_forbids
                    .into_iter()
                    .chain(sorted.open_permits)
                    .collect()
            })
            .unwrap_or_default();
        let mut outcomes: Vec<PolicyOutcome> = slice
            .places
            .iter()
            .filter_map(|place| self.members.get(*place))
            .map(|member| PolicyOutcome {
                outcome: self.outcome(member, request, action, open.contains(&member.info.id)),
                policy: member.info.clone(),
            })
            .collect();
        let rank = |outcome: &Outcome| match outcome {
            Outcome::Failed { .. } => 0,
            Outcome::Applies => 1,
            Outcome::AsksForVotes => 2,
            Outcome::LiftedByVotes => 3,
            Outcome::DoesNotApply => 4,
        };
        outcomes.sort_by_key(|outcome| rank(&outcome.outcome));
        outcomes
    }

    fn outcome(&self, member: &Member, request: &Request<'_>, action: &ActionInfo, open: bool) -> Outcome {
        let mut set = PolicySet::new();
        if let Err(problem) = set.add(member.policy.clone()) {
            return Outcome::Failed {
                error: problem.to_string(),
            };
        }
        let alone = Slice {
            set,
            places: Vec::new(),
            facts: Facts::ALL,
            asks_votes: false,
            deep: member.deep,
        };
        let applies = |approvals: &Approvals| match self.plain(&alone, request, action, approvals) {
            Ok(Plain::Allowed(_)) => Ok(true),
            Ok(Plain::Refused(forbids)) => Ok(!forbids.is_empty()),
            Ok(Plain::Failed(errors)) => Err(errors.into_iter().map(|(_, error)| error).collect()),
            Err(problem) => Err(problem.to_string()),
        };
        let now = match applies(request.approvals) {
            Ok(now) => now,
            Err(error) => return Outcome::Failed { error },
        };
        match (member.effect, now, open) {
            (Effect::Forbid, true, true) | (Effect::Permit, false, true) => Outcome::AsksForVotes,
            (_, true, _) => Outcome::Applies,
            (Effect::Forbid, false, true) if applies(&Approvals::none()) == Ok(true) => {
                Outcome::LiftedByVotes
            }
            (_, false, _) => Outcome::DoesNotApply,
        }
    }
}
