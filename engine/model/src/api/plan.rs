//! Plans, as people see them.

use serde_json::Value;

use crate::{Digest, Plan, Timestamp};

super::views! {
    /// Asks for a plan of a runbook's active version.
    #[derive(Default)]
    #[serde(deny_unknown_fields)]
    pub struct MakePlan {
        /// Inputs; defaults are filled in.
        #[serde(default, skip_serializing_if = "Value::is_null")]
        pub inputs: Value,
        /// A selector in place of the runbook's own targets: `role=web,env=prod`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub on: Option<String>,
    }

    /// A stored plan.
    pub struct PlanView {
        /// What approvals bind to, and what `start` takes.
        pub digest: Digest,
        /// From when on it is too old to be started.
        pub expires_at: Timestamp,
        /// Counts, for people.
        pub summary: PlanSummary,
        /// The plan itself.
        pub plan: Plan,
    }

    /// Counts over a plan's steps.
    #[derive(Default)]
    pub struct PlanSummary {
        /// Servers that are looked at or changed.
        pub servers: u32,
        /// Steps that would change something.
        pub changes: u32,
        /// Steps whose prediction depends on what earlier steps will find.
        pub depends: u32,
        /// Steps that could not be predicted.
        pub errors: u32,
        /// Steps that the gate lets pass now.
        pub allowed: u32,
        /// Steps that wait for votes.
        pub needs_approval: u32,
        /// Steps that nothing lets pass.
        pub denied: u32,
    }
}
