//! Attempts that wait for room: what is done is what is allowed, and seen, when it is done.

use clawd_model::{Event, RunId, RunStatus};
use clawd_worker::Worker;
use serde_json::json;

use crate::fixture::{Fixture, person};
use crate::world::Hold;

const ON_SERVERS: &str = "targets: {selector: role=web}\njobs: {work: {steps: [{id: a, uses: once@v1}]}}";

/// A worker whose only room is taken.
async fn full(fixture: &Fixture) -> (Worker, RunId) {
    let worker = fixture.narrow_worker(1).await;
    fixture.world.hold(Hold::BeforeTheEffect);
    let new = fixture
        .run_of("jobs: {work: {targets: controller, steps: [{id: a, uses: once@v1}]}}")
        .await;
    let run = new.run;
    worker.admit(new).await.unwrap();
    fixture.world.stopped(1).await;
    (worker, run)
}

fn begun(journal: &[Event]) -> bool {
    journal
        .iter()
        .any(|event| matches!(event, Event::AttemptStarted { .. }))
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_no_longer_begin_it_when_there_is_room_does_not() {
    let fixture = Fixture::new().await;
    let (worker, first) = full(&fixture).await;
    let new = fixture
        .run_of("jobs: {work: {targets: controller, steps: [{id: b, uses: once@v1}]}}")
        .await;
    let run = new.run;
    worker.admit(new).await.unwrap();
    assert!(!begun(&fixture.journal(run).await), "there is no room");
    let mut ana = person("ana", "operator");
    ana.disabled = true;
    fixture.demo().put_principal(&ana, &[]).await.unwrap();
    worker.rules_changed(&"demo".parse().unwrap());
    fixture.world.hold(Hold::Nowhere);
    worker.join(first).await;
    worker.join(run).await;
    assert_eq!(fixture.row(run).await.status, RunStatus::Denied);
    assert_eq!(fixture.world.calls().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_changed_while_there_was_no_room_is_looked_at_again() {
    let fixture = Fixture::new().await;
    fixture.servers(1, "dev").await;
    let (worker, _) = full(&fixture).await;
    let new = fixture.run_of(ON_SERVERS).await;
    let run = new.run;
    worker.admit(new).await.unwrap();
    let looked = |journal: &[Event], drift: bool| {
        journal
            .iter()
            .any(|event| matches!(event, Event::StepChecked { drifted, .. } if *drifted == drift))
    };
    fixture.until(run, |_, journal| looked(journal, false)).await;
    fixture.world.look_like(json!("something else"));
    fixture.world.hold(Hold::Nowhere);
    worker.join(run).await;
    let journal = fixture.journal(run).await;
    assert!(looked(&journal, true), "{journal:?}");
    assert_eq!(fixture.row(run).await.status, RunStatus::Succeeded);
}

#[tokio::test(flavor = "multi_thread")]
async fn many_runs_share_little_room_and_all_of_them_end() {
    let fixture = Fixture::new().await;
    fixture.servers(20, "dev").await;
    let worker = fixture.narrow_worker(2).await;
    let mut runs = Vec::new();
    for _ in 0..3 {
        let new = fixture.run_of(ON_SERVERS).await;
        runs.push(new.run);
        worker.admit(new).await.unwrap();
    }
    for run in runs {
        worker.join(run).await;
        assert_eq!(fixture.row(run).await.status, RunStatus::Succeeded);
    }
    assert_eq!(fixture.world.effects().len(), 60);
    fixture.nothing_twice();
}

#[tokio::test(flavor = "multi_thread")]
async fn votes_are_asked_for_while_there_is_no_room() {
    let fixture = Fixture::new().await;
    fixture.servers(1, "prod").await;
    let (worker, _) = full(&fixture).await;
    let new = fixture.run_of(ON_SERVERS).await;
    let run = new.run;
    worker.admit(new).await.unwrap();
    fixture.until_status(run, RunStatus::Waiting).await;
    assert_eq!(fixture.approvals(run).await.len(), 1);
}
