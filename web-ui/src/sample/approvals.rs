//! Requests for votes of the story.

use clawd_model::{ApprovalStatus, Verdict};

use super::plan::rollout;
use super::runs::filters;
use super::{NOW, ago, approval_id, digest, notice, run_id, shell};
use crate::ui::{Diff, MissingView};
use crate::view::approvals::{
    ApprovalPage, ApprovalPanel, ApprovalView, ApprovalsPage, Drifted, Standing, VoteView,
};
use crate::view::fleet::Simulated;
use crate::view::shell::Section;

fn view(number: u64, status: ApprovalStatus, standing: Standing) -> ApprovalView {
    let votes = match status {
        ApprovalStatus::Open => vec![vote("cho", Verdict::Approve, "maintenance window is open")],
        ApprovalStatus::Rejected => vec![vote("cho", Verdict::Reject, "not during the sale")],
        _ => vec![
            vote("ben", Verdict::Approve, ""),
            vote("cho", Verdict::Approve, ""),
        ],
    };
    ApprovalView {
        id: approval_id(number),
        run: run_id(number),
        runbook: "patch-security".to_owned(),
        job: "rollout".to_owned(),
        requester: "ana".to_owned(),
        simulated: (number == 1).then_some(Simulated::Wholly),
        status,
        summary: "10 servers of prod · 40 packages upgraded".to_owned(),
        reasons: vec!["changes in prod need two votes of sre, none of them the requester".to_owned()],
        missing: vec![MissingView {
            what: "1 vote of sre".to_owned(),
            candidates: vec!["ben".to_owned()],
        }],
        votes,
        opened_at: ago(48 + 3000 * (i64::try_from(number).unwrap_or(0) - 1)),
        subject: digest("subject"),
        plan: digest("plan"),
        standing,
    }
}

fn vote(voter: &str, verdict: Verdict, comment: &str) -> VoteView {
    VoteView {
        voter: voter.to_owned(),
        verdict,
        comment: comment.to_owned(),
        at: ago(12),
        spent: None,
    }
}

pub(super) fn panel(kind: &str, unfolded: bool) -> ApprovalPanel {
    let approval = match kind {
        "own" => view(1, ApprovalStatus::Open, Standing::Requester),
        "granted" => view(1, ApprovalStatus::Granted, Standing::Decided),
        "refused" => view(
            1,
            ApprovalStatus::Open,
            Standing::MayNot("only members of sre vote on prod".to_owned()),
        ),
        _ => view(1, ApprovalStatus::Open, Standing::MayVote),
    };
    ApprovalPanel {
        approval,
        drifted: Vec::new(),
        known_now: Vec::new(),
        later: Vec::new(),
        unlisted: None,
        plan_job: Some(rollout()),
        unfolded,
        back: format!("/runs/{}", run_id(1)),
        csrf: "b6c1".repeat(8),
        now: NOW,
    }
}

pub(super) fn inboxes() -> [(&'static str, ApprovalsPage); 3] {
    let open = ApprovalsPage {
        shell: shell(Section::Approvals, "/approvals"),
        filters: filters(),
        approvals: vec![
            view(1, ApprovalStatus::Open, Standing::MayVote),
            view(2, ApprovalStatus::Open, Standing::Requester),
            view(3, ApprovalStatus::Open, Standing::Voted(Verdict::Approve)),
            view(
                4,
                ApprovalStatus::Open,
                Standing::MayNot("only members of sre vote on prod".to_owned()),
            ),
        ],
        open: true,
        older: None,
    };
    let decided = ApprovalsPage {
        approvals: vec![
            view(5, ApprovalStatus::Granted, Standing::Decided),
            view(6, ApprovalStatus::Rejected, Standing::Decided),
            view(7, ApprovalStatus::Void, Standing::Decided),
            view(8, ApprovalStatus::Closed, Standing::Decided),
        ],
        open: false,
        ..open.clone()
    };
    let empty = ApprovalsPage {
        approvals: Vec::new(),
        ..open.clone()
    };
    [
        ("approvals", open),
        ("approvals-decided", decided),
        ("approvals-empty", empty),
    ]
}

pub(super) fn requests() -> Vec<(&'static str, ApprovalPage)> {
    let page = |panel| ApprovalPage {
        shell: shell(Section::Approvals, "/approvals/x"),
        panel,
    };
    let mut drifted = panel("open", false);
    drifted.drifted = vec![Drifted {
        place: "web-2 / apply".to_owned(),
        diff: Some(Diff::read(
            "drifted change",
            "~ openssl 3.0.15-1~deb12u1 → 3.0.18-1~deb12u1 (security)",
        )),
    }];
    drifted.approval.votes = vec![VoteView {
        spent: Some("expired".to_owned()),
        ..vote("cho", Verdict::Approve, "go")
    }];
    let mut voted = page(panel("granted", false));
    voted.shell.notice = notice("Your vote is recorded.");
    vec![
        ("approval", page(panel("open", true))),
        ("approval-own", page(panel("own", false))),
        ("approval-refused", page(panel("refused", false))),
        ("approval-granted", voted),
        ("approval-drifted", page(drifted)),
    ]
}
