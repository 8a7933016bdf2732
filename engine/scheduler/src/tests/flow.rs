//! How steps, lanes, waves and jobs follow each other.

use clawd_model::{ErrorKind, Event, Outcome, RunOutcome, RunStatus};
use serde_json::json;

use super::stage::{Stage, failed, fine, nothing, unknown};
use crate::{Effect, Input};

const ONE_JOB: &str = "
targets: {selector: role=web}
jobs:
  work:
    steps:
      - {id: a, uses: look@v1}
      - {id: b, uses: change@v1, with: {value: '${{ steps.a.value + 1 }}'}}
";

#[test]
fn steps_of_a_lane_run_in_order_and_lanes_side_by_side() {
    let mut stage = Stage::new(ONE_JOB, 2, false);
    stage.give(Input::Resume);
    let first: Vec<_> = stage.take();
    assert_eq!(first.len(), 2, "one attempt a lane: {first:?}");
    stage.todo = first;
    let mut order = Vec::new();
    stage.play(&mut |label, _| {
        order.push(label.to_owned());
        fine()
    });
    assert_eq!(
        order,
        ["work/web-2/a", "work/web-2/b", "work/web-1/a", "work/web-1/b"]
    );
    assert_eq!(stage.state.outcome, Some(RunOutcome::Succeeded));
}

#[test]
fn an_input_is_computed_from_the_output_before() {
    let mut stage = Stage::new(ONE_JOB, 1, false);
    stage.give(Input::Resume);
    let Some(Effect::StartAttempt { step, attempt, .. }) = stage.take().pop() else {
        panic!("no attempt")
    };
    let outcome = Outcome::Succeeded {
        output: json!({"value": 41}),
        changed: false,
    };
    stage.give(Input::AttemptFinished {
        step,
        attempt,
        outcome,
    });
    let Some(Effect::StartAttempt { input, .. }) = stage.take().pop() else {
        panic!("no attempt")
    };
    assert_eq!(*input, json!({"value": 42}));
}

#[test]
fn a_failed_attempt_is_retried_as_often_as_the_step_says() {
    let mut stage = Stage::new(
        "jobs: {work: {targets: controller, steps: [{id: a, uses: change@v1, retry: {attempts: 3, backoff: 5s}}]}}",
        0,
        false,
    );
    let mut tries = Vec::new();
    stage.give(Input::Resume).play(&mut |_, attempt| {
        tries.push(attempt);
        if attempt < 3 {
            failed(ErrorKind::Connection)
        } else {
            fine()
        }
    });
    assert_eq!(tries, [1, 2, 3]);
    assert_eq!(stage.state.outcome, Some(RunOutcome::Succeeded));
    let intents = stage
        .journal
        .iter()
        .filter(|recorded| matches!(recorded.event, Event::AttemptStarted { .. }));
    assert_eq!(intents.count(), 3);
}

#[test]
fn rescue_follows_a_failure_and_always_follows_everything() {
    let yaml = "
jobs:
  work:
    targets: controller
    steps: [{id: a, uses: change@v1}, {id: b, uses: change@v1}]
    rescue: [{id: r, uses: look@v1}]
    always: [{id: z, uses: look@v1}]
";
    let mut stage = Stage::new(yaml, 0, false);
    stage.give(Input::Resume).play(&mut |label, _| {
        if label.ends_with("/a") {
            failed(ErrorKind::Failed)
        } else {
            fine()
        }
    });
    let seen = [
        "work/controller/a failed",
        "work/controller/r changed",
        "work/controller/z changed",
    ];
    assert_eq!(
        stage.statuses(),
        seen,
        "rescue repairs the server, not the verdict"
    );
    assert_eq!(stage.state.outcome, Some(RunOutcome::Failed));

    let mut stage = Stage::new(yaml, 0, false);
    stage.give(Input::Resume).play(&mut |_, _| fine());
    let seen = [
        "work/controller/a changed",
        "work/controller/b changed",
        "work/controller/z changed",
    ];
    assert_eq!(stage.statuses(), seen);
}

#[test]
fn a_failed_canary_stops_the_rollout() {
    let yaml = "
targets: {selector: role=web}
jobs:
  work:
    strategy: {canary: env=staging, serial: [1, '100%'], max_fail_percentage: 0}
    steps: [{id: a, uses: change@v1}]
  after: {needs: [work], targets: controller, steps: [{id: x, uses: look@v1}]}
";
    let mut stage = Stage::new(yaml, 5, false);
    stage
        .give(Input::Resume)
        .play(&mut |_, _| failed(ErrorKind::Failed));
    assert_eq!(stage.statuses(), ["work/web-1/a failed"]);
    assert_eq!(stage.state.outcome, Some(RunOutcome::Failed));

    let mut stage = Stage::new(yaml, 5, false);
    let mut order = Vec::new();
    stage.give(Input::Resume).play(&mut |label, _| {
        order.push(label.to_owned());
        fine()
    });
    assert_eq!(
        order[..2],
        ["work/web-1/a", "work/web-2/a"],
        "canary, then one, then the rest"
    );
    assert_eq!(order.len(), 6);
    assert_eq!(stage.state.outcome, Some(RunOutcome::Succeeded));
}

#[test]
fn a_condition_that_is_false_skips() {
    let yaml = "
jobs:
  work:
    targets: controller
    steps: [{id: a, uses: look@v1}, {id: b, uses: change@v1, if: '${{ steps.a.value == 2 }}'}]
";
    let mut stage = Stage::new(yaml, 0, false);
    stage.give(Input::Resume).play(&mut |_, _| fine());
    assert_eq!(
        stage.statuses(),
        ["work/controller/a changed", "work/controller/b skipped"]
    );
    assert_eq!(stage.state.outcome, Some(RunOutcome::Succeeded));
}

#[test]
fn a_job_without_servers_is_skipped_and_is_no_failure() {
    let yaml = "
jobs:
  none: {targets: {selector: role=db}, steps: [{id: a, uses: change@v1}]}
  after: {needs: [none], targets: controller, steps: [{id: x, uses: look@v1}]}
";
    let mut stage = Stage::new(yaml, 2, false);
    stage.give(Input::Resume).play(&mut |_, _| fine());
    assert_eq!(stage.statuses(), ["after/controller/x changed"]);
    assert_eq!(stage.state.outcome, Some(RunOutcome::Succeeded));
}

#[test]
fn a_cancelled_run_begins_nothing_and_finishes_what_began() {
    let yaml = "
jobs:
  work:
    targets: controller
    steps: [{id: a, uses: change@v1}, {id: b, uses: change@v1}]
    always: [{id: z, uses: look@v1}]
";
    let mut stage = Stage::new(yaml, 0, false);
    stage.give(Input::Resume);
    stage.give(Input::CancelRequested {
        by: "ana".parse().unwrap(),
        reason: "enough".into(),
    });
    assert_eq!(stage.state.status(), RunStatus::Cancelling);
    assert!(stage.todo.contains(&Effect::AbortAttempts));
    stage.play(&mut |_, _| fine());
    let seen = [
        "work/controller/a changed",
        "work/controller/b cancelled",
        "work/controller/z changed",
    ];
    assert_eq!(stage.statuses(), seen);
    assert_eq!(stage.state.outcome, Some(RunOutcome::Cancelled));
}

#[test]
fn an_unknown_outcome_waits_for_a_person() {
    let yaml = "jobs: {work: {targets: controller, steps: [{id: a, uses: change@v1, retry: {attempts: 5, backoff: 1s}}]}}";
    let mut stage = Stage::new(yaml, 0, false);
    stage.give(Input::Resume).play(&mut |_, _| unknown());
    assert_eq!(stage.statuses(), ["work/controller/a unknown"]);
    assert_eq!(stage.state.status(), RunStatus::Waiting);
    stage.crash();
    assert!(stage.todo.is_empty(), "nothing is repeated: {:?}", stage.todo);

    let step = clawd_model::StepRef {
        job: 0,
        lane: 0,
        step: 0,
    };
    let by: clawd_model::PrincipalName = "ben".parse().unwrap();
    stage.give(Input::UnknownResolved {
        step,
        attempt: 1,
        by: by.clone(),
        outcome: None,
    });
    let mut tries = Vec::new();
    stage.play(&mut |_, attempt| {
        tries.push(attempt);
        unknown()
    });
    assert_eq!(tries, [2], "the next attempt follows only a person's word");
    let outcome = Some(Outcome::Succeeded {
        output: nothing(),
        changed: true,
    });
    let word = |attempt| Input::UnknownResolved {
        step,
        attempt,
        by: by.clone(),
        outcome: outcome.clone(),
    };
    let before = stage.journal.len();
    stage.give(word(1)).play(&mut |_, _| fine());
    assert_eq!(
        stage.journal.len(),
        before,
        "a word about the first attempt is none about the second"
    );
    stage.give(word(2)).play(&mut |_, _| fine());
    assert_eq!(stage.state.outcome, Some(RunOutcome::Succeeded));
}

#[test]
fn a_soak_holds_the_next_wave_back_and_survives_a_crash() {
    let yaml = "
targets: {selector: role=web}
jobs: {work: {strategy: {serial: [1, '100%'], soak: 10m}, steps: [{id: a, uses: change@v1}]}}
";
    let mut stage = Stage::new(yaml, 2, false);
    stage.give(Input::Resume);
    let Some(effect) = stage.take().pop() else {
        panic!("no attempt")
    };
    stage.perform(effect, &mut |_, _| fine());
    let until = stage.now.plus(clawd_model::DurationMs::from_secs(600));
    stage.crash();
    let [Effect::SetTimer { at, .. }] = stage.todo[..] else {
        panic!("{:?}", stage.todo)
    };
    assert_eq!(at, until, "the soak ends when it was to end");
    stage.play(&mut |_, _| fine());
    assert_eq!(stage.state.outcome, Some(RunOutcome::Succeeded));
}
