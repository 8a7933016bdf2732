//! What stands in the way of a request as long as nobody has voted: how strict votes for it have to be.

use clawd_model::DurationMs;

use crate::decide::Plain;
use crate::facts::Facts;
use crate::memo::Question;
use crate::{Approvals, Bundle, Request, missing};

/// What stands in the way of a request without votes, as far as votes have to do with it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// Whether anything does.
    pub asks: bool,
    /// How long votes for it are valid: the shortest `@approval_ttl` of the policies in the way.
    pub ttl: Option<DurationMs>,
}

impl Bundle {
    /// What would stand in the way if nobody had voted. The votes of the request are left out: a guard that they
    /// lift is still a guard that they have to be fresh for. Costs nothing where no policy asks for votes.
    #[must_use]
    pub fn standing(&self, request: &Request<'_>) -> Standing {
        let Ok((place, action)) = self.applicable(request) else {
            return Standing::default();
        };
        let slice = self.index.slice(request, place);
        if !slice.asks_votes {
            return Standing::default();
        }
        let none = Approvals::none();
        let bare = Request {
            approvals: &none,
            ..*request
        };
        let question = Question::of(&bare, place);
        if let Some(standing) = self.standing.recall(&question) {
            return standing;
        }
        let standing = match self.plain(&slice, &bare, action, &none) {
            Ok(Plain::Refused(mut policies)) => {
                // A capability that asks for votes stands in the way as a guard does, where no other permits it.
                if let Ok(sorted) = missing::sort(self, &slice, &bare, action)
                    && sorted.firm_permits.is_empty()
                {
                    policies.extend(sorted.open_permits);
                }
                Standing {
                    asks: true,
                    ttl: self.strictest_ttl(&policies),
                }
            }
            Ok(Plain::Allowed(_) | Plain::Failed(_)) | Err(_) => Standing::default(),
        };
        if !slice.facts.has(Facts::NOW) {
            self.standing.remember(question, &standing);
        }
        standing
    }

    /// The shortest `@approval_ttl` of these policies.
    pub(crate) fn strictest_ttl(&self, policies: &[String]) -> Option<DurationMs> {
        let ttls = policies.iter().filter_map(|id| self.policy(id)?.approval_ttl);
        ttls.min()
    }

    /// The channels that these policies want told, sorted.
    pub(crate) fn channels(&self, policies: &[String]) -> Vec<String> {
        let named = policies.iter().filter_map(|id| self.policy(id));
        let mut channels: Vec<String> = named.flat_map(|policy| &policy.notify).cloned().collect();
        channels.sort_unstable();
        channels.dedup();
        channels
    }
}
