//! One request for the votes of many lanes, which may need different ones.

use clawd_model::{
    ApprovalStatus, DurationMs, Event, RunOutcome, RunStatus, StepError, StepRef, Timestamp, Verdict,
};

use super::approvals::{request, vote};
use super::stage::{Gate, Stage, change, fine};
use crate::{Effect, Input, Timer};

const PATCH: &str = "
targets: {selector: role=web}
jobs: {work: {steps: [{id: a, uses: change@v1}]}}
";

/// A run in which the lane with this number needs one vote more than the others, which need one.
fn uneven(planned: bool, more: fn(StepRef) -> usize) -> Stage {
    let mut stage = Stage::new(PATCH, 3, planned);
    stage.gate = Gate {
        votes: 1,
        more: Some(more),
        ..Gate::default()
    };
    stage.give(Input::Resume).play(&mut |_, _| fine());
    assert_eq!(stage.state.status(), RunStatus::Waiting);
    stage
}

fn approve(stage: &mut Stage, voter: &str) {
    let yes = vote(stage, voter, Verdict::Approve);
    stage.give(yes).play(&mut |_, _| fine());
}

#[test]
fn a_lane_that_needs_more_votes_can_still_get_them_when_others_went_on() {
    for planned in [false, true] {
        let more: [fn(StepRef) -> usize; 2] = [
            |step| usize::from(step.lane == 0),
            |step| usize::from(step.lane == 2),
        ];
        for more in more {
            let mut stage = uneven(planned, more);
            approve(&mut stage, "ben");
            assert_eq!(stage.state.status(), RunStatus::Waiting);
            assert_eq!(request(&stage).votes.len(), 1, "the request is open for the rest");
            stage.crash().play(&mut |_, _| fine());
            approve(&mut stage, "cho");
            assert_eq!(stage.state.outcome, Some(RunOutcome::Succeeded));
            let granted = stage
                .journal
                .iter()
                .filter(|recorded| matches!(recorded.event, Event::ApprovalGranted { .. }));
            assert_eq!(granted.count(), 1);
        }
    }
}

#[test]
fn a_rejection_stops_lanes_that_are_being_looked_at() {
    let mut stage = Stage::new(PATCH, 2, true);
    stage.gate.votes = 1;
    stage.give(Input::Resume).play(&mut |_, _| fine());
    let yes = vote(&stage, "ben", Verdict::Approve);
    let no = vote(&stage, "cho", Verdict::Reject);
    stage.give(yes);
    assert_eq!(stage.todo.len(), 2, "both hosts are being looked at");
    stage.give(no).play(&mut |_, _| fine());
    assert_eq!(stage.statuses(), ["work/web-1/a denied", "work/web-2/a denied"]);
    assert_eq!(stage.state.outcome, Some(RunOutcome::Denied));
}

#[test]
fn a_rejection_holds_for_waves_that_come_later() {
    let yaml = "
targets: {selector: role=web}
jobs:
  work:
    strategy: {serial: [1, '100%'], max_fail_percentage: 100}
    steps: [{id: a, uses: change@v1}]
";
    let mut stage = Stage::new(yaml, 3, true);
    stage.gate.votes = 1;
    stage.give(Input::Resume).play(&mut |_, _| fine());
    let no = vote(&stage, "ben", Verdict::Reject);
    stage.give(no).play(&mut |_, _| fine());
    assert_eq!(
        stage.statuses(),
        [
            "work/web-1/a denied",
            "work/web-2/a denied",
            "work/web-3/a denied"
        ]
    );
    assert_eq!(stage.state.outcome, Some(RunOutcome::Denied));
    assert_eq!(stage.state.approvals.len(), 1, "nobody is asked again");
}

#[test]
fn votes_that_expired_before_the_next_wave_are_asked_for_again() {
    let yaml = "
targets: {selector: role=web}
jobs:
  work:
    strategy: {serial: [1, '100%'], soak: 2h}
    steps: [{id: a, uses: change@v1}]
";
    let mut stage = Stage::new(yaml, 2, true);
    stage.gate.votes = 1;
    stage.give(Input::Resume).play(&mut |_, _| fine());
    let yes = vote(&stage, "ben", Verdict::Approve);
    stage.give(yes).play(&mut |_, _| fine());
    assert_eq!(
        stage.state.status(),
        RunStatus::Waiting,
        "two hours later: {:?}",
        stage.statuses()
    );
    let yes = vote(&stage, "cho", Verdict::Approve);
    stage.give(yes).play(&mut |_, _| fine());
    assert_eq!(stage.state.outcome, Some(RunOutcome::Succeeded));
}

#[test]
fn a_vote_that_expires_is_missing_again() {
    let mut stage = Stage::new(PATCH, 1, true);
    stage.gate.votes = 2;
    stage.give(Input::Resume).play(&mut |_, _| fine());
    let yes = vote(&stage, "ben", Verdict::Approve);
    stage.give(yes);
    assert_eq!(request(&stage).missing[0].distinct, 1);
    stage.crash();
    let [(at, timer @ Timer::Votes(0))] = stage.expiries[..] else {
        panic!("a timer for the vote")
    };
    assert_eq!(at, stage.now.plus(DurationMs::from_secs(3600)));
    stage.now = at;
    stage.give(Input::TimerFired(timer));
    assert_eq!(
        request(&stage).missing[0].distinct,
        2,
        "what is missing follows the time"
    );
}

#[test]
fn a_host_is_looked_at_once_however_often_the_rules_change() {
    let mut stage = Stage::new(PATCH, 2, true);
    stage.gate.votes = 1;
    stage.give(Input::Resume).play(&mut |_, _| fine());
    let yes = vote(&stage, "ben", Verdict::Approve);
    stage.give(yes);
    let again = vote(&stage, "cho", Verdict::Approve);
    stage
        .give(again)
        .give(Input::RulesChanged)
        .give(Input::RulesChanged);
    let looks = |effect: &&Effect| matches!(effect, Effect::Check { .. });
    assert_eq!(stage.todo.iter().filter(looks).count(), 2);
    stage.play(&mut |_, _| fine());
    assert_eq!(stage.state.outcome, Some(RunOutcome::Succeeded));
}

#[test]
fn a_look_that_fails_again_and_again_ends_as_the_step_says() {
    let yaml = "
targets: {selector: role=web}
jobs: {work: {steps: [{id: a, uses: change@v1, retry: {attempts: 3, backoff: 5s}}]}}
";
    let mut stage = Stage::new(yaml, 1, true);
    stage.give(Input::Resume);
    for _ in 0..3 {
        let [Effect::Check { step, .. }] = stage.take()[..] else {
            panic!("a look")
        };
        let gone = StepError::new(clawd_model::ErrorKind::Connection, "gone");
        stage.give(Input::Checked {
            step,
            result: Err(gone),
        });
        for effect in stage.take() {
            stage.perform(effect, &mut |_, _| fine());
        }
    }
    assert_eq!(stage.statuses(), ["work/web-1/a failed"]);
    assert_eq!(stage.state.outcome, Some(RunOutcome::Failed));
}

#[test]
fn a_look_that_nobody_asked_for_changes_nothing() {
    let mut stage = Stage::new(PATCH, 1, true);
    stage.gate.votes = 1;
    stage.give(Input::Resume).play(&mut |_, _| fine());
    let before = stage.journal.len();
    let step = StepRef {
        job: 0,
        lane: 0,
        step: 0,
    };
    let result = Ok((change().fingerprint(), String::new()));
    stage.give(Input::Checked { step, result });
    assert_eq!(stage.journal.len(), before);
}

#[test]
fn an_approval_is_closed_when_its_run_ends() {
    let mut stage = uneven(true, |step| usize::from(step.lane == 1));
    approve(&mut stage, "ben");
    let id = request(&stage).id;
    stage.now = Timestamp(stage.now.0 + 1);
    stage.gate.denies = true;
    stage.give(Input::RulesChanged).play(&mut |_, _| fine());
    assert_eq!(stage.state.outcome, Some(RunOutcome::Denied));
    assert_eq!(stage.state.approvals[&id].status, ApprovalStatus::Closed);
}
