//! Votes: asked for, given, refused, voided by drift.

use clawd_model::{
    Approval, ApprovalStatus, Digest, DurationMs, ErrorKind, Event, RunOutcome, RunStatus, SeededEntropy,
    StepError, StepRef, Timestamp, Verdict, Vote, VoteId,
};

use super::stage::{Gate, Stage, change, fine};
use crate::{Effect, Input};

const PATCH: &str = "
targets: {selector: role=web}
jobs: {work: {steps: [{id: a, uses: look@v1}, {id: b, uses: change@v1}]}}
";

pub(super) fn waiting(planned: bool, servers: u64) -> Stage {
    let mut stage = Stage::new(PATCH, servers, planned);
    stage.gate = Gate {
        votes: 2,
        ..Gate::default()
    };
    stage.give(Input::Resume).play(&mut |_, _| fine());
    assert_eq!(stage.state.status(), RunStatus::Waiting);
    stage
}

pub(super) fn request(stage: &Stage) -> Approval {
    let open: Vec<_> = stage.state.open_approvals().cloned().collect();
    assert_eq!(open.len(), 1, "one request for the job");
    open[0].clone()
}

pub(super) fn vote(stage: &Stage, voter: &str, verdict: Verdict) -> Input {
    let approval = request(stage);
    Input::VoteCast {
        vote: Vote {
            id: VoteId::new(stage.now, &SeededEntropy::new(9)),
            approval: approval.id,
            subject: approval.subject.digest(),
            voter: voter.parse().unwrap(),
            verdict,
            comment: String::new(),
            at: stage.now,
            expires_at: stage.now.plus(DurationMs::from_secs(3600)),
        },
    }
}

#[test]
fn one_request_covers_the_job_and_two_votes_let_every_lane_go_on() {
    let mut stage = waiting(true, 3);
    let missing = request(&stage).missing;
    assert_eq!(missing[0].distinct, 2);
    let first = vote(&stage, "ben", Verdict::Approve);
    stage.give(first);
    assert_eq!(
        request(&stage).missing[0].distinct,
        1,
        "what is missing follows the votes"
    );
    assert!(stage.todo.is_empty());
    let second = vote(&stage, "cho", Verdict::Approve);
    stage.give(second);
    assert!(
        stage
            .todo
            .iter()
            .all(|effect| matches!(effect, Effect::Check { .. })),
        "the hosts are looked at again"
    );
    assert_eq!(stage.todo.len(), 3);
    stage.play(&mut |_, _| fine());
    assert_eq!(stage.state.outcome, Some(RunOutcome::Succeeded));
    let granted = stage
        .journal
        .iter()
        .filter(|recorded| matches!(recorded.event, Event::ApprovalGranted { .. }));
    assert_eq!(granted.count(), 1);
}

#[test]
fn the_last_vote_of_a_person_counts() {
    let mut stage = waiting(true, 1);
    for _ in 0..3 {
        let again = vote(&stage, "ben", Verdict::Approve);
        stage.give(again);
    }
    assert_eq!(request(&stage).votes.len(), 1);
    assert_eq!(stage.state.status(), RunStatus::Waiting);
}

#[test]
fn a_rejection_ends_the_job() {
    let mut stage = waiting(true, 2);
    let no = vote(&stage, "ben", Verdict::Reject);
    stage.give(no).play(&mut |_, _| fine());
    assert_eq!(
        stage.statuses(),
        [
            "work/web-1/a changed",
            "work/web-1/b denied",
            "work/web-2/a changed",
            "work/web-2/b denied"
        ]
    );
    assert_eq!(stage.state.outcome, Some(RunOutcome::Denied));
}

#[test]
fn a_vote_on_another_subject_changes_nothing() {
    let mut stage = waiting(true, 1);
    let Input::VoteCast { mut vote } = vote(&stage, "ben", Verdict::Approve) else {
        panic!()
    };
    vote.subject = Digest::of(b"something else");
    let before = stage.journal.len();
    stage.give(Input::VoteCast { vote });
    assert_eq!(stage.journal.len(), before);
}

#[test]
fn drift_voids_the_approval_and_asks_anew() {
    let mut stage = waiting(true, 1);
    for voter in ["ben", "cho"] {
        let yes = vote(&stage, voter, Verdict::Approve);
        stage.give(yes);
    }
    let before = stage.state.approvals.keys().next().copied().unwrap();
    let [Effect::Check { step, .. }] = stage.take()[..] else {
        panic!("a check was to follow")
    };
    let other = clawd_model::Change {
        basis: serde_json::json!("drifted"),
        ..change()
    };
    let result = Ok((other.fingerprint(), "4 packages".to_owned()));
    stage.give(Input::Checked {
        step,
        result: result.clone(),
    });
    assert_eq!(
        stage.state.approvals[&before].status,
        ApprovalStatus::Void,
        "the run says so"
    );
    assert!(stage.todo.is_empty(), "nothing was started: {:?}", stage.todo);
    let fresh = request(&stage);
    assert_ne!(fresh.id, before);
    assert_eq!(fresh.subject.drifted.len(), 1);
    assert!(fresh.votes.is_empty(), "earlier votes are no votes for this");

    for voter in ["ben", "cho"] {
        let yes = vote(&stage, voter, Verdict::Approve);
        stage.give(yes);
    }
    let [Effect::Check { .. }] = stage.take()[..] else {
        panic!("a check was to follow")
    };
    stage.give(Input::Checked { step, result });
    stage.play(&mut |_, _| fine());
    assert_eq!(
        stage.state.outcome,
        Some(RunOutcome::Succeeded),
        "what people approved the second time is applied"
    );
}

#[test]
fn an_unreachable_host_at_the_last_look_fails_the_step_and_starts_nothing() {
    let mut stage = waiting(true, 1);
    for voter in ["ben", "cho"] {
        let yes = vote(&stage, voter, Verdict::Approve);
        stage.give(yes);
    }
    let [Effect::Check { step, .. }] = stage.take()[..] else {
        panic!("a check was to follow")
    };
    stage.give(Input::Checked {
        step,
        result: Err(StepError::new(ErrorKind::HostKey, "another key")),
    });
    stage.play(&mut |_, _| fine());
    assert_eq!(stage.statuses(), ["work/web-1/a changed", "work/web-1/b failed"]);
    assert!(!stage.journal.iter().any(|recorded| {
        matches!(
            recorded.event,
            Event::AttemptStarted {
                step: StepRef { step: 1, .. },
                ..
            }
        )
    }));
}

#[test]
fn changed_rules_are_asked_about_at_once() {
    let mut stage = waiting(false, 2);
    stage.gate.votes = 0;
    stage.give(Input::RulesChanged).play(&mut |_, _| fine());
    assert_eq!(stage.state.outcome, Some(RunOutcome::Succeeded));

    let mut stage = waiting(false, 2);
    stage.gate.denies = true;
    stage.give(Input::RulesChanged).play(&mut |_, _| fine());
    assert_eq!(stage.state.outcome, Some(RunOutcome::Denied));
}

#[test]
fn a_request_survives_a_crash_with_its_votes() {
    let mut stage = waiting(true, 2);
    let yes = vote(&stage, "ben", Verdict::Approve);
    stage.give(yes);
    let before = request(&stage);
    stage.now = Timestamp(stage.now.0 + 60_000);
    stage.crash();
    assert_eq!(request(&stage), before, "no second request, no vote lost");
    let yes = vote(&stage, "cho", Verdict::Approve);
    stage.give(yes).play(&mut |_, _| fine());
    assert_eq!(stage.state.outcome, Some(RunOutcome::Succeeded));
}
