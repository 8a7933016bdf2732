//! Requests for votes: the inbox, one request with everything that a voter should see, the form to vote.

use askama::Template;
use askama::filters::HtmlSafe;
use clawd_model::{ApprovalStatus, Digest, Timestamp, Verdict};

use super::fleet::Simulated;
use super::plan::PlanJob;
use super::runs::FilterChoice;
use super::shell::Shell;
use crate::ui::{Ago, Diff, DigestTag, MissingView, Status};

/// Whether the person who looks may vote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// The vote would count.
    MayVote,
    /// It is this person's own run.
    Requester,
    /// This person has voted.
    Voted(Verdict),
    /// The gate would refuse; why.
    MayNot(String),
    /// It is decided.
    Decided,
}

/// One vote.
#[derive(Clone, Debug)]
pub(crate) struct VoteView {
    pub(crate) voter: String,
    pub(crate) verdict: Verdict,
    pub(crate) comment: String,
    pub(crate) at: Timestamp,
    /// Why it does not count: expired, its voter left.
    pub(crate) spent: Option<String>,
}

/// What a request is about, and how it stands.
#[derive(Clone, Debug)]
pub(crate) struct ApprovalView {
    pub(crate) id: String,
    pub(crate) run: String,
    pub(crate) runbook: String,
    pub(crate) job: String,
    pub(crate) requester: String,
    pub(crate) simulated: Option<Simulated>,
    pub(crate) status: ApprovalStatus,
    /// One line: `4 servers of prod · 9 packages upgraded`.
    pub(crate) summary: String,
    pub(crate) reasons: Vec<String>,
    pub(crate) missing: Vec<MissingView>,
    pub(crate) votes: Vec<VoteView>,
    pub(crate) opened_at: Timestamp,
    /// What votes bind to.
    pub(crate) subject: Digest,
    pub(crate) plan: Digest,
    pub(crate) standing: Standing,
}

impl ApprovalView {
    pub(crate) fn is_open(&self) -> bool {
        self.status == ApprovalStatus::Open
    }

    /// Whether a yes may still become a no; a no is never taken back.
    pub(crate) fn may_turn(&self) -> bool {
        self.is_open() && self.standing == Standing::Voted(Verdict::Approve)
    }
}

/// A server and step whose change is no longer the planned one.
#[derive(Clone, Debug)]
pub(crate) struct Drifted {
    pub(crate) place: String,
    pub(crate) diff: Option<Diff>,
}

/// What a step is given, known only since the run went on.
#[derive(Clone, Debug)]
pub(crate) struct KnownNow {
    pub(crate) place: String,
    pub(crate) digest: Digest,
    /// Names and values; nothing when there is too much to show.
    pub(crate) pairs: Option<Vec<(String, String)>>,
}

/// A request with what it would change and the form to vote: part of the run's page and of its own.
#[derive(Clone, Debug, Template)]
#[template(path = "part/approval_panel.html")]
pub(crate) struct ApprovalPanel {
    pub(crate) approval: ApprovalView,
    pub(crate) drifted: Vec<Drifted>,
    /// Inputs that the plan could not know.
    pub(crate) known_now: Vec<KnownNow>,
    /// What is not known yet.
    pub(crate) later: Vec<String>,
    /// How many more steps it is about than are listed.
    pub(crate) unlisted: Option<u32>,
    /// The job's part of the plan.
    pub(crate) plan_job: Option<PlanJob>,
    /// Whether the plan is shown unfolded.
    pub(crate) unfolded: bool,
    /// Where the form comes back to.
    pub(crate) back: String,
    pub(crate) csrf: String,
    pub(crate) now: Timestamp,
}

impl HtmlSafe for ApprovalPanel {}

/// The inbox.
#[derive(Clone, Debug, Template)]
#[template(path = "page/approvals.html")]
pub(crate) struct ApprovalsPage {
    pub(crate) shell: Shell,
    pub(crate) filters: Vec<FilterChoice>,
    pub(crate) approvals: Vec<ApprovalView>,
    /// Whether the list shows the open ones.
    pub(crate) open: bool,
    pub(crate) older: Option<String>,
}

/// One request.
#[derive(Clone, Debug, Template)]
#[template(path = "page/approval.html")]
pub(crate) struct ApprovalPage {
    pub(crate) shell: Shell,
    pub(crate) panel: ApprovalPanel,
}
