//! A hundred thousand steps: the cost of one event does not grow with the run.

use clawd_model::{RunOutcome, Verdict};

use super::approvals::vote;
use super::stage::{Stage, fine};
use crate::Input;

#[test]
fn two_thousand_waves_of_fifty_steps() {
    let mut yaml = String::from(
        "targets: {selector: role=web}\njobs:\n  work:\n    strategy: {serial: [1]}\n    steps:\n",
    );
    for step in 0..50 {
        yaml.push_str(&format!("      - {{id: s{step}, uses: look@v1}}\n"));
    }
    let mut stage = Stage::new(&yaml, 2000, false);
    stage.folds = false;
    stage.give(Input::Resume).play(&mut |_, _| fine());
    assert_eq!(stage.state.outcome, Some(RunOutcome::Succeeded));
    assert!(stage.journal.len() > 200_000);
    let folded = crate::fold(&stage.program, &stage.journal).unwrap();
    assert_eq!(folded, stage.state);
}

#[test]
fn twenty_thousand_lanes_wait_for_one_vote() {
    let yaml = "targets: {selector: role=web}\njobs: {work: {steps: [{id: a, uses: change@v1}]}}";
    let mut stage = Stage::new(yaml, 20_000, true);
    stage.folds = false;
    stage.gate.votes = 1;
    stage.give(Input::Resume).play(&mut |_, _| fine());
    let yes = vote(&stage, "ben", Verdict::Approve);
    stage.give(yes).play(&mut |_, _| fine());
    assert_eq!(stage.state.outcome, Some(RunOutcome::Succeeded));
}
