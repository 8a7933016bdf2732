//! Two workers on one store: the one with the older epoch can write nothing.

use clawd_model::{Event, RunStatus};
use clawd_worker::Worker;

use crate::fixture::Fixture;
use crate::world::Hold;

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_lost_its_leases_writes_nothing_and_lets_go() {
    let fixture = Fixture::new().await;
    let first = fixture.worker().await;
    fixture.world.hold(Hold::AfterTheEffect);
    let new = fixture
        .run_of("jobs: {work: {targets: controller, steps: [{id: a, uses: reattach@v1}, {id: b, uses: reattach@v1}]}}")
        .await;
    let run = new.run;
    first.admit(new).await.unwrap();
    fixture.world.stopped(1).await;
    // The other one finds the effect, and goes on to the next step, where it stops too.
    let second = Worker::start(fixture.deps("node-b")).await.unwrap();
    fixture.world.stopped(2).await;
    let before = fixture.journal(run).await;
    fixture.world.hold(Hold::Nowhere);
    first.join(run).await;
    assert_eq!(first.active_runs(), 0, "the first has let go");
    second.join(run).await;
    assert_eq!(fixture.row(run).await.status, RunStatus::Succeeded);
    assert_eq!(fixture.world.effects().len(), 2);
    fixture.nothing_twice();
    let journal = fixture.journal(run).await;
    assert_eq!(journal[..before.len()], before[..]);
    let outcomes = journal
        .iter()
        .filter(|event| matches!(event, Event::AttemptFinished { .. }));
    assert_eq!(outcomes.count(), 2, "the late outcome changed nothing");
    let refused = first.admit(
        fixture
            .run_of("jobs: {work: {targets: controller, steps: [{uses: look@v1}]}}")
            .await,
    );
    assert!(refused.await.is_err(), "the first admits nothing more");
}
