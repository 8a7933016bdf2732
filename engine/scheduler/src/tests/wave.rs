//! A wave that drifts as a whole: people are asked once, and what is written does not grow with its square.

use clawd_model::{Change, Event, RunOutcome, RunStatus, StepRef, Verdict};
use serde_json::json;

use super::approvals::{request, vote};
use super::stage::{Stage, change, fine};
use crate::{Effect, Input};

const LANES: u64 = 1000;

/// A run on so many servers, whose plan knew everything.
fn planned(yaml: &str, servers: u64) -> Stage {
    Stage::planned(yaml, servers, |step| {
        step.change = Some(change());
        step.input = Some(json!({}));
    })
}

fn count(stage: &Stage, is_one: impl Fn(&Event) -> bool) -> usize {
    stage
        .journal
        .iter()
        .filter(|recorded| is_one(&recorded.event))
        .count()
}

fn voids(stage: &Stage) -> usize {
    count(stage, |event| matches!(event, Event::ApprovalVoided { .. }))
}

fn requests(stage: &Stage) -> usize {
    count(stage, |event| matches!(event, Event::ApprovalRequested { .. }))
}

/// Answers all looks: every server is something else than before.
fn all_drift(stage: &mut Stage, to: &str) {
    let other = Change {
        basis: json!(to),
        ..change()
    };
    for effect in stage.take() {
        let Effect::Check { step, .. } = effect else {
            panic!("{effect:?}")
        };
        stage.give(Input::Checked {
            step,
            result: Ok((other.fingerprint(), "4 packages".to_owned())),
        });
    }
}

#[test]
fn a_thousand_servers_that_drift_are_one_request() {
    let yaml = "targets: {selector: role=web}\njobs: {work: {steps: [{id: a, uses: change@v1}]}}";
    let mut stage = planned(yaml, LANES);
    stage.folds = false;
    stage.gate.votes = 1;
    stage.give(Input::Resume);
    all_drift(&mut stage, "before the request");
    assert_eq!((requests(&stage), voids(&stage)), (1, 0));
    assert_eq!(stage.state.status(), RunStatus::Waiting);
    for round in 1..=3 {
        let yes = vote(&stage, "ben", Verdict::Approve);
        stage.give(yes);
        assert_eq!(stage.todo.len(), usize::try_from(LANES).unwrap());
        all_drift(&mut stage, &format!("round {round}"));
        assert_eq!((requests(&stage), voids(&stage)), (1 + round, round));
    }
    let subject = request(&stage).subject;
    assert!(subject.drifted.len() < 200, "what people read is bounded");
    let listed = u32::try_from(subject.drifted.len()).unwrap();
    assert_eq!(
        subject.more.as_ref().map(|more| more.steps + listed),
        Some(1000),
        "and says how many more there are"
    );
    let longest = stage
        .journal
        .iter()
        .map(|recorded| serde_json::to_string(&recorded.event).unwrap().len());
    assert!(longest.max().unwrap() < 300_000);
    let four_rounds = 4 * usize::try_from(LANES).unwrap();
    assert!(stage.journal.len() < 2 * four_rounds, "{}", stage.journal.len());
    // What was asked for last is applied.
    let yes = vote(&stage, "ben", Verdict::Approve);
    stage.give(yes);
    all_drift(&mut stage, "round 3");
    stage.play(&mut |_, _| fine());
    assert_eq!(stage.state.outcome, Some(RunOutcome::Succeeded));
    let folded = crate::fold(&stage.program, &stage.journal).unwrap();
    assert_eq!(folded, stage.state);
}

#[test]
fn what_is_not_listed_is_part_of_what_votes_bind_to() {
    let yaml = "targets: {selector: role=web}\njobs: {work: {steps: [{id: a, uses: change@v1}]}}";
    let digest = |last: &str| {
        let mut stage = planned(yaml, 150);
        stage.folds = false;
        stage.gate.votes = 1;
        stage.give(Input::Resume);
        let looks = stage.take();
        for (number, effect) in looks.into_iter().enumerate() {
            let Effect::Check { step, .. } = effect else {
                panic!()
            };
            let basis = if number == 149 { last } else { "drifted" };
            let seen = Change {
                basis: json!(basis),
                ..change()
            };
            stage.give(Input::Checked {
                step,
                result: Ok((seen.fingerprint(), String::new())),
            });
        }
        request(&stage).subject.digest()
    };
    assert_eq!(digest("drifted"), digest("drifted"));
    assert_ne!(digest("drifted"), digest("otherwise"));
}

#[test]
fn a_request_waits_for_the_looks_of_now_and_for_no_later_ones() {
    let yaml = "
targets: {selector: role=web}
jobs: {work: {steps: [{id: a, uses: change@v1}, {id: b, uses: change@v1}]}}
";
    let mut stage = planned(yaml, 3);
    // The first server asks for no votes.
    stage.gate.more = Some(|step| usize::from(step.lane > 0));
    stage.give(Input::Resume);
    let drifts = |lane| Input::Checked {
        step: StepRef {
            job: 0,
            lane,
            step: 0,
        },
        result: Ok((clawd_model::Digest::of(b"other"), "4 packages".to_owned())),
    };
    stage.take();
    stage.give(drifts(1));
    assert_eq!(requests(&stage), 0, "two servers are being looked at");
    stage.give(drifts(0));
    stage.play(&mut |_, _| fine());
    assert_eq!(requests(&stage), 0);
    assert_eq!(
        stage.statuses().len(),
        3,
        "the first server goes its way: {:?}",
        stage.statuses()
    );
    stage.give(drifts(2));
    assert_eq!(requests(&stage), 1);
    assert_eq!(request(&stage).subject.drifted.len(), 3);
    // A crash forgets what is being looked at, and nobody waits for ever.
    let yes = vote(&stage, "ben", Verdict::Approve);
    stage.give(yes);
    stage.take();
    stage.give(Input::Checked {
        step: StepRef {
            job: 0,
            lane: 1,
            step: 0,
        },
        result: Ok((clawd_model::Digest::of(b"yet another"), "5 packages".to_owned())),
    });
    assert_eq!((requests(&stage), voids(&stage)), (1, 1));
    stage.crash();
    assert_eq!((requests(&stage), voids(&stage)), (2, 1));
}
