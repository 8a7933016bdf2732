//! What policies can talk about in this installation: the registered operations and the tenant's groups.

use std::collections::BTreeSet;

use clawd_model::{GroupName, OperationSpec};

/// The operations and groups that the Cedar schema is generated from.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Vocabulary {
    /// The registered operations, every version of them.
    pub operations: Vec<OperationSpec>,
    /// The tenant's groups: roles and approver groups in one namespace.
    pub groups: BTreeSet<GroupName>,
}

impl Vocabulary {
    /// The Cedar schema that bundles are validated against, in Cedar's schema language.
    #[must_use]
    pub fn schema_text(&self) -> String {
        crate::schema::text(self)
    }
}
