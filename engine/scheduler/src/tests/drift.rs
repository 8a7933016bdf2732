//! What people approved is what is applied: another change, input or step is asked for anew.

use clawd_model::{
    ApprovalStatus, Change, ErrorKind, Event, RunOutcome, RunStatus, StepRef, Verdict, WillRun,
};
use serde_json::json;

use super::approvals::{request, vote};
use super::stage::{Stage, change, failed, fine, unknown};
use crate::{Effect, Input, StepState};

const LOOK_THEN_CHANGE: &str = "
targets: {selector: role=web}
jobs:
  work:
    steps: [{id: a, uses: look@v1}, {id: b, uses: change@v1, with: {value: '${{ steps.a.value }}'}}]
";
const STEP_B: StepRef = StepRef {
    job: 0,
    lane: 0,
    step: 1,
};

/// A run whose plan foresaw this input of step `b`, with the votes of ben for it. The run's `a` gives 1.
fn approved(yaml: &str, value: i64, predicted: bool) -> Stage {
    let mut stage = Stage::planned(yaml, 1, |step| {
        if step.step.as_str() == "b" {
            step.input = Some(json!({"value": value}));
            step.change = predicted.then(change);
        }
    });
    stage.gate.votes = 1;
    stage.give(Input::Resume).play(&mut |_, _| fine());
    assert_eq!(stage.state.status(), RunStatus::Waiting);
    let yes = vote(&stage, "ben", Verdict::Approve);
    stage.give(yes).play(&mut |_, _| fine());
    stage
}

#[test]
fn an_input_as_planned_passes() {
    for predicted in [false, true] {
        let stage = approved(LOOK_THEN_CHANGE, 1, predicted);
        assert_eq!(stage.state.outcome, Some(RunOutcome::Succeeded));
        assert!(stage.state.drifted.is_empty());
    }
}

#[test]
fn another_input_than_planned_is_asked_for_before_it_is_applied() {
    for predicted in [false, true] {
        let mut stage = Stage::planned(LOOK_THEN_CHANGE, 1, |step| {
            if step.step.as_str() == "b" {
                step.input = Some(json!({"value": 7}));
                step.change = predicted.then(change);
            }
        });
        stage.give(Input::Resume).play(&mut |_, _| fine());
        let said = stage.journal.iter().find_map(|recorded| match &recorded.event {
            Event::StepChecked {
                drifted: true, now, ..
            } => Some(now.clone()),
            _ => None,
        });
        assert!(
            said.is_some_and(|said| said.contains("input")),
            "the journal says so"
        );
        assert_eq!(
            stage.state.outcome,
            Some(RunOutcome::Succeeded),
            "the gate wants no votes"
        );
    }
}

#[test]
fn votes_for_one_input_are_no_votes_for_another() {
    for predicted in [false, true] {
        let mut stage = approved(LOOK_THEN_CHANGE, 7, predicted);
        let void = stage
            .state
            .approvals
            .values()
            .filter(|approval| approval.status == ApprovalStatus::Void)
            .count();
        if predicted {
            assert_eq!(
                void, 0,
                "the look came before the request, which was about the new input already"
            );
        } else {
            assert_eq!(void, 1, "ben saw another input");
            let fresh = request(&stage);
            assert_eq!(fresh.subject.drifted.len(), 1);
            let yes = vote(&stage, "cho", Verdict::Approve);
            stage.give(yes).play(&mut |_, _| fine());
        }
        assert_eq!(stage.state.outcome, Some(RunOutcome::Succeeded));
        assert_eq!(stage.state.drifted.len(), 1);
    }
}

#[test]
fn a_step_that_was_planned_not_to_run_is_asked_for() {
    let yaml = "
targets: {selector: role=web}
jobs: {work: {steps: [{id: a, uses: look@v1}, {id: b, uses: change@v1, if: '${{ steps.a.value == 1 }}'}]}}
";
    let mut stage = Stage::planned(yaml, 1, |step| {
        if step.step.as_str() == "b" {
            step.will_run = WillRun::No {
                condition: "steps.a.value == 1".into(),
            };
        }
    });
    stage.gate.votes = 1;
    stage.give(Input::Resume).play(&mut |_, _| fine());
    let yes = vote(&stage, "ben", Verdict::Approve);
    stage.give(yes).play(&mut |_, _| fine());
    assert_eq!(stage.state.status(), RunStatus::Waiting, "{:?}", stage.statuses());
    assert_eq!(request(&stage).subject.drifted.len(), 1);
    stage.crash();
    let yes = vote(&stage, "ben", Verdict::Approve);
    stage.give(yes).play(&mut |_, _| fine());
    assert_eq!(stage.state.outcome, Some(RunOutcome::Succeeded));
}

#[test]
fn what_rescue_and_always_say_depends_on_how_it_went() {
    let yaml = "
targets: {selector: role=web}
jobs:
  work:
    steps: [{id: a, uses: look@v1}]
    always: [{id: b, uses: change@v1, with: {value: '${{ has(steps.a.value) ? 1 : 2 }}'}}]
";
    let mut stage = Stage::planned(yaml, 1, |step| {
        if step.step.as_str() == "b" {
            step.input = Some(json!({"value": 1}));
        }
    });
    stage.gate.votes = 1;
    stage
        .give(Input::Resume)
        .play(&mut |_, _| failed(ErrorKind::Failed));
    let yes = vote(&stage, "ben", Verdict::Approve);
    stage.give(yes).play(&mut |_, _| fine());
    assert_eq!(stage.state.outcome, Some(RunOutcome::Failed));
    assert!(stage.state.drifted.is_empty());
}

fn drifts() -> Input {
    let other = Change {
        basis: json!("drifted"),
        ..change()
    };
    Input::Checked {
        step: STEP_B,
        result: Ok((other.fingerprint(), "4 packages".to_owned())),
    }
}

#[test]
fn what_did_not_happen_is_looked_at_again_before_it_is_tried_again() {
    let mut stage = Stage::new(LOOK_THEN_CHANGE, 1, true);
    stage
        .give(Input::Resume)
        .play(&mut |label, _| if label.ends_with("/b") { unknown() } else { fine() });
    stage.give(Input::UnknownResolved {
        step: STEP_B,
        attempt: 1,
        by: "ben".parse().unwrap(),
        outcome: None,
    });
    let again = |stage: &mut Stage| {
        let [Effect::Check { step: STEP_B, .. }] = stage.take()[..] else {
            panic!(
                "days may have passed: the host is looked at again, not {:?}",
                stage.todo
            )
        };
    };
    again(&mut stage);
    stage.crash();
    for effect in stage.take() {
        stage.perform(effect, &mut |_, _| fine());
    }
    again(&mut stage);
    stage.gate.votes = 1;
    stage.give(drifts());
    assert_eq!(request(&stage).subject.drifted.len(), 1);
    assert_eq!(stage.state.step(STEP_B), Some(&StepState::WaitingForVotes));
}

#[test]
fn a_retry_that_waited_for_votes_is_looked_at_again() {
    let yaml = "
targets: {selector: role=web}
jobs: {work: {steps: [{id: a, uses: look@v1}, {id: b, uses: change@v1, retry: {attempts: 2, backoff: 1s}}]}}
";
    let mut stage = Stage::new(yaml, 1, true);
    stage.give(Input::Resume);
    for outcome in [fine(), fine(), failed(ErrorKind::Connection)] {
        let effect = stage.take().pop().unwrap();
        stage.perform(effect, &mut |_, _| outcome.clone());
    }
    // Before the second attempt a rule came into force.
    stage.gate.votes = 1;
    stage.play(&mut |_, _| fine());
    assert_eq!(stage.state.step(STEP_B), Some(&StepState::WaitingForVotes));
    let yes = vote(&stage, "ben", Verdict::Approve);
    stage.give(yes);
    assert!(
        matches!(stage.todo[..], [Effect::Check { .. }]),
        "{:?}",
        stage.todo
    );
    stage.play(&mut |_, attempt| {
        assert_eq!(attempt, 2);
        fine()
    });
    assert_eq!(stage.state.outcome, Some(RunOutcome::Succeeded));
}

#[test]
fn what_waited_for_room_is_looked_at_again() {
    let yaml = "targets: {selector: role=web}\njobs: {work: {steps: [{id: a, uses: change@v1}]}}";
    let mut stage = Stage::new(yaml, 1, true);
    stage.has_room = false;
    stage.give(Input::Resume).play(&mut |_, _| fine());
    let begun = |stage: &Stage| {
        let begins = |event: &Event| matches!(event, Event::AttemptStarted { .. });
        stage.journal.iter().any(|recorded| begins(&recorded.event))
    };
    assert!(!begun(&stage), "allowed, and there is no room");
    stage.has_room = true;
    let step = StepRef {
        job: 0,
        lane: 0,
        step: 0,
    };
    stage.ask(step);
    let [Effect::Check { .. }] = stage.todo[..] else {
        panic!("an old look is none: {:?}", stage.todo)
    };
    stage.play(&mut |_, _| fine());
    assert!(begun(&stage));
    assert_eq!(stage.state.outcome, Some(RunOutcome::Succeeded));
}
