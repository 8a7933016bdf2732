//! Requests for votes, as people see them.

use crate::{Approval, Digest, PlannedStep, Verdict};

super::views! {
    /// A request for votes.
    pub struct ApprovalView {
        /// The request: what it is about, who asked, what is missing, all votes.
        #[serde(flatten)]
        pub approval: Approval,
        /// What a vote binds to. Send it back with the vote.
        pub subject_digest: Digest,
        /// Whether the caller may vote on it now.
        pub may_vote: bool,
        /// Why not.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        pub may_not_vote_because: Vec<String>,
        /// The caller's own vote, the last one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub own_vote: Option<Verdict>,
        /// What the job would change, from the plan. Empty in lists.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        pub steps: Vec<PlannedStep>,
        /// What nobody could know when the plan was made, and nobody knows yet. Empty in lists.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        pub unknown_inputs: Vec<UnknownInput>,
    }

    /// A step that changes something, and is given what earlier steps find.
    pub struct UnknownInput {
        /// Which: `job/server/step`.
        pub step: String,
        /// What its input depends on.
        pub on: String,
        /// Whether votes are asked for again when it is known, since its operation is of high risk. A vote given now
        /// covers whatever the input of the others becomes.
        pub asked_again: bool,
    }

    /// A yes or a no.
    #[serde(deny_unknown_fields)]
    pub struct CastVote {
        /// Yes or no.
        pub verdict: Verdict,
        /// The `subject_digest` that the voter looked at. Another one than the present one is refused.
        pub subject: Digest,
        /// Why, in the voter's words.
        #[serde(default)]
        pub comment: String,
    }
}
