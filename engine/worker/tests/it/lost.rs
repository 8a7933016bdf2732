//! What was under way when a run was cancelled or the process was told to stop.

use clawd_model::{Event, Outcome, RunStatus};

use crate::fixture::Fixture;
use crate::world::Hold;

#[tokio::test(flavor = "multi_thread")]
async fn attempts_that_still_queue_are_not_called_in_a_cancelled_run() {
    let fixture = Fixture::new().await;
    fixture.servers(70, "dev").await;
    let worker = fixture.worker().await;
    fixture.world.hold(Hold::BeforeTheEffect);
    let new = fixture
        .run_of("targets: {selector: role=web}\njobs: {work: {steps: [{id: a, uses: once@v1}]}}")
        .await;
    let run = new.run;
    worker.admit(new).await.unwrap();
    fixture.world.stopped(64).await;
    let begun = |journal: &[Event]| {
        journal
            .iter()
            .filter(|event| matches!(event, Event::AttemptStarted { .. }))
            .count()
    };
    fixture.until(run, |_, journal| begun(journal) >= 64).await;
    fixture.cancel(run).await;
    fixture.world.told(64).await;
    fixture.world.hold(Hold::Nowhere);
    worker.join(run).await;
    assert_eq!(fixture.row(run).await.status, RunStatus::Cancelled);
    assert_eq!(
        fixture.world.calls().len(),
        64,
        "the rest was not called any more"
    );
    let journal = fixture.journal(run).await;
    let ended = journal
        .iter()
        .filter(|event| matches!(event, Event::AttemptFinished { .. }));
    assert_eq!(ended.count(), begun(&journal), "every intent has an outcome");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_stops_leaves_what_is_under_way_to_the_next() {
    let fixture = Fixture::new().await;
    let first = fixture.worker().await;
    fixture.world.hold(Hold::BeforeTheEffect);
    let new = fixture
        .run_of("jobs: {work: {targets: controller, steps: [{id: a, uses: idempotent@v1}]}}")
        .await;
    let run = new.run;
    first.admit(new).await.unwrap();
    fixture.world.stopped(1).await;
    first.shutdown().await;
    assert_eq!(fixture.row(run).await.status, RunStatus::Running);
    let refused = first.admit(
        fixture
            .run_of("jobs: {work: {targets: controller, steps: [{uses: look@v1}]}}")
            .await,
    );
    assert!(refused.await.is_err());
    let second = fixture.worker().await;
    fixture.world.hold(Hold::Nowhere);
    second.join(run).await;
    let journal = fixture.journal(run).await;
    let fine = |event: &&Event| {
        matches!(
            event,
            Event::AttemptFinished {
                outcome: Outcome::Succeeded { .. },
                ..
            }
        )
    };
    assert_eq!(journal.iter().filter(fine).count(), 1);
    fixture.nothing_twice();
}

// On one thread, so that the outcome is in the mailbox before the run is told to stop.
#[tokio::test]
async fn an_outcome_that_is_known_when_the_process_stops_is_kept() {
    let fixture = Fixture::new().await;
    let first = fixture.worker().await;
    fixture.world.hold(Hold::AfterTheEffect);
    let yaml = "jobs: {work: {targets: controller, steps: [{id: a, uses: once@v1}, {id: b, uses: once@v1}]}}";
    let new = fixture.run_of(yaml).await;
    let run = new.run;
    first.admit(new).await.unwrap();
    fixture.world.stopped(1).await;
    fixture.world.hold(Hold::Nowhere);
    first.shutdown().await;
    let journal = fixture.journal(run).await;
    assert!(
        matches!(
            journal.last(),
            Some(Event::AttemptFinished {
                outcome: Outcome::Succeeded { .. },
                ..
            })
        ),
        "what is known is stored, and nothing is begun: {journal:?}"
    );
    let second = fixture.worker().await;
    second.join(run).await;
    assert_eq!(fixture.row(run).await.status, RunStatus::Succeeded);
    assert_eq!(fixture.world.calls().len(), 2);
}
