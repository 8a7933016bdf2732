//! The gate's answer in words: what it said, which policies said so, why, and what could still lift it.

use askama::Template;
use askama::filters::HtmlSafe;
use clawd_model::{Decision, Digest, MissingVotes};

use super::{Badge, DigestTag, Status};

/// One way to lift what stands in the way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct MissingView {
    /// `2 votes of sre`.
    pub(crate) what: String,
    /// Whose vote would count now.
    pub(crate) candidates: Vec<String>,
}

impl MissingView {
    /// Says what is missing.
    pub(crate) fn of(missing: &MissingVotes) -> Self {
        let mut parts: Vec<String> = missing
            .groups
            .iter()
            .filter(|(_, count)| **count > 0)
            .map(|(group, count)| format!("{} of {group}", votes(*count)))
            .collect();
        let from_groups: u32 = missing.groups.values().copied().max().unwrap_or(0);
        if missing.distinct > from_groups || parts.is_empty() {
            parts.push(format!("{} of different people", votes(missing.distinct.max(1))));
        }
        Self {
            what: parts.join(" and "),
            candidates: missing.candidates.iter().map(ToString::to_string).collect(),
        }
    }

    /// Says it for all alternatives.
    pub(crate) fn all(missing: &[MissingVotes]) -> Vec<Self> {
        missing.iter().map(Self::of).collect()
    }
}

fn votes(count: u32) -> String {
    if count == 1 {
        "1 vote".to_owned()
    } else {
        format!("{count} votes")
    }
}

/// The gate's answer.
#[derive(Clone, Debug, Template)]
#[template(path = "ui/decision.html")]
pub(crate) struct DecisionView {
    /// Allow, deny or needs approval.
    pub(crate) badge: Badge,
    /// The ids of the policies that determined it.
    pub(crate) policies: Vec<String>,
    /// Why.
    pub(crate) reasons: Vec<String>,
    /// What could lift it; any one is enough.
    pub(crate) missing: Vec<MissingView>,
    /// Which bundle answered.
    pub(crate) bundle: Digest,
}

impl HtmlSafe for DecisionView {}

impl From<&Decision> for DecisionView {
    fn from(decision: &Decision) -> Self {
        let missing = match &decision.kind {
            clawd_model::DecisionKind::NeedsApproval { missing, .. } => MissingView::all(missing),
            clawd_model::DecisionKind::Allow | clawd_model::DecisionKind::Deny => Vec::new(),
        };
        Self {
            badge: decision.kind.badge(),
            policies: decision.policies.clone(),
            reasons: decision.reasons.clone(),
            missing,
            bundle: decision.bundle,
        }
    }
}

impl DecisionView {
    fn bundle_tag(&self) -> DigestTag {
        DigestTag::new(self.bundle)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn missing(groups: &[(&str, u32)], distinct: u32) -> String {
        let groups = groups
            .iter()
            .map(|(name, count)| (name.parse().unwrap(), *count))
            .collect();
        MissingView::of(&MissingVotes {
            groups,
            distinct,
            candidates: vec![],
        })
        .what
    }

    #[test]
    fn what_is_missing_is_a_sentence() {
        assert_eq!(missing(&[("sre", 2)], 2), "2 votes of sre");
        assert_eq!(missing(&[("sre", 1)], 0), "1 vote of sre");
        assert_eq!(
            missing(&[("security", 1), ("sre", 2)], 2),
            "1 vote of security and 2 votes of sre"
        );
        assert_eq!(
            missing(&[("sre", 1)], 2),
            "1 vote of sre and 2 votes of different people"
        );
        assert_eq!(missing(&[], 2), "2 votes of different people");
    }
}
