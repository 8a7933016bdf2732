//! How cancelled, soaking and unknown runs end.

use clawd_model::{ErrorKind, RunOutcome, RunStatus, StepRef};

use super::stage::{Stage, failed, fine, unknown};
use crate::{Effect, Input, RunState};

const STEP: StepRef = StepRef {
    job: 0,
    lane: 0,
    step: 0,
};

fn cancel(stage: &mut Stage) {
    stage.give(Input::CancelRequested {
        by: "ana".parse().unwrap(),
        reason: "enough".into(),
    });
}

#[test]
fn what_did_not_happen_is_not_tried_again_in_a_cancelled_run() {
    let yaml = "
jobs:
  work:
    targets: controller
    steps: [{id: a, uses: change@v1}]
    always: [{id: z, uses: look@v1}]
";
    let mut stage = Stage::new(yaml, 0, false);
    stage.give(Input::Resume).play(&mut |_, _| unknown());
    cancel(&mut stage);
    assert_eq!(stage.state.status(), RunStatus::Cancelling);
    stage.give(Input::UnknownResolved {
        step: STEP,
        attempt: 1,
        by: "ben".parse().unwrap(),
        outcome: None,
    });
    stage.play(&mut |label, _| {
        assert_eq!(label, "work/controller/z", "nothing new begins but `always`");
        fine()
    });
    assert_eq!(
        stage.statuses(),
        ["work/controller/a cancelled", "work/controller/z changed"]
    );
    assert_eq!(stage.state.outcome, Some(RunOutcome::Cancelled));
}

#[test]
fn always_is_tried_again_in_a_cancelled_run_as_in_any_other() {
    let yaml = "
jobs:
  work:
    targets: controller
    steps: [{id: a, uses: change@v1, retry: {attempts: 3, backoff: 1s}}]
    always: [{id: z, uses: change@v1, retry: {attempts: 3, backoff: 1s}}]
";
    let mut stage = Stage::new(yaml, 0, false);
    stage.give(Input::Resume);
    cancel(&mut stage);
    let mut tries = Vec::new();
    stage.play(&mut |label, attempt| {
        tries.push((label.to_owned(), attempt));
        if attempt < 3 {
            failed(ErrorKind::Connection)
        } else {
            fine()
        }
    });
    let z = |attempt| ("work/controller/z".to_owned(), attempt);
    assert_eq!(tries, [("work/controller/a".to_owned(), 1), z(1), z(2), z(3)]);
    assert_eq!(stage.state.outcome, Some(RunOutcome::Cancelled));
}

#[test]
fn a_soak_ends_with_the_cancel_for_whoever_folds_the_journal() {
    let yaml = "
targets: {selector: role=web}
jobs:
  work: {strategy: {serial: [1, '100%'], soak: 1h}, steps: [{id: a, uses: change@v1}]}
  other: {targets: controller, steps: [{id: x, uses: change@v1}]}
";
    let mut stage = Stage::new(yaml, 2, false);
    stage.give(Input::Resume);
    let (wave, other): (Vec<_>, Vec<_>) = stage
        .take()
        .into_iter()
        .partition(|effect| matches!(effect, Effect::StartAttempt { step, .. } if step.job == 0));
    for effect in wave {
        stage.perform(effect, &mut |_, _| fine());
    }
    stage.take();
    cancel(&mut stage);
    // Somebody who only looks applies the events one by one.
    let mut seen = RunState::begin(&stage.program, &stage.journal[0].event).unwrap();
    for recorded in &stage.journal[1..] {
        seen.apply(&stage.program, &recorded.event, recorded.at).unwrap();
    }
    assert_eq!(seen.jobs[0].phase, stage.state.jobs[0].phase);
    for effect in other {
        stage.perform(effect, &mut |_, _| fine());
    }
    assert_eq!(stage.state.outcome, Some(RunOutcome::Cancelled));
}

#[test]
fn a_run_that_soaks_is_not_waiting_for_people() {
    let yaml = "
targets: {selector: role=web}
jobs:
  work: {strategy: {serial: [1, '100%'], soak: 1h}, steps: [{id: a, uses: look@v1}]}
  other: {targets: controller, steps: [{id: x, uses: change@v1}]}
";
    let mut stage = Stage::new(yaml, 2, false);
    stage.gate.votes = 1;
    stage.give(Input::Resume);
    for effect in stage.take() {
        stage.perform(effect, &mut |_, _| fine());
    }
    assert_eq!(
        stage.state.status(),
        RunStatus::Running,
        "the next wave comes by itself"
    );
    stage.play(&mut |_, _| fine());
    assert_eq!(stage.state.status(), RunStatus::Waiting);
}

#[test]
fn an_attempt_is_taken_up_with_the_very_input_that_it_was_started_with() {
    let yaml = "
jobs:
  work:
    targets: controller
    steps: [{id: a, uses: look@v1}, {id: b, uses: change@v1, with: {value: '${{ steps.a.value }}'}}]
";
    let mut stage = Stage::new(yaml, 0, false);
    stage.give(Input::Resume);
    let [Effect::StartAttempt { step, attempt, .. }] = stage.take()[..] else {
        panic!("an attempt")
    };
    // One of the many numbers that a careless reader of JSON gets wrong in the last digit.
    let outcome = clawd_model::Outcome::Succeeded {
        output: serde_json::json!({"value": 958_373_187.541_624_9}),
        changed: false,
    };
    stage.give(Input::AttemptFinished {
        step,
        attempt,
        outcome,
    });
    let began = stage.now;
    stage.now = began.plus(clawd_model::DurationMs::from_secs(60));
    stage.crash();
    let Some(Effect::RecoverAttempt {
        input, digest, since, ..
    }) = stage.take().pop()
    else {
        panic!("an attempt to take up")
    };
    assert_eq!(since, began, "its time runs since its intent");
    assert_eq!(clawd_model::Digest::of_value(&input), digest);
}

#[test]
fn a_run_that_is_given_up_says_why_and_leaves_no_attempt_without_an_outcome() {
    let yaml = "targets: {selector: role=web}\njobs: {work: {steps: [{id: a, uses: change@v1}]}}";
    let mut stage = Stage::new(yaml, 3, false);
    stage.give(Input::Resume);
    let first = stage.take().pop().unwrap();
    stage.perform(first, &mut |_, _| fine());
    stage.give(Input::GiveUp {
        error: clawd_model::StepError::new(clawd_model::ErrorKind::Internal, "too large"),
    });
    assert_eq!(stage.state.outcome, Some(RunOutcome::Failed));
    assert_eq!(stage.state.error.as_ref().unwrap().message, "too large");
    assert_eq!(
        stage.statuses(),
        [
            "work/web-1/a unknown",
            "work/web-2/a unknown",
            "work/web-3/a changed"
        ]
    );
    assert_eq!(stage.take().pop(), Some(Effect::AbortAttempts));
}
