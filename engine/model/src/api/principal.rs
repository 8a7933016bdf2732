//! Principals, as people see them.

use std::collections::BTreeMap;

use crate::{GroupName, Principal, PrincipalKind, PrincipalName, RunbookName, Timestamp};

super::views! {
    /// Creates or changes a principal.
    #[serde(deny_unknown_fields)]
    pub struct PutPrincipal {
        /// What it is.
        pub kind: PrincipalKind,
        /// The name to show.
        #[serde(default)]
        pub display_name: String,
        /// Roles and approver groups.
        #[serde(default)]
        pub groups: Vec<GroupName>,
        /// For an agent: the person who answers for it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub operator: Option<PrincipalName>,
        /// Somebody who left.
        #[serde(default)]
        pub disabled: bool,
    }

    /// Who the caller is.
    pub struct Whoami {
        /// The principal.
        pub principal: Principal,
        /// How it signed in: `token` or `session`.
        pub via: String,
        /// What the token is limited to; empty means no limit.
        pub scopes: Vec<String>,
        /// When the token or session ends.
        pub expires_at: Timestamp,
        /// Who made the token or session, or something that it was made with, for somebody else; empty when it was the
        /// operator of the machine.
        pub issued_by: Vec<PrincipalName>,
        /// The actions that the policies allow the caller on the tenant as a whole, now.
        pub may: Vec<String>,
        /// The actions that the policies allow the caller on each runbook, now. Runbooks without any are left out.
        #[serde(default)]
        pub may_on_runbooks: BTreeMap<RunbookName, Vec<String>>,
    }
}
