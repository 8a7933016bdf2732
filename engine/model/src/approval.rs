//! Votes: typed data that policies count.

use serde::{Deserialize, Serialize};

use crate::{
    ApprovalId, Digest, DurationMs, JobName, MissingVotes, PrincipalName, RunId, RunbookName, TenantName,
    Timestamp, VoteId,
};

/// What a vote is about. Votes bind to the digest of this, so that a vote for one thing is no vote for another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ApprovalSubject {
    /// Whose run.
    pub tenant: TenantName,
    /// Which run: a vote is single use.
    pub run: RunId,
    /// Which runbook, for people.
    pub runbook: RunbookName,
    /// Which job of it.
    pub job: JobName,
    /// The plan that people looked at.
    pub plan: Digest,
    /// Fingerprints of changes that drifted from the plan and are asked for anew, as `job/server/step` → digest.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub drifted: Vec<(String, Digest)>,
    /// Inputs that the plan could not know, and that are known by now.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub inputs: Vec<SeenInput>,
    /// What is not listed above, since it would be too much.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub more: Option<MoreSteps>,
}

/// An input that became known while the run went on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SeenInput {
    /// Whose: `job/server/step`.
    pub step: String,
    /// Its digest: what votes bind to.
    pub digest: Digest,
    /// The input itself, secrets as references; absent when it is too large to be shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input: Option<serde_json::Value>,
}

/// Steps that are part of a subject and are not listed one by one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct MoreSteps {
    /// How many.
    pub steps: u32,
    /// The digest of their labels and digests.
    pub digest: Digest,
}

impl ApprovalSubject {
    /// What votes bind to.
    #[must_use]
    pub fn digest(&self) -> Digest {
        let inputs: Vec<_> = self.inputs.iter().map(|seen| (&seen.step, seen.digest)).collect();
        Digest::of_value(&serde_json::json!({
            "tenant": self.tenant, "run": self.run, "runbook": self.runbook, "job": self.job, "plan": self.plan,
            "drifted": self.drifted, "inputs": inputs, "more": self.more,
        }))
    }
}

/// A yes or a no.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// A recorded yes.
    Approve,
    /// A recorded no: it ends the request.
    Reject,
}

/// One person's recorded yes or no on one digest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Vote {
    /// Its id.
    pub id: VoteId,
    /// The request that it answers.
    pub approval: ApprovalId,
    /// The digest of the subject that the voter saw.
    pub subject: Digest,
    /// Who voted.
    pub voter: PrincipalName,
    /// Yes or no.
    pub verdict: Verdict,
    /// Why, in the voter's words.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub comment: String,
    /// When.
    pub at: Timestamp,
    /// From when on it no longer counts.
    pub expires_at: Timestamp,
}

/// Where a request for votes stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum ApprovalStatus {
    /// Votes are missing.
    Open,
    /// The gate was satisfied.
    Granted,
    /// Somebody said no.
    Rejected,
    /// The world drifted from what people had looked at.
    Void,
    /// Nobody answered in time, or the run ended.
    Closed,
}

/// How long a vote counts when no policy says otherwise: a working day.
pub const VOTE_TTL: DurationMs = DurationMs::from_secs(8 * 3600);

fn default_vote_ttl() -> DurationMs {
    VOTE_TTL
}

/// A request for votes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Approval {
    /// Its id.
    pub id: ApprovalId,
    /// What it is about.
    pub subject: ApprovalSubject,
    /// Who started the run: that person's vote does not count.
    pub requester: PrincipalName,
    /// Where it stands.
    pub status: ApprovalStatus,
    /// What is missing now; any one alternative is enough.
    pub missing: Vec<MissingVotes>,
    /// Why votes are needed: the policies' reasons.
    pub reasons: Vec<String>,
    /// How long a vote on it counts, in milliseconds: the shortest `@approval_ttl` of the policies that ask.
    #[serde(default = "default_vote_ttl")]
    pub vote_ttl_ms: DurationMs,
    /// When it was opened.
    pub opened_at: Timestamp,
    /// All votes so far, in order.
    pub votes: Vec<Vote>,
}
