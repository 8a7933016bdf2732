//! Who asks.

use serde::{Deserialize, Serialize};

use crate::{GroupName, PrincipalName, TenantName};

/// What kind of party asks. Policies tell people from programs by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum PrincipalKind {
    /// A person.
    User,
    /// The AI ops agent, on behalf of its operator.
    Agent,
    /// An alert or a schedule.
    Trigger,
    /// A program with a token of its own.
    Service,
}

impl PrincipalKind {
    /// The Cedar entity type and the word in documents.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::User => "User",
            Self::Agent => "Agent",
            Self::Trigger => "Trigger",
            Self::Service => "Service",
        }
    }
}

/// A party that the gate knows: its tenant, kind, name, groups, and for an agent the person it works for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Principal {
    /// The tenant that it belongs to.
    pub tenant: TenantName,
    /// What it is.
    pub kind: PrincipalKind,
    /// Its short, unique name within the tenant: `ana`.
    pub name: PrincipalName,
    /// The name to show: `Ana Kovač`.
    #[serde(default)]
    pub display_name: String,
    /// Roles and approver groups, in one namespace: `operator`, `sre`.
    #[serde(default)]
    pub groups: Vec<GroupName>,
    /// For an agent: the person who answers for it. That person's vote does not count for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operator: Option<PrincipalName>,
    /// Somebody who left: may do nothing, and votes no longer count.
    #[serde(default)]
    pub disabled: bool,
}
