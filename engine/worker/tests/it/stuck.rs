//! Runs that cannot be taken up at once, or not at all.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use clawd_model::{ApprovalStatus, Clock, Event, FixedClock, RunOutcome, RunStatus, Timestamp};
use clawd_provider::Registry;
use clawd_worker::{Deps, Worker};

use crate::fixture::Fixture;
use crate::world::Hold;

const TWO_STEPS: &str =
    "jobs: {work: {targets: controller, steps: [{id: a, uses: reattach@v1}, {id: b, uses: once@v1}]}}";

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_could_not_be_read_at_the_start_is_taken_up_later() {
    let fixture = Fixture::new().await;
    let first = fixture.mortal("node-a").await;
    fixture.world.hold(Hold::BeforeTheEffect);
    let new = fixture.run_of(TWO_STEPS).await;
    let run = new.run;
    first.admit(new).await.unwrap();
    fixture.world.stopped(1).await;
    first.kill().await;
    fixture.world.hold(Hold::Nowhere);
    fixture.sql("ALTER TABLE plans RENAME TO gone").await;
    let second = fixture.worker().await;
    assert_eq!(second.active_runs(), 1);
    fixture.sql("ALTER TABLE gone RENAME TO plans").await;
    second.join(run).await;
    assert_eq!(fixture.row(run).await.status, RunStatus::Succeeded);
    fixture.nothing_twice();
}

/// A clock that breaks once, when it is told to.
struct Fragile {
    clock: Arc<FixedClock>,
    breaks: AtomicBool,
}

impl Clock for Fragile {
    fn now(&self) -> Timestamp {
        assert!(!self.breaks.swap(false, Ordering::SeqCst), "as the test wants");
        self.clock.now()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_turn_that_panics_is_followed_by_one_that_does_not() {
    let fixture = Fixture::new().await;
    let clock = Arc::new(Fragile {
        clock: fixture.clock.clone(),
        breaks: AtomicBool::new(false),
    });
    let deps = Deps {
        clock: clock.clone(),
        ..fixture.deps("node-a")
    };
    let worker = Worker::start(deps).await.unwrap();
    fixture.world.hold(Hold::AfterTheEffect);
    let new = fixture.run_of(TWO_STEPS).await;
    let run = new.run;
    worker.admit(new).await.unwrap();
    fixture.world.stopped(1).await;
    // The next turn is the one that is told the outcome: it is not lost.
    clock.breaks.store(true, Ordering::SeqCst);
    fixture.world.hold(Hold::Nowhere);
    worker.join(run).await;
    assert!(!clock.breaks.load(Ordering::SeqCst), "it broke");
    assert_eq!(fixture.row(run).await.status, RunStatus::Succeeded);
    assert_eq!(fixture.world.calls().len(), 2);
    fixture.nothing_twice();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_this_version_cannot_load_stays_and_can_be_cancelled() {
    let fixture = Fixture::new().await;
    fixture.servers(1, "prod").await;
    let first = fixture.mortal("node-a").await;
    let new = fixture
        .run_of("targets: {selector: role=web}\njobs: {work: {steps: [{id: a, uses: reattach@v1}]}}")
        .await;
    let run = new.run;
    first.admit(new).await.unwrap();
    fixture.until_status(run, RunStatus::Waiting).await;
    first.kill().await;
    // Another version, which does not know the operation.
    let deps = Deps {
        registry: Arc::new(Registry::default()),
        ..fixture.deps("node-a")
    };
    let second = Worker::start(deps).await.unwrap();
    assert_eq!(second.active_runs(), 1, "it is not forgotten");
    fixture.cancel(run).await;
    second.join(run).await;
    assert_eq!(fixture.row(run).await.status, RunStatus::Cancelled);
    let journal = fixture.journal(run).await;
    let Some(Event::RunFinished {
        outcome: RunOutcome::Cancelled,
        error: Some(error),
    }) = journal.last()
    else {
        panic!("{journal:?}");
    };
    assert!(error.message.contains("not valid"), "{error:?}");
    assert_eq!(fixture.approvals(run).await[0].status, ApprovalStatus::Closed);
    let audit = fixture.audit().await;
    let end = audit.iter().find(|record| record.kind == "run.finished").unwrap();
    assert!(
        end.data["not_loaded"].as_str().unwrap().contains("not valid"),
        "{end:?}"
    );
    // Whoever knows the operation reads the same.
    let third = fixture.worker().await;
    assert_eq!(third.active_runs(), 0);
}
