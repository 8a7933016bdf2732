//! A lock has one holder, the first in its queue, whatever is committed by whom and in which order.

use clawd_model::{RunId, RunStatus};
use clawd_store::{CommitError, Lease, LockChange, LockPlace, Turn};

use crate::fixture::{Fixture, first_turn, last_turn, next_turn, open};

const LOCK: &str = "env/prod";

/// A run that stands in the queue.
async fn queued(fixture: &Fixture, tenant: &str, lock: &str) -> (RunId, Lease) {
    let run = fixture.run_id();
    let lease = fixture.lease(run).await;
    let turn = Turn {
        locks: vec![LockChange::Queue(lock.to_owned())],
        status: Some(RunStatus::Queued),
        ..first_turn(tenant, run, &lease)
    };
    fixture.store.commit(turn).await.unwrap();
    (run, lease)
}

fn taking(run: RunId, lease: &Lease) -> Turn {
    Turn {
        locks: vec![LockChange::Take],
        ..next_turn("demo", run, lease, 2, 1)
    }
}

async fn place(fixture: &Fixture, run: RunId) -> Option<LockPlace> {
    fixture.demo().lock_of(run).await.unwrap()
}

#[tokio::test]
async fn who_is_not_the_first_takes_nothing() {
    let fixture = Fixture::new().await;
    let (first, first_lease) = queued(&fixture, "demo", LOCK).await;
    let (second, _) = queued(&fixture, "demo", LOCK).await;
    let lease = fixture.lease(second).await;
    // The second node believes that its run is the first.
    let other = open(&fixture.path(), fixture.clock.clone()).await;
    for store in [&fixture.store, &other] {
        let refused = store.commit(taking(second, &lease)).await;
        assert!(
            matches!(refused, Err(CommitError::Missed("run_locks"))),
            "{refused:?}"
        );
    }
    assert_eq!(
        fixture.store.journal(second).await.unwrap().len(),
        1,
        "nothing of the turn is kept"
    );
    fixture.store.commit(taking(first, &first_lease)).await.unwrap();
    let behind = place(&fixture, second).await.unwrap();
    assert_eq!((behind.ahead, behind.first, behind.held), (1, Some(first), false));
    let holds = place(&fixture, first).await.unwrap();
    assert_eq!((holds.ahead, holds.first, holds.held), (0, None, true));
    assert_eq!(holds.name, LOCK);
}

#[tokio::test]
async fn the_next_is_woken_when_the_lock_is_let_go_and_durably_so() {
    let fixture = Fixture::new().await;
    let (first, first_lease) = queued(&fixture, "demo", LOCK).await;
    fixture.store.commit(taking(first, &first_lease)).await.unwrap();
    let (second, second_lease) = queued(&fixture, "demo", LOCK).await;
    let (third, _) = queued(&fixture, "demo", LOCK).await;
    let mut posted = fixture.store.posted();
    let done = Turn {
        locks: vec![LockChange::Release],
        ..last_turn("demo", first, &first_lease, 3)
    };
    fixture.store.commit(done).await.unwrap();
    let woken = posted.recv().await.unwrap();
    assert_eq!(woken.run, second);
    assert!(posted.try_recv().is_err(), "and nobody else");
    assert_eq!(place(&fixture, first).await, None);
    assert_eq!(place(&fixture, third).await.unwrap().ahead, 1);
    fixture.store.commit(taking(second, &second_lease)).await.unwrap();
}

#[tokio::test]
async fn locks_of_other_names_and_tenants_are_other_locks() {
    let fixture = Fixture::new().await;
    let (demo, _) = queued(&fixture, "demo", LOCK).await;
    let (dev, _) = queued(&fixture, "demo", "env/dev").await;
    let (acme, _) = queued(&fixture, "acme", LOCK).await;
    for place in [
        place(&fixture, demo).await,
        place(&fixture, dev).await,
        fixture.acme().lock_of(acme).await.unwrap(),
    ] {
        assert_eq!(place.unwrap().ahead, 0);
    }
}
