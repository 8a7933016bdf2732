//! Policies, as people see them.

use std::collections::BTreeMap;

use crate::{Decision, Digest, GroupName, PrincipalName, Problem, RunbookName, ServerName, Timestamp};

super::views! {
    /// The bundle in force.
    pub struct BundleView {
        /// Its digest.
        pub digest: Digest,
        /// Who published it.
        pub published_by: PrincipalName,
        /// When.
        pub published_at: Timestamp,
        /// Its policies, built-in rules included.
        pub policies: Vec<PolicyView>,
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
        /// The file that it stands in.
        pub file: String,
        /// The line that it begins at.
        pub line: usize,
        /// Its name.
        pub name: String,
        /// Who asked for what on what.
        pub question: String,
        /// Whether everything was as expected.
        pub passed: bool,
        /// What was not.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        pub differences: Vec<String>,
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
        /// Who asked for what on what.
        pub question: String,
        /// The answer.
        pub decision: Decision,
        /// The policies whose scope fits the question; those that matter first.
        pub policies: Vec<PolicyPartView>,
        /// How many policies there are, most of which are about something else.
        pub of: u32,
    }

    /// What one policy has to do with a question.
    pub struct PolicyPartView {
        /// Its `@id`.
        pub id: String,
        /// Why it is there: its `@reason`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub reason: Option<String>,
        /// Its file; absent for a built-in rule.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub file: Option<String>,
        /// Its line.
        pub line: usize,
        /// What it has to do with the question: `applies`, `asks_for_votes`, `lifted_by_votes`, `does_not_apply`,
        /// `failed`.
        pub outcome: String,
        /// What went wrong, when it failed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub error: Option<String>,
    }

    /// A policy of the bundle in force.
    pub struct PolicyView {
        /// Its `@id`.
        pub id: String,
        /// `capability`, `guard` or `rule`.
        pub kind: String,
        /// Why it is there: its `@reason`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub reason: Option<String>,
        /// Its file; absent for a built-in rule.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub file: Option<String>,
        /// Its line.
        pub line: usize,
    }
}
