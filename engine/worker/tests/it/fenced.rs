//! Two workers on one store: the one with the older epoch can write nothing.

use clawd_model::{DurationMs, Event, RunStatus};
use clawd_store::shard_of;
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

#[tokio::test(flavor = "multi_thread")]
async fn what_still_waits_for_room_when_the_lease_is_lost_is_not_called() {
    let fixture = Fixture::new().await;
    fixture.servers(2, "dev").await;
    let first = fixture.mortal("node-a").await;
    fixture.world.hold(Hold::BeforeTheEffect);
    let new = fixture
        .run_of("targets: {selector: role=web}\njobs: {work: {steps: [{id: a, uses: idempotent@v1}]}}")
        .await;
    let run = new.run;
    first.admit(new).await.unwrap();
    fixture.world.stopped(2).await;
    first.kill().await;
    // Of the two attempts to take up, one is called, and one waits.
    let second = fixture.narrow_worker(1).await;
    fixture.world.stopped(3).await;
    let ttl = DurationMs::from_secs(60);
    let stolen = fixture.store.acquire("node-b", shard_of(run), ttl, true).await;
    assert!(stolen.unwrap().is_some());
    fixture.cancel(run).await;
    second.join(run).await;
    // A run of another shard is next in the line.
    let other = loop {
        let new = fixture
            .run_of("jobs: {work: {targets: controller, steps: [{uses: look@v1, with: {value: last}}]}}")
            .await;
        if shard_of(new.run) != shard_of(run) {
            break new;
        }
    };
    let last = other.run;
    second.admit(other).await.unwrap();
    fixture.world.hold(Hold::Nowhere);
    second.join(last).await;
    assert_eq!(fixture.row(last).await.status, RunStatus::Succeeded);
    let calls = fixture.world.calls();
    assert_eq!(
        calls.len(),
        4,
        "two, one that was taken up, and the last: {calls:?}"
    );
}
