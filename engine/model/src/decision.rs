//! The gate's answer.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{Digest, GroupName, PrincipalName};

/// One way to lift what stands in the way: how many more votes, of whom.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct MissingVotes {
    /// More votes of members of these groups; one person may count for several groups.
    pub groups: BTreeMap<GroupName, u32>,
    /// More distinct voters, whoever they are.
    pub distinct: u32,
    /// People whose vote would count now, sorted.
    #[serde(default)]
    pub candidates: Vec<PrincipalName>,
}

/// Allow, deny, or needs-approval.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case", tag = "is")]
pub enum DecisionKind {
    /// Cedar allowed it, with no evaluation error.
    Allow,
    /// Nothing lifts this.
    Deny,
    /// Votes could lift it: the minimal sets of missing votes, any one of which is enough.
    NeedsApproval {
        /// The alternatives.
        missing: Vec<MissingVotes>,
        /// How long votes stay valid, from `@approval_ttl`; absent means the default.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        ttl_ms: Option<u64>,
        /// Channels to tell, from `@notify` of the policies that ask.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        notify: Vec<String>,
    },
}

/// Cedar's answer, with the reasons and the bundle that it came from. A fact: recovery reads it, and never
/// asks again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Decision {
    /// The answer.
    #[serde(flatten)]
    pub kind: DecisionKind,
    /// The `@id`s of the policies that determined it, sorted.
    #[serde(default)]
    pub policies: Vec<String>,
    /// For people: the `@reason`s of the policies that stand in the way, or evaluation errors.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reasons: Vec<String>,
    /// People whose votes counted, sorted; nobody where votes had nothing to do with it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub voters: Vec<PrincipalName>,
    /// Which bundle answered.
    pub bundle: Digest,
}

impl Decision {
    /// Whether the step may run.
    #[must_use]
    pub fn is_allow(&self) -> bool {
        matches!(self.kind, DecisionKind::Allow)
    }
}
