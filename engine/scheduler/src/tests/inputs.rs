//! Inputs that nobody knew when the plan was made: what votes on them are for.

use clawd_model::{ApprovalStatus, ErrorKind, Event, RunOutcome, Verdict, WillRun};
use serde_json::json;

use super::approvals::{request, vote};
use super::stage::{Stage, failed, fine};
use crate::{Effect, Input};

/// A run in which what `b` is given depends on what `a` finds.
fn depends(operation: &str, servers: u64) -> Stage {
    let yaml = format!(
        "
targets: {{selector: role=web}}
jobs:
  work:
    steps:
      - {{id: a, uses: look@v1}}
      - {{id: b, uses: {operation}, with: {{value: '${{{{ steps.a.value }}}}'}}, retry: {{attempts: 2, backoff: 1s}}}}
"
    );
    let mut stage = Stage::planned(&yaml, servers, |step| {
        if step.step.as_str() == "b" {
            step.will_run = WillRun::Depends {
                on: "steps.a.value".into(),
            };
        }
    });
    stage.gate.votes = 1;
    stage.give(Input::Resume);
    stage
}

/// The looks of all lanes are over, in order.
fn looked(stage: &mut Stage) {
    for effect in stage.take() {
        assert!(matches!(effect, Effect::StartAttempt { .. }), "{effect:?}");
        stage.perform(effect, &mut |_, _| fine());
    }
}

#[test]
fn a_request_names_and_shows_the_input_that_it_is_about() {
    for operation in ["change@v1", "shell@v1"] {
        let mut stage = depends(operation, 1);
        looked(&mut stage);
        let subject = request(&stage).subject;
        assert_eq!(subject.inputs.len(), 1, "{operation}");
        assert_eq!(subject.inputs[0].step, "work/web-1/b");
        assert_eq!(subject.inputs[0].input, Some(json!({"value": 1})));
        let mut other = subject.clone();
        other.inputs[0].digest = clawd_model::Digest::of(b"another input");
        assert_ne!(other.digest(), subject.digest(), "votes are for this input");
        stage.crash();
        let yes = vote(&stage, "ben", Verdict::Approve);
        stage.give(yes).play(&mut |_, _| fine());
        assert_eq!(stage.state.outcome, Some(RunOutcome::Succeeded));
    }
}

#[test]
fn an_input_as_planned_is_named_by_the_plan() {
    let yaml =
        "targets: {selector: role=web}\njobs: {work: {steps: [{id: b, uses: shell@v1, with: {value: 1}}]}}";
    let mut stage = Stage::planned(yaml, 1, |step| step.input = Some(json!({"value": 1})));
    stage.gate.votes = 1;
    stage.give(Input::Resume);
    assert!(request(&stage).subject.inputs.is_empty());
    let yes = vote(&stage, "ben", Verdict::Approve);
    stage.give(yes).play(&mut |_, _| fine());
    assert_eq!(stage.state.outcome, Some(RunOutcome::Succeeded));
}

/// Lane 1 asks, and is voted for; then lane 2 comes to the same step. Gives the requests of the run.
fn one_after_the_other(operation: &str) -> Stage {
    let mut stage = depends(operation, 2);
    let mut looks = stage.take();
    let second = looks.pop().unwrap();
    let first = looks.pop().unwrap();
    stage.perform(first, &mut |_, _| fine());
    let yes = vote(&stage, "ben", Verdict::Approve);
    stage.give(yes);
    stage.perform(second, &mut |_, _| fine());
    stage
}

#[test]
fn votes_cast_before_an_input_was_known_cover_it_unless_it_is_of_high_risk() {
    let mut stage = one_after_the_other("change@v1");
    stage.play(&mut |_, _| fine());
    assert_eq!(stage.state.outcome, Some(RunOutcome::Succeeded));
    assert_eq!(stage.state.approvals.len(), 1);

    let mut stage = one_after_the_other("shell@v1");
    stage.play(&mut |_, _| fine());
    assert_eq!(
        stage.statuses(),
        [
            "work/web-1/a changed",
            "work/web-1/b changed",
            "work/web-2/a changed",
            "work/web-2/b waiting for votes"
        ]
    );
    let void = |approval: &&clawd_model::Approval| approval.status == ApprovalStatus::Void;
    assert_eq!(stage.state.approvals.values().filter(void).count(), 1);
    let subject = request(&stage).subject;
    assert_eq!(subject.inputs.len(), 1);
    assert_eq!(subject.inputs[0].step, "work/web-2/b");
    let yes = vote(&stage, "ben", Verdict::Approve);
    stage.give(yes).play(&mut |_, _| fine());
    assert_eq!(stage.state.outcome, Some(RunOutcome::Succeeded));
}

#[test]
fn lanes_that_stand_at_the_same_point_are_asked_for_together() {
    let yaml = "
targets: {selector: role=web}
jobs:
  first: {steps: [{id: a, uses: look@v1}]}
  work:
    needs: [first]
    steps: [{id: b, uses: shell@v1, with: {value: '${{ jobs.first.a.value }}'}}]
";
    let mut stage = Stage::new(yaml, 5, false);
    stage.gate.votes = 1;
    stage.give(Input::Resume).play(&mut |_, _| fine());
    assert_eq!(request(&stage).subject.inputs.len(), 5);
    let yes = vote(&stage, "ben", Verdict::Approve);
    stage.give(yes).play(&mut |_, _| fine());
    assert_eq!(stage.state.outcome, Some(RunOutcome::Succeeded));
    assert_eq!(stage.state.approvals.len(), 1);
}

#[test]
fn a_retry_of_what_was_voted_for_is_not_asked_for_again() {
    let mut stage = depends("shell@v1", 1);
    looked(&mut stage);
    let yes = vote(&stage, "ben", Verdict::Approve);
    stage.give(yes).play(&mut |_, attempt| match attempt {
        1 => failed(ErrorKind::Connection),
        _ => fine(),
    });
    assert_eq!(stage.state.outcome, Some(RunOutcome::Succeeded));
    assert_eq!(stage.state.approvals.len(), 1);
}

#[test]
fn where_no_votes_are_needed_nothing_is_asked() {
    let mut stage = depends("shell@v1", 2);
    stage.gate.votes = 0;
    stage.play(&mut |_, _| fine());
    assert_eq!(stage.state.outcome, Some(RunOutcome::Succeeded));
    let seen = |event: &Event| matches!(event, Event::InputSeen { .. });
    assert!(!stage.journal.iter().any(|recorded| seen(&recorded.event)));
}
