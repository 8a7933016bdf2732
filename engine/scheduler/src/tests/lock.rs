//! Locks: one run at a time.

use clawd_model::{Event, RunOutcome, RunStatus};

use super::stage::{Stage, fine};
use crate::{Effect, Input, JobPhase, LockState};

const LOCKED: &str = "
inputs: {env: {type: string, default: prod}}
targets: {selector: role=web}
lock: env/${{ inputs.env }}
jobs: {work: {steps: [{id: a, uses: change@v1}]}}
";

fn queued() -> Stage {
    let mut stage = Stage::with_inputs(LOCKED, 1, serde_json::json!({"env": "prod"}));
    stage.give(Input::Resume);
    stage
}

#[test]
fn no_job_begins_before_the_lock_is_held() {
    let mut stage = queued();
    assert_eq!(stage.state.lock, LockState::Waiting("env/prod".into()));
    assert_eq!(stage.state.status(), RunStatus::Queued);
    assert_eq!(stage.take(), [Effect::AskLock]);
    for _ in 0..2 {
        stage.give(Input::LockAnswered { is_first: false });
        stage.give(Input::RulesChanged);
        assert!(stage.todo.is_empty(), "{:?}", stage.todo);
        assert_eq!(stage.state.jobs[0].phase, JobPhase::Pending);
        stage.give(Input::LockFreed);
        assert_eq!(stage.take(), [Effect::AskLock]);
    }
    stage.give(Input::LockAnswered { is_first: true });
    assert_eq!(stage.state.lock, LockState::Held("env/prod".into()));
    assert_eq!(stage.state.status(), RunStatus::Running);
    // A second answer, and news of other runs, are about nothing any more.
    let before = stage.journal.len();
    stage.give(Input::LockAnswered { is_first: true });
    stage.give(Input::LockFreed);
    assert_eq!(stage.journal.len(), before);
    stage.play(&mut |_, _| fine());
    assert_eq!(stage.state.outcome, Some(RunOutcome::Succeeded));
}

#[test]
fn a_crash_forgets_neither_the_place_nor_the_lock() {
    let mut stage = queued();
    stage.crash();
    assert_eq!(stage.take(), [Effect::AskLock], "it still waits, and asks anew");
    stage.give(Input::LockAnswered { is_first: true });
    stage.crash();
    assert_eq!(stage.state.lock, LockState::Held("env/prod".into()));
    stage.play(&mut |_, _| fine());
    let requested = |event: &Event| matches!(event, Event::LockRequested { .. });
    let times = stage.journal.iter().filter(|recorded| requested(&recorded.event));
    assert_eq!(times.count(), 1);
    assert_eq!(stage.state.outcome, Some(RunOutcome::Succeeded));
}

#[test]
fn a_run_that_waits_can_be_cancelled() {
    let mut stage = queued();
    stage.give(Input::CancelRequested {
        by: "ana".parse().unwrap(),
        reason: String::new(),
    });
    assert_eq!(stage.state.outcome, Some(RunOutcome::Cancelled));
    let started = |event: &Event| matches!(event, Event::WaveStarted { .. } | Event::LockTaken { .. });
    assert!(!stage.journal.iter().any(|recorded| started(&recorded.event)));
}

#[test]
fn a_lock_that_has_no_name_fails_the_run_before_anything_begins() {
    for value in ["", "a b", "a//b", &"x".repeat(300)] {
        let mut stage = Stage::with_inputs(LOCKED, 1, serde_json::json!({"env": value}));
        stage.give(Input::Resume);
        assert_eq!(stage.state.outcome, Some(RunOutcome::Failed), "{value}");
        assert!(stage.journal.iter().any(|recorded| matches!(
            &recorded.event,
            Event::JobSkipped { reason, failed: true, .. } if reason.contains("lock")
        )));
    }
}
