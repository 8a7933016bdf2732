//! The process dies in the middle of an attempt, in every recovery mode.

use clawd_model::{Event, Outcome, RunStatus, StepRef};
use clawd_store::Message;

use crate::fixture::{Fixture, read};
use crate::world::Hold;

const STEP: StepRef = StepRef {
    job: 0,
    lane: 0,
    step: 0,
};

fn three_steps(uses: &str) -> String {
    format!(
        "jobs:\n  work:\n    targets: controller\n    steps:\n      - {{id: a, uses: {uses}, with: {{value: a}}}}\n      - {{id: b, uses: look@v1, with: {{value: b}}}}\n      - {{id: c, uses: {uses}, with: {{value: c}}}}\n"
    )
}

/// Kills a worker whose first attempt stands there, and starts another one.
async fn killed(fixture: &Fixture, uses: &str, hold: Hold) -> (clawd_model::RunId, clawd_worker::Worker) {
    let first = fixture.mortal("node-a").await;
    fixture.world.hold(hold);
    let new = fixture.run_of(&three_steps(uses)).await;
    let run = new.run;
    first.admit(new).await.unwrap();
    fixture.world.stopped(1).await;
    first.kill().await;
    fixture.world.hold(Hold::Nowhere);
    (run, fixture.worker().await)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_attempt_that_was_cut_off_takes_effect_once() {
    for uses in ["idempotent@v1", "reconcile@v1", "reattach@v1"] {
        for hold in [Hold::BeforeTheEffect, Hold::AfterTheEffect] {
            let fixture = Fixture::new().await;
            let (run, second) = killed(&fixture, uses, hold).await;
            second.join(run).await;
            assert_eq!(
                fixture.row(run).await.status,
                RunStatus::Succeeded,
                "{uses} {hold:?}"
            );
            assert_eq!(fixture.world.effects().len(), 3, "{uses} {hold:?}");
            fixture.nothing_twice();
            let journal = fixture.journal(run).await;
            let intents = journal
                .iter()
                .filter(|event| matches!(event, Event::AttemptStarted { .. }));
            assert_eq!(intents.count(), 3, "one intent a step: {uses} {hold:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_may_be_done_once_at_most_is_never_called_again_and_a_person_decides() {
    for (hold, happened) in [(Hold::BeforeTheEffect, false), (Hold::AfterTheEffect, true)] {
        let fixture = Fixture::new().await;
        let (run, second) = killed(&fixture, "once@v1", hold).await;
        fixture.until_status(run, RunStatus::Waiting).await;
        assert_eq!(fixture.world.calls(), ["\"a\""], "called once");
        let outcome = happened.then(|| Outcome::Succeeded {
            output: serde_json::json!({}),
            changed: true,
        });
        let resolved = Message::Resolve {
            step: STEP,
            attempt: 1,
            outcome,
            by: read("ben"),
        };
        fixture.demo().post(&resolved, run, &[]).await.unwrap();
        second.join(run).await;
        assert_eq!(fixture.row(run).await.status, RunStatus::Succeeded);
        fixture.nothing_twice();
        assert_eq!(fixture.world.effects().len(), 3, "{hold:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_only_looks_looks_again() {
    let fixture = Fixture::new().await;
    let (run, second) = killed(&fixture, "peek@v1", Hold::BeforeTheEffect).await;
    second.join(run).await;
    assert_eq!(fixture.row(run).await.status, RunStatus::Succeeded);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_attempt_whose_server_is_gone_is_not_said_to_have_failed() {
    let fixture = Fixture::new().await;
    fixture.servers(1, "dev").await;
    let first = fixture.mortal("node-a").await;
    fixture.world.hold(Hold::AfterTheEffect);
    let yaml = "targets: {selector: role=web}\njobs: {work: {steps: [{id: a, uses: reattach@v1, retry: {attempts: 3, errors: [invalid-input]}}]}}";
    let new = fixture.run_of(yaml).await;
    let run = new.run;
    first.admit(new).await.unwrap();
    fixture.world.stopped(1).await;
    first.kill().await;
    fixture.world.hold(Hold::Nowhere);
    let server = fixture.demo().servers().await.unwrap().remove(0);
    fixture.demo().remove_server(server.id, &[]).await.unwrap();
    let _second = fixture.worker().await;
    fixture.until_status(run, RunStatus::Waiting).await;
    let journal = fixture.journal(run).await;
    assert!(
        matches!(
            journal.last(),
            Some(Event::AttemptFinished {
                outcome: Outcome::Unknown { .. },
                ..
            })
        ),
        "{journal:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn always_is_not_told_to_stop_by_the_cancel_that_it_follows() {
    let fixture = Fixture::new().await;
    let yaml = "
jobs:
  work:
    targets: controller
    steps: [{id: a, uses: reattach@v1, with: {value: a}}]
    always: [{id: z, uses: reattach@v1, with: {value: if cancelled}}]
";
    let first = fixture.mortal("node-a").await;
    fixture.world.hold(Hold::BeforeTheEffect);
    let new = fixture.run_of(yaml).await;
    let run = new.run;
    first.admit(new).await.unwrap();
    fixture.world.stopped(1).await;
    fixture.cancel(run).await;
    fixture.until_status(run, RunStatus::Cancelling).await;
    fixture.world.hold(Hold::BeforeTheEffect);
    fixture.world.stopped(2).await;
    first.kill().await;
    fixture.world.hold(Hold::Nowhere);
    let second = fixture.worker().await;
    second.join(run).await;
    assert_eq!(fixture.row(run).await.status, RunStatus::Cancelled);
    let journal = fixture.journal(run).await;
    let cleaned = journal.iter().any(|event| {
        matches!(
            event,
            Event::AttemptFinished {
                step: StepRef { step: 1, .. },
                outcome: Outcome::Succeeded { .. },
                ..
            }
        )
    });
    assert!(cleaned, "{journal:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_dies_at_any_commit_is_followed_by_one_that_finishes_the_run() {
    for uses in ["idempotent@v1", "reconcile@v1", "reattach@v1"] {
        // Three steps take four commits.
        for commit in 1..=4 {
            let fixture = Fixture::new().await;
            let new = fixture.run_of(&three_steps(uses)).await;
            let run = new.run;
            let first = fixture.mortal("node-a").await;
            first.dies_at(&fixture, commit, new).await;
            let second = fixture.worker().await;
            second.join(run).await;
            let told = format!("{uses}, commit {commit}");
            assert_eq!(fixture.row(run).await.status, RunStatus::Succeeded, "{told}");
            assert_eq!(fixture.world.effects().len(), 3, "{told}");
            fixture.nothing_twice();
            let journal = fixture.journal(run).await;
            let intents = journal
                .iter()
                .filter(|event| matches!(event, Event::AttemptStarted { .. }));
            assert_eq!(intents.count(), 3, "one intent a step: {told}");
        }
    }
}
