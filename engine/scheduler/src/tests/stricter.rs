//! The strictest policy that asks says how long a vote counts, whenever it comes into the way.

use clawd_model::{DurationMs, ErrorKind, Event, RunOutcome, RunStatus, StepError, StepRef, Verdict};

use super::approvals::{request, vote, waiting};
use super::stage::{Gate, Stage, failed, fine};
use crate::{Effect, Input, StepState, Timer};

const HOUR: u64 = 3_600_000;

/// Two steps that ask for votes: the first for fresh ones of a day, the second for fresh ones of half an hour.
fn two_guards() -> Stage {
    let yaml = "
targets: {selector: role=web}
jobs: {work: {steps: [{id: a, uses: change@v1}, {id: b, uses: change@v1}]}}
";
    let mut stage = Stage::new(yaml, 1, false);
    stage.gate = Gate {
        votes: 1,
        ttl_ms: Some(|step| if step.step == 0 { 24 * HOUR } else { HOUR / 2 }),
        ..Gate::default()
    };
    stage.give(Input::Resume);
    assert_eq!(request(&stage).vote_ttl_ms, DurationMs(24 * HOUR));
    stage
}

#[test]
fn a_vote_that_is_too_old_for_the_second_guard_is_asked_for_again() {
    let mut stage = two_guards();
    let yes = vote(&stage, "ben", Verdict::Approve);
    stage.give(yes);
    stage.now = stage.now.plus(DurationMs(HOUR * 3 / 4));
    stage.play(&mut |_, _| fine());
    assert_eq!(
        stage.statuses(),
        ["work/web-1/a changed", "work/web-1/b waiting for votes"]
    );
    assert_eq!(
        request(&stage).vote_ttl_ms,
        DurationMs(HOUR / 2),
        "who votes now is told how long that counts"
    );
    stage.crash();
    assert_eq!(request(&stage).vote_ttl_ms, DurationMs(HOUR / 2));
    let yes = vote(&stage, "ben", Verdict::Approve);
    stage.give(yes).play(&mut |_, _| fine());
    assert_eq!(stage.state.outcome, Some(RunOutcome::Succeeded));
}

#[test]
fn what_is_missing_is_told_when_votes_stop_counting_and_not_when_they_say() {
    let mut stage = two_guards();
    stage.gate.votes = 2;
    stage.gate.ttl_ms = Some(|_| 24 * HOUR);
    let yes = vote(&stage, "ben", Verdict::Approve);
    stage.give(yes);
    stage.gate.ttl_ms = Some(|_| HOUR / 2);
    stage.expiries.clear();
    stage.give(Input::RulesChanged);
    let ends = stage.now.plus(DurationMs(HOUR / 2));
    assert_eq!(stage.expiries, [(ends, Timer::Votes(0))]);
    for crashes in [false, true] {
        if crashes {
            stage.crash();
        }
        assert!(stage.expiries.contains(&(ends, Timer::Votes(0))));
    }
    assert_eq!(request(&stage).missing[0].distinct, 1);
    stage.now = ends;
    stage.give(Input::TimerFired(Timer::Votes(0)));
    assert_eq!(request(&stage).missing[0].distinct, 2);
}

#[test]
fn a_look_that_failed_after_the_votes_is_made_again_before_the_attempt() {
    let yaml = "
targets: {selector: role=web}
jobs: {work: {steps: [{id: b, uses: change@v1, retry: {attempts: 4, backoff: 1s}}]}}
";
    let step = StepRef {
        job: 0,
        lane: 0,
        step: 0,
    };
    let mut stage = Stage::new(yaml, 1, true);
    stage.give(Input::Resume);
    // The first attempt fails; before the second one a rule comes into force.
    for _ in 0..2 {
        let effect = stage.take().pop().unwrap();
        stage.perform(effect, &mut |_, _| failed(ErrorKind::Connection));
    }
    stage.gate.votes = 1;
    stage.play(&mut |_, _| fine());
    assert_eq!(stage.state.step(step), Some(&StepState::WaitingForVotes));
    let yes = vote(&stage, "ben", Verdict::Approve);
    stage.give(yes);
    let [Effect::Check { .. }] = stage.take()[..] else {
        panic!("a look was to follow")
    };
    stage.give(Input::Checked {
        step,
        result: Err(StepError::new(ErrorKind::Connection, "unreachable")),
    });
    let timer = stage.take().pop().unwrap();
    assert!(matches!(timer, Effect::SetTimer { .. }), "{timer:?}");
    stage.crash();
    let timer = stage.take().pop().unwrap();
    stage.perform(timer, &mut |_, _| fine());
    assert!(
        matches!(stage.todo[..], [Effect::Check { .. }]),
        "people took their time: {:?}",
        stage.todo
    );
    stage.play(&mut |_, _| fine());
    assert_eq!(stage.state.outcome, Some(RunOutcome::Succeeded));
    let granted = stage.journal.iter().filter(
        |recorded| matches!(&recorded.event, Event::ApprovalGranted { voters, .. } if voters.len() == 1),
    );
    assert_eq!(granted.count(), 1, "the journal says that the votes were in");
}

#[test]
fn a_second_guard_that_asks_for_less_leaves_the_request_as_strict_as_it_was() {
    let mut stage = waiting(false, 1);
    let before = request(&stage).vote_ttl_ms;
    stage.gate.ttl_ms = Some(|_| 48 * HOUR);
    stage.give(Input::RulesChanged);
    assert_eq!(request(&stage).vote_ttl_ms, before);
    assert_eq!(stage.state.status(), RunStatus::Waiting);
}
