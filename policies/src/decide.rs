//! Allow, deny, or needs-approval.

use std::collections::BTreeSet;

use cedar_policy::{AuthorizationError, Decision as CedarDecision, Response};
use clawd_model::{Decision, DecisionKind, Principal};

use crate::action::ActionInfo;
use crate::entities::{self, Unaskable};
use crate::index::Slice;
use crate::memo::Question;
use crate::missing::{self, Lift};
use crate::{Approvals, Bundle, Request, candidates};

/// What plain Cedar said.
pub(crate) enum Plain {
    /// Allowed, with no evaluation error, by these capabilities.
    Allowed(Vec<String>),
    /// Not allowed; the `forbid`s that applied, sorted; none: nothing permitted it.
    Refused(Vec<String>),
    /// Policies that could not be evaluated, with what went wrong: a deny that nothing lifts.
    Failed(Vec<(String, String)>),
}

impl Bundle {
    /// The gate's answer. `electorate`: the principals of the tenant, among whom those are named who could give
    /// missing votes; it has no influence on the answer itself.
    ///
    /// Steps are dispatched on [`Decision::is_allow`] alone.
    #[must_use]
    pub fn decide(&self, request: &Request<'_>, electorate: &[Principal]) -> Decision {
        let (place, action) = match self.applicable(request) {
            Ok(found) => found,
            Err(reason) => return self.denied(Vec::new(), vec![reason]),
        };
        let question = Question::of(request, place);
        if let Some(decision) = self.allows.recall(&question) {
            return decision;
        }
        let slice = self.index.slice(request, place);
        let decision = self.decide_in(&slice, request, action, electorate);
        if decision.is_allow() && !slice.facts.has(crate::facts::Facts::NOW) {
            self.allows.remember(question, &decision);
        }
        decision
    }

    /// The answer of these policies.
    pub(crate) fn decide_in(
        &self,
        slice: &Slice,
        request: &Request<'_>,
        action: &ActionInfo,
        electorate: &[Principal],
    ) -> Decision {
        match self.plain(slice, request, action, request.approvals) {
            Err(problem) => self.denied(Vec::new(), vec![problem.to_string()]),
            Ok(Plain::Failed(errors)) => {
                let (policies, reasons) = errors.into_iter().unzip();
                self.denied(policies, reasons)
            }
            Ok(Plain::Allowed(policies)) => Decision {
                kind: DecisionKind::Allow,
                policies,
                reasons: Vec::new(),
                voters: Vec::new(),
                bundle: self.digest(),
            },
            Ok(Plain::Refused(forbids)) if !slice.asks_votes => self.refused(request, forbids),
            Ok(Plain::Refused(forbids)) => match missing::lift(self, slice, request, action, &forbids) {
                Lift::Never(policies) => self.refused(request, policies),
                Lift::Unclear(problem) => {
                    let mut decision = self.refused(request, forbids);
                    decision.reasons.push(problem);
                    decision
                }
                Lift::Votes { policies, missing } => {
                    let missing = candidates::name(self, request, missing, electorate);
                    self.needs_approval(policies, missing)
                }
            },
        }
    }

    /// Whether the schema knows such a question at all. Plain Cedar would not look.
    pub(crate) fn applicable(&self, request: &Request<'_>) -> Result<(u16, &ActionInfo), String> {
        let name = request.action.as_str();
        let found = self
            .action_index
            .get(name)
            .and_then(|place| Some((*place, self.actions.get(usize::from(*place))?)));
        let Some((place, action)) = found else {
            return Err(format!("the policies do not know the action `{name}`"));
        };
        let (principal, resource) = (request.principal.kind, request.resource.kind());
        if action.applies_to(principal, resource) {
            return Ok((place, action));
        }
        Err(format!(
            "`{name}` cannot be done by a {} on a {}",
            principal.as_str().to_lowercase(),
            resource.as_str().to_lowercase()
        ))
    }

    /// Plain Cedar, with these votes.
    pub(crate) fn plain(
        &self,
        slice: &Slice,
        request: &Request<'_>,
        action: &ActionInfo,
        approvals: &Approvals,
    ) -> Result<Plain, Unaskable> {
        let question = entities::question(request, action, slice.facts)?;
        let entities = entities::all(request, action, approvals, &self.groups, slice.facts)?;
        let response = slice.with_stack(|| self.authorizer.is_authorized(&question, &slice.set, &entities));
        Ok(read(&response))
    }

    fn denied(&self, policies: Vec<String>, reasons: Vec<String>) -> Decision {
        Decision {
            kind: DecisionKind::Deny,
            policies,
            reasons,
            voters: Vec::new(),
            bundle: self.digest(),
        }
    }

    fn refused(&self, request: &Request<'_>, forbids: Vec<String>) -> Decision {
        let reasons = if forbids.is_empty() {
            vec![format!("no policy allows {}", request.describe())]
        } else {
            self.reasons(&forbids)
        };
        self.denied(forbids, reasons)
    }

    fn needs_approval(&self, policies: Vec<String>, missing: Vec<clawd_model::MissingVotes>) -> Decision {
        Decision {
            kind: DecisionKind::NeedsApproval {
                missing,
                ttl_ms: self.strictest_ttl(&policies).map(|ttl| ttl.0),
                notify: self.channels(&policies),
            },
            reasons: self.reasons(&policies),
            voters: Vec::new(),
            policies,
            bundle: self.digest(),
        }
    }

    fn reasons(&self, ids: &[String]) -> Vec<String> {
        let reasons: BTreeSet<String> = ids
            .iter()
            .map(|id| {
                let reason = self.policy(id).and_then(|policy| policy.reason.clone());
                reason.unwrap_or_else(|| format!("policy `{id}` forbids it"))
            })
            .collect();
        reasons.into_iter().collect()
    }
}

fn read(response: &Response) -> Plain {
    let diagnostics = response.diagnostics();
    let mut errors: Vec<(String, String)> = diagnostics
        .errors()
        .map(|AuthorizationError::PolicyEvaluationError(error)| {
            (error.policy_id().to_string(), error.to_string())
        })
        .collect();
    if !errors.is_empty() {
        errors.sort();
        return Plain::Failed(errors);
    }
    let mut policies: Vec<String> = diagnostics.reason().map(ToString::to_string).collect();
    policies.sort_unstable();
    match response.decision() {
        CedarDecision::Allow => Plain::Allowed(policies),
        CedarDecision::Deny => Plain::Refused(policies),
    }
}

#[cfg(test)]
mod tests;
