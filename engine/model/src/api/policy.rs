//! Policies, as people see them.

use std::collections::BTreeMap;

use crate::{
    Decision, Digest, GroupName, OperationName, PrincipalName, Problem, RunbookName, ServerName, Timestamp,
};

super::views! {
    /// The bundle in force.
    pub struct BundleView {
        /// Its digest.
        pub digest: Digest,
        /// Who published it.
        pub published_by: PrincipalName,
        /// When.
        pub published_at: Timestamp,
        /// How many policies it holds.
        pub policies: u32,
        /// Its files: policies, tests.
        pub files: BTreeMap<String, String>,
    }

    /// Publishes a bundle.
    #[serde(deny_unknown_fields)]
    pub struct PublishPolicy {
        /// All files: name → text.
        pub files: BTreeMap<String, String>,
        /// Only check and test it.
        #[serde(default)]
        pub check_only: bool,
    }

    /// What came of it.
    pub struct PublishedPolicy {
        /// The digest.
        pub digest: Digest,
        /// Whether it is now in force.
        pub in_force: bool,
        /// How many policies it holds.
        pub policies: u32,
        /// Warnings.
        pub problems: Vec<Problem>,
        /// The tests that ran; all passed.
        pub tests: Vec<PolicyTestView>,
    }

    /// One test of a bundle.
    pub struct PolicyTestView {
        /// Its name.
        pub name: String,
        /// Whether it passed.
        pub passed: bool,
        /// What was expected and what came, when it failed.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        pub detail: String,
    }

    /// Asks what the gate would say, and why.
    #[serde(deny_unknown_fields)]
    pub struct Explain {
        /// Who would ask; the caller when absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub principal: Option<PrincipalName>,
        /// An operation (`pkg.apply@v1`); or a control action (`run.start`).
        pub action: String,
        /// On which server; the tenant or the controller when absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub server: Option<ServerName>,
        /// In a run of which runbook.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub runbook: Option<RunbookName>,
        /// As if so many distinct people had voted yes.
        #[serde(default)]
        pub votes: u32,
        /// As if so many members of each group had voted yes.
        #[serde(default)]
        pub group_votes: BTreeMap<GroupName, u32>,
    }

    /// What the gate would say, and why.
    pub struct ExplanationView {
        /// The answer.
        pub decision: Decision,
        /// Line by line, for people.
        pub lines: Vec<String>,
        /// The operation that was meant, if it was one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub operation: Option<OperationName>,
    }
}
