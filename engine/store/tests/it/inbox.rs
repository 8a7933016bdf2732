//! Messages reach an unfinished run, in order, until a turn has dealt with them.

use clawd_model::StepRef;
use clawd_store::{Message, Posted, Turn, WriteError};

use crate::fixture::{Fixture, draft, last_turn, next_turn, read};

fn cancel(reason: &str) -> Message {
    Message::Cancel {
        by: read("ana"),
        reason: reason.to_owned(),
    }
}

#[tokio::test]
async fn messages_wait_until_a_turn_has_dealt_with_them() {
    let fixture = Fixture::new().await;
    let (run, lease) = fixture.begun().await;
    let mut posted = fixture.store.posted();
    let resolve = Message::Resolve {
        step: StepRef {
            job: 1,
            lane: 2,
            step: 3,
        },
        attempt: 1,
        outcome: None,
        by: read("ben"),
    };
    for message in [cancel("first"), resolve.clone(), cancel("last")] {
        fixture
            .demo()
            .post(&message, run, &[draft("run.told", "run")])
            .await
            .unwrap();
        let news = Posted {
            tenant: read("demo"),
            run,
        };
        assert_eq!(posted.recv().await.unwrap(), news);
    }
    let inbox = fixture.store.inbox(run).await.unwrap();
    let messages: Vec<_> = inbox.iter().map(|item| item.message.clone()).collect();
    assert_eq!(messages, [cancel("first"), resolve, cancel("last")]);
    let turn = Turn {
        inbox_done: vec![inbox[0].id, inbox[1].id],
        ..next_turn("demo", run, &lease, 2, 1)
    };
    // A turn that is refused leaves the inbox as it was.
    let fenced = Turn {
        epoch: lease.epoch + 1,
        ..turn.clone()
    };
    assert!(fixture.store.commit(fenced).await.is_err());
    assert_eq!(fixture.store.inbox(run).await.unwrap().len(), 3);
    fixture.store.commit(turn).await.unwrap();
    assert_eq!(fixture.store.inbox(run).await.unwrap(), inbox[2..]);
}

#[tokio::test]
async fn a_run_that_is_over_takes_no_messages() {
    let fixture = Fixture::new().await;
    let (run, lease) = fixture.begun().await;
    fixture
        .store
        .commit(last_turn("demo", run, &lease, 2))
        .await
        .unwrap();
    let before = fixture.demo().audit_leaves().await.unwrap().len();
    for run in [run, fixture.run_id()] {
        let refused = fixture
            .demo()
            .post(&cancel("late"), run, &[draft("run.told", "run")])
            .await;
        assert!(
            matches!(refused, Err(WriteError::Missing("unfinished run"))),
            "{refused:?}"
        );
    }
    assert_eq!(
        fixture.demo().audit_leaves().await.unwrap().len(),
        before,
        "what did not happen is not on record"
    );
}

/// A message that came while the last turn was being decided is cleared away by a turn without events.
#[tokio::test]
async fn the_inbox_of_a_run_that_is_over_can_be_cleared() {
    let fixture = Fixture::new().await;
    let (run, lease) = fixture.begun().await;
    fixture.demo().post(&cancel("too late"), run, &[]).await.unwrap();
    fixture
        .store
        .commit(last_turn("demo", run, &lease, 2))
        .await
        .unwrap();
    let over = fixture.demo().run(run).await.unwrap().unwrap();
    fixture.clock.advance(clawd_model::DurationMs(5));
    let turn = Turn {
        inbox_done: vec![fixture.store.inbox(run).await.unwrap()[0].id],
        events: Vec::new(),
        audit: Vec::new(),
        ..last_turn("demo", run, &lease, 3)
    };
    fixture.store.commit(turn).await.unwrap();
    assert_eq!(fixture.store.inbox(run).await.unwrap(), []);
    assert_eq!(fixture.demo().run(run).await.unwrap(), Some(over));
}
