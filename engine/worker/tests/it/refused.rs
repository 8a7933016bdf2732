//! Commits that the database refuses: nothing that was not stored is performed, and nothing that is known is lost.

use clawd_model::{Event, Outcome, RunStatus};
use clawd_worker::AdmitError;

use crate::ears;
use crate::fixture::Fixture;
use crate::world::Hold;

const REFUSE: &str =
    "CREATE TRIGGER refuse BEFORE INSERT ON journal BEGIN SELECT RAISE(FAIL, 'refused'); END";
const ALLOW: &str = "DROP TRIGGER refuse";
/// A plan that cannot be read back, and one that can.
const BREAK: &str = "UPDATE plans SET body = 'x' || body";
const MEND: &str = "UPDATE plans SET body = substr(body, 2)";

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_cannot_be_stored_is_not_begun() {
    let fixture = Fixture::new().await;
    let worker = fixture.worker().await;
    fixture.sql(REFUSE).await;
    let new = fixture
        .run_of("jobs: {work: {targets: controller, steps: [{uses: once@v1}]}}")
        .await;
    let run = new.run;
    assert!(matches!(
        worker.admit(new.clone()).await,
        Err(AdmitError::Store(_))
    ));
    assert_eq!(worker.active_runs(), 0);
    assert!(fixture.world.calls().is_empty());
    fixture.sql(ALLOW).await;
    assert!(fixture.demo().run(run).await.unwrap().is_none());
    worker.admit(new).await.unwrap();
    worker.join(run).await;
    assert_eq!(fixture.row(run).await.status, RunStatus::Succeeded);
    fixture.nothing_twice();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outcome_that_could_not_be_stored_is_stored_later_and_asked_for_by_nobody() {
    let fixture = Fixture::new().await;
    let worker = fixture.worker().await;
    fixture.world.hold(Hold::AfterTheEffect);
    let new = fixture
        .run_of(
            "jobs: {work: {targets: controller, steps: [{id: a, uses: once@v1}, {id: b, uses: once@v1}]}}",
        )
        .await;
    let run = new.run;
    worker.admit(new).await.unwrap();
    fixture.world.stopped(1).await;
    fixture.sql(REFUSE).await;
    // The run cannot even be read back for a while: nothing may be decided from what was not stored.
    fixture.sql(BREAK).await;
    let mut deaf = ears::listen();
    fixture.world.hold(Hold::Nowhere);
    deaf.wait_for(|times| *times > 0).await.unwrap();
    assert_eq!(
        fixture.world.calls().len(),
        1,
        "the intent of the second step was not stored"
    );
    fixture.sql(MEND).await;
    fixture.sql(ALLOW).await;
    worker.join(run).await;
    assert_eq!(fixture.row(run).await.status, RunStatus::Succeeded);
    assert_eq!(fixture.world.calls().len(), 2);
    fixture.nothing_twice();
    let journal = fixture.journal(run).await;
    let unknown = |event: &Event| {
        matches!(
            event,
            Event::AttemptFinished {
                outcome: Outcome::Unknown { .. },
                ..
            }
        )
    };
    assert!(!journal.iter().any(unknown), "it was known: {journal:?}");
}

/// Outcomes of this kind are never written: the commit misses rows, whenever it is tried.
const LOSE: &str =
    "CREATE TRIGGER lose BEFORE INSERT ON journal WHEN NEW.event LIKE '%attempt_finished%succeeded%'
    BEGIN SELECT RAISE(IGNORE); END";

#[tokio::test(flavor = "multi_thread")]
async fn a_run_whose_turns_can_never_be_stored_ends_and_says_why() {
    let fixture = Fixture::new().await;
    let worker = fixture.worker().await;
    fixture.sql(LOSE).await;
    let new = fixture
        .run_of(
            "jobs: {work: {targets: controller, steps: [{id: a, uses: once@v1}, {id: b, uses: once@v1}]}}",
        )
        .await;
    let run = new.run;
    worker.admit(new).await.unwrap();
    worker.join(run).await;
    assert_eq!(fixture.row(run).await.status, RunStatus::Failed);
    let journal = fixture.journal(run).await;
    let Some(Event::RunFinished {
        error: Some(error), ..
    }) = journal.last()
    else {
        panic!("{journal:?}")
    };
    assert!(error.message.contains("journal"), "{error:?}");
    assert!(journal.iter().any(|event| matches!(
        event,
        Event::AttemptFinished {
            outcome: Outcome::Unknown { .. },
            ..
        }
    )));
    assert_eq!(
        fixture.world.calls().len(),
        1,
        "nothing follows what is not stored"
    );
    let audit = fixture.audit().await;
    let finished = audit.iter().find(|record| record.kind == "run.finished").unwrap();
    assert!(finished.data["error"]["message"].is_string());
    assert_eq!(worker.active_runs(), 0);
}
