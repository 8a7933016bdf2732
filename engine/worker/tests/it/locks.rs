//! Runs that name the same lock do their work one after the other, whatever dies.

use clawd_model::{Event, RunId, RunStatus};

use crate::fixture::Fixture;
use crate::world::Hold;

const LOCKED: &str =
    "targets: {selector: role=web}\nlock: env/prod\njobs: {work: {steps: [{id: a, uses: reattach@v1}]}}";

fn has(journal: &[Event], is_one: fn(&Event) -> bool) -> bool {
    journal.iter().any(is_one)
}

/// The runs' places in the queue, by the number of runs before each.
async fn places(fixture: &Fixture, runs: &[RunId]) -> Vec<Option<(u32, bool)>> {
    let mut places = Vec::new();
    for run in runs {
        let place = fixture.demo().lock_of(*run).await.unwrap();
        places.push(place.map(|place| (place.ahead, place.held)));
    }
    places
}

#[tokio::test(flavor = "multi_thread")]
async fn one_run_after_the_other_in_order() {
    let fixture = Fixture::new().await;
    fixture.servers(1, "dev").await;
    fixture.world.hold(Hold::BeforeTheEffect);
    let worker = fixture.worker().await;
    let mut runs = Vec::new();
    for number in 1..=3 {
        let new = fixture.run_of(LOCKED).await;
        runs.push(new.run);
        worker.admit(new).await.unwrap();
        if number == 1 {
            fixture.world.stopped(1).await;
        }
    }
    // A run with another lock, and one without, wait for nobody.
    for lock in ["lock: env/dev", ""] {
        let text = LOCKED.replace("lock: env/prod", lock);
        let new = fixture.run_of(&text).await;
        worker.admit(new).await.unwrap();
    }
    fixture.world.stopped(3).await;
    assert_eq!(
        places(&fixture, &runs).await,
        [Some((0, true)), Some((1, false)), Some((2, false))]
    );
    assert_eq!(fixture.row(runs[1]).await.status, RunStatus::Queued);
    assert!(!has(&fixture.journal(runs[1]).await, |event| matches!(
        event,
        Event::WaveStarted { .. }
    )));
    fixture.world.hold(Hold::Nowhere);
    for run in &runs {
        fixture.until_status(*run, RunStatus::Succeeded).await;
    }
    // Nobody began before the one before was over.
    let audit = fixture.audit().await;
    let position = |run: RunId, kind: &str| {
        let found = audit
            .iter()
            .find(|record| record.run == Some(run) && record.kind == kind);
        found.unwrap_or_else(|| panic!("no {kind}")).index
    };
    for pair in runs.windows(2) {
        assert!(position(pair[0], "run.finished") < position(pair[1], "lock.taken"));
        assert!(position(pair[1], "lock.taken") < position(pair[1], "attempt.started"));
    }
    assert_eq!(places(&fixture, &runs).await, [None, None, None]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_waits_is_cancelled_at_once_and_the_next_moves_up() {
    let fixture = Fixture::new().await;
    fixture.servers(1, "dev").await;
    fixture.world.hold(Hold::BeforeTheEffect);
    let worker = fixture.worker().await;
    let mut runs = Vec::new();
    for _ in 0..3 {
        let new = fixture.run_of(LOCKED).await;
        runs.push(new.run);
        worker.admit(new).await.unwrap();
    }
    fixture.world.stopped(1).await;
    fixture.cancel(runs[1]).await;
    fixture.until_status(runs[1], RunStatus::Cancelled).await;
    assert_eq!(
        places(&fixture, &runs).await,
        [Some((0, true)), None, Some((1, false))],
        "the holder still holds it"
    );
    fixture.world.hold(Hold::Nowhere);
    fixture.until_status(runs[2], RunStatus::Succeeded).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_lets_no_lock_go_and_forgets_nobody_who_waits() {
    let fixture = Fixture::new().await;
    fixture.servers(1, "dev").await;
    fixture.world.hold(Hold::BeforeTheEffect);
    let first = fixture.mortal("node-a").await;
    let mut runs = Vec::new();
    for number in 1..=2 {
        let new = fixture.run_of(LOCKED).await;
        runs.push(new.run);
        first.admit(new).await.unwrap();
        if number == 1 {
            fixture.world.stopped(1).await;
        }
    }
    first.kill().await;
    assert_eq!(places(&fixture, &runs).await, [Some((0, true)), Some((1, false))]);
    let second = fixture.worker().await;
    // The attempt of the first run is taken up, and stops again where it did.
    fixture.world.stopped(2).await;
    assert_eq!(fixture.row(runs[1]).await.status, RunStatus::Queued);
    fixture.world.hold(Hold::Nowhere);
    for run in &runs {
        fixture.until_status(*run, RunStatus::Succeeded).await;
    }
    fixture.nothing_twice();
    second.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_commit_it_dies_at_the_queue_goes_on() {
    for commit in 1..=4 {
        let fixture = Fixture::new().await;
        fixture.servers(1, "dev").await;
        let first = fixture.mortal("node-a").await;
        let new = fixture.run_of(LOCKED).await;
        let run = new.run;
        first.dies_at(&fixture, commit, new).await;
        let next = fixture.run_of(LOCKED).await;
        let after = next.run;
        let second = fixture.worker().await;
        second.admit(next).await.unwrap();
        fixture.until_status(after, RunStatus::Succeeded).await;
        fixture.until_status(run, RunStatus::Succeeded).await;
        fixture.nothing_twice();
        second.shutdown().await;
    }
}
