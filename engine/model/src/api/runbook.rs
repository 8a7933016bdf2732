//! Runbooks, as people see them.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::{Digest, PrincipalName, Problem, RunbookName, Timestamp};

super::views! {
    /// One runbook of a list: its active version.
    pub struct RunbookSummary {
        /// Its name.
        pub name: RunbookName,
        /// The digest of the active version.
        pub digest: Digest,
        /// What it is for, in its author's words.
        pub description: String,
        /// Its labels.
        pub labels: BTreeMap<String, String>,
        /// Who published it.
        pub published_by: PrincipalName,
        /// When.
        pub published_at: Timestamp,
    }

    /// One version of a runbook.
    pub struct RunbookView {
        /// Name, digest, description.
        #[serde(flatten)]
        pub summary: RunbookSummary,
        /// The YAML, as it was published.
        pub source: String,
        /// The JSON Schema of its inputs, for forms.
        pub inputs: Value,
        /// The names of its jobs, in order.
        pub jobs: Vec<String>,
        /// Whether it fits the operations of this version; if not, it has to be published again.
        pub usable: bool,
    }

    /// Publishes a version of a runbook, or checks it.
    #[serde(deny_unknown_fields)]
    pub struct PublishRunbook {
        /// The YAML.
        pub source: String,
    }

    /// What was found in a runbook.
    pub struct CheckedRunbook {
        /// Its name, when it can be read.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub name: Option<RunbookName>,
        /// Its digest; absent when it cannot be used.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub digest: Option<Digest>,
        /// All problems. A published version has warnings only.
        pub problems: Vec<Problem>,
    }
}
