//! What is known to have happened is said to have happened; what is not known is not done a second time.

use std::time::Duration;

use clawd_model::{ErrorKind, Event, Outcome, RunStatus};

use crate::fixture::Fixture;
use crate::world::Hold;

/// The outcomes of all attempts, in order.
fn outcomes(journal: &[Event]) -> Vec<&Outcome> {
    journal
        .iter()
        .filter_map(|event| match event {
            Event::AttemptFinished { outcome, .. } => Some(outcome),
            _ => None,
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_took_place_before_the_cancel_is_verified_and_recorded() {
    let fixture = Fixture::new().await;
    let worker = fixture.worker().await;
    fixture.world.hold(Hold::AfterTheEffect);
    let new = fixture
        .run_of("jobs: {work: {targets: controller, steps: [{id: a, uses: reattach@v1}]}}")
        .await;
    let run = new.run;
    worker.admit(new).await.unwrap();
    fixture.world.stopped(1).await;
    fixture.cancel(run).await;
    fixture.world.told(1).await;
    fixture.world.hold(Hold::Nowhere);
    worker.join(run).await;
    assert_eq!(fixture.row(run).await.status, RunStatus::Cancelled);
    let journal = fixture.journal(run).await;
    assert!(
        matches!(outcomes(&journal)[..], [Outcome::Succeeded { .. }]),
        "{journal:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_answer_of_an_idempotent_operation_is_asked_for_within_the_attempt() {
    let fixture = Fixture::new().await;
    let worker = fixture.worker().await;
    let yaml = "jobs: {work: {targets: controller, steps: [{uses: again@v1, with: {value: lost once}, retry: {attempts: 3}}]}}";
    let new = fixture.run_of(yaml).await;
    let run = new.run;
    worker.admit(new).await.unwrap();
    worker.join(run).await;
    assert_eq!(fixture.row(run).await.status, RunStatus::Succeeded);
    assert_eq!(fixture.world.calls().len(), 2);
    assert_eq!(fixture.world.effects().len(), 1, "under one attempt id");
    fixture.nothing_twice();
    let journal = fixture.journal(run).await;
    assert!(
        matches!(outcomes(&journal)[..], [Outcome::Succeeded { .. }]),
        "{journal:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_that_says_too_much_is_not_made_twice() {
    let fixture = Fixture::new().await;
    let worker = fixture.worker().await;
    let yaml = "jobs: {work: {targets: controller, steps: [{uses: once@v1, with: {value: much}, retry: {attempts: 3, errors: [failed, internal]}}]}}";
    let new = fixture.run_of(yaml).await;
    let run = new.run;
    worker.admit(new).await.unwrap();
    worker.join(run).await;
    assert_eq!(fixture.row(run).await.status, RunStatus::Succeeded);
    assert_eq!(fixture.world.calls().len(), 1);
}

#[tokio::test]
async fn a_change_that_gives_no_answer_within_its_steps_timeout_is_unknown() {
    let fixture = Fixture::new().await;
    let worker = fixture.worker().await;
    fixture.world.hold(Hold::BeforeTheEffect);
    let yaml = "jobs: {work: {targets: controller, steps: [{uses: once@v1, timeout: 2s, retry: {attempts: 3, errors: [timeout]}}]}}";
    let new = fixture.run_of(yaml).await;
    let run = new.run;
    worker.admit(new).await.unwrap();
    fixture.world.stopped(1).await;
    // Far less than the hour of the operation itself; the step's own time, and the grace.
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(33)).await;
    tokio::time::resume();
    fixture.until_status(run, RunStatus::Waiting).await;
    let journal = fixture.journal(run).await;
    assert!(
        matches!(outcomes(&journal)[..], [Outcome::Unknown { error }] if error.kind == ErrorKind::Timeout),
        "{journal:?}"
    );
    assert_eq!(fixture.world.calls().len(), 1);
}
