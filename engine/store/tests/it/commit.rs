//! A turn is committed where its journal ends, under the current epoch, and all of it or nothing.

use std::collections::HashMap;

use clawd_model::{DurationMs, RunId, RunStatus};
use clawd_store::{CommitError, Lease, RunFilter, Turn, shard_of};
use futures::future::join_all;

use crate::fixture::{Fixture, approval, draft, first_turn, last_turn, next_turn, read};

#[tokio::test]
async fn a_run_reads_back_as_it_was_committed() {
    let fixture = Fixture::new().await;
    let mut committed = fixture.store.committed();
    let (run, lease) = fixture.begun().await;
    let turn = next_turn("demo", run, &lease, 2, 3);
    let events = turn.events.clone();
    fixture.store.commit(turn).await.unwrap();
    let journal = fixture.store.journal(run).await.unwrap();
    assert_eq!(
        journal.iter().map(|entry| entry.seq).collect::<Vec<_>>(),
        [1, 2, 3, 4]
    );
    let read_back: Vec<_> = journal.iter().skip(1).map(|entry| entry.event.clone()).collect();
    assert_eq!(read_back, events);
    assert_eq!(committed.recv().await.unwrap().events, journal[..1]);
    assert_eq!(committed.recv().await.unwrap().events, journal[1..]);
    let page = fixture.demo().events(run, 2, 1).await.unwrap();
    assert_eq!(page, journal[2..3]);
    assert_eq!(fixture.store.unfinished(&[lease.shard]).await.unwrap().len(), 1);
    let counted = fixture.store.count_unfinished().await.unwrap();
    assert_eq!(counted, [(RunStatus::Running, 1)]);
    fixture
        .store
        .commit(last_turn("demo", run, &lease, 5))
        .await
        .unwrap();
    assert_eq!(fixture.store.unfinished(&[lease.shard]).await.unwrap(), []);
    assert_eq!(fixture.store.count_unfinished().await.unwrap(), []);
    let row = fixture.demo().run(run).await.unwrap().unwrap();
    assert_eq!(row.status, RunStatus::Succeeded);
    assert!(row.finished_at.is_some());
    assert!(fixture.demo().run_plan(run).await.unwrap().is_some());
    assert_eq!(fixture.store.commits(), 3);
}

#[tokio::test]
async fn another_epoch_is_fenced() {
    let fixture = Fixture::new().await;
    let (run, old) = fixture.begun().await;
    let new = fixture.lease(run).await;
    assert_eq!(new.epoch, old.epoch + 1);
    let refused = fixture.store.commit(next_turn("demo", run, &old, 2, 1)).await;
    assert!(matches!(refused, Err(CommitError::Fenced { .. })), "{refused:?}");
    assert_eq!(fixture.store.journal(run).await.unwrap().len(), 1);
    fixture
        .store
        .commit(next_turn("demo", run, &new, 2, 1))
        .await
        .unwrap();
    fixture.store.release(new.clone()).await.unwrap();
    let refused = fixture.store.commit(next_turn("demo", run, &new, 3, 1)).await;
    assert!(matches!(refused, Err(CommitError::Fenced { .. })), "{refused:?}");
}

#[tokio::test]
async fn a_turn_begins_where_the_journal_ends() {
    let fixture = Fixture::new().await;
    let (run, lease) = fixture.begun().await;
    fixture
        .store
        .commit(next_turn("demo", run, &lease, 2, 2))
        .await
        .unwrap();
    for first_seq in [2, 3, 5, 9] {
        let refused = fixture
            .store
            .commit(next_turn("demo", run, &lease, first_seq, 1))
            .await;
        let Err(CommitError::Conflict { expected: 4, found }) = refused else {
            panic!("{refused:?}")
        };
        assert_eq!(found, first_seq);
    }
    let refused = fixture.store.commit(first_turn("demo", run, &lease)).await;
    assert!(
        matches!(
            refused,
            Err(CommitError::Conflict {
                expected: 4,
                found: 1
            })
        ),
        "{refused:?}"
    );
    let nobody = fixture.run_id();
    let lease = fixture.lease(nobody).await;
    let refused = fixture
        .store
        .commit(next_turn("demo", nobody, &lease, 2, 1))
        .await;
    assert!(
        matches!(refused, Err(CommitError::Conflict { expected: 1, .. })),
        "{refused:?}"
    );
}

/// What is remembered between commits holds only as long as nobody else writes.
#[tokio::test]
async fn what_another_process_wrote_is_noticed() {
    let fixture = Fixture::new().await;
    let (run, lease) = fixture.begun().await;
    let commit = |seq| fixture.store.commit(next_turn("demo", run, &lease, seq, 1));
    commit(2).await.unwrap();
    crate::open::meddle(&fixture.path(), "UPDATE leases SET epoch = epoch + 1").await;
    let refused = commit(3).await;
    assert!(matches!(refused, Err(CommitError::Fenced { .. })), "{refused:?}");
    crate::open::meddle(
        &fixture.path(),
        "UPDATE leases SET epoch = epoch - 1;
         INSERT INTO journal SELECT run, 3, at, NULL, event FROM journal WHERE seq = 2",
    )
    .await;
    let refused = commit(3).await;
    assert!(
        matches!(
            refused,
            Err(CommitError::Conflict {
                expected: 4,
                found: 3
            })
        ),
        "{refused:?}"
    );
    commit(4).await.unwrap();
    crate::open::meddle(
        &fixture.path(),
        "INSERT INTO audit SELECT tenant, position + 1, body FROM audit ORDER BY position DESC LIMIT 1",
    )
    .await;
    commit(5).await.unwrap();
    let bodies = fixture.demo().audit_bodies(0, 100).await.unwrap();
    assert_eq!(
        bodies.len(),
        6,
        "five of ours, and one that somebody else wrote between them"
    );
}

/// A run that is over is not remembered; what says that it begins is looked up all the same.
#[tokio::test]
async fn a_run_begins_once() {
    let fixture = Fixture::new().await;
    let (run, lease) = fixture.begun().await;
    let mut last = next_turn("demo", run, &lease, 2, 1);
    last.finished = true;
    last.status = Some(clawd_model::RunStatus::Succeeded);
    fixture.store.commit(last).await.unwrap();
    let other = fixture.run_id();
    let its_lease = fixture.lease(other).await;
    let lease = if its_lease.shard == lease.shard {
        &its_lease
    } else {
        &lease
    };
    let (again, first) = tokio::join!(
        fixture.store.commit(first_turn("demo", run, lease)),
        fixture.store.commit(first_turn("demo", other, &its_lease)),
    );
    assert!(
        matches!(
            again,
            Err(CommitError::Conflict {
                expected: 3,
                found: 1
            })
        ),
        "{again:?}"
    );
    first.unwrap();
    assert_eq!(fixture.store.journal(run).await.unwrap().len(), 2);
    assert_eq!(fixture.store.journal(other).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_turn_that_makes_no_sense_is_refused() {
    let fixture = Fixture::new().await;
    let (run, lease) = fixture.begun().await;
    let good = || next_turn("demo", run, &lease, 2, 1);
    let bad = [
        Turn {
            shard: (lease.shard + 1) % 16,
            ..good()
        },
        Turn {
            tenant: read("acme"),
            ..good()
        },
        Turn {
            first_seq: 0,
            ..good()
        },
        Turn {
            first_seq: 1,
            ..good()
        },
        Turn {
            new_run: first_turn("demo", run, &lease).new_run,
            ..good()
        },
        Turn {
            events: Vec::new(),
            ..good()
        },
    ];
    for turn in bad {
        let refused = fixture.store.commit(turn.clone()).await;
        assert!(
            matches!(refused, Err(CommitError::Invalid(_))),
            "{turn:?}: {refused:?}"
        );
    }
    fixture.store.commit(good()).await.unwrap();
    fixture
        .store
        .commit(last_turn("demo", run, &lease, 3))
        .await
        .unwrap();
    let refused = fixture.store.commit(next_turn("demo", run, &lease, 4, 1)).await;
    assert!(matches!(refused, Err(CommitError::Invalid(_))), "{refused:?}");
}

/// Turns that are refused, and one that makes the whole transaction fail, do not fail those that share it.
#[tokio::test]
async fn a_failing_turn_does_not_fail_its_neighbours() {
    let fixture = Fixture::new().await;
    let (other, lease) = fixture.begun().await;
    let taken = approval(&fixture, "demo", other);
    let mut turn = next_turn("demo", other, &lease, 2, 1);
    turn.approvals = vec![taken.clone()];
    fixture.store.commit(turn).await.unwrap();

    let runs: Vec<_> = (0..40).map(|_| fixture.run_id()).collect();
    let mut epochs = HashMap::new();
    for run in &runs {
        epochs.insert(shard_of(*run), fixture.lease(*run).await);
    }
    let turns = runs.iter().enumerate().map(|(number, run)| {
        let lease = &epochs[&shard_of(*run)];
        let mut turn = first_turn(if number == 7 { "nobody" } else { "demo" }, *run, lease);
        match number % 10 {
            // Somebody else's approval: the statement that writes it writes less than it has to.
            3 => turn.approvals = vec![taken.clone()],
            5 => turn.epoch += 1,
            _ => {}
        }
        turn
    });
    let answers = join_all(turns.map(|turn| fixture.store.commit(turn))).await;
    for (number, answer) in answers.iter().enumerate() {
        match number {
            7 => assert!(matches!(answer, Err(CommitError::Invalid(_))), "{answer:?}"),
            3 | 13 | 23 | 33 => {
                assert!(
                    matches!(answer, Err(CommitError::Missed("approvals"))),
                    "{number}: {answer:?}"
                );
            }
            5 | 15 | 25 | 35 => {
                assert!(
                    matches!(answer, Err(CommitError::Fenced { .. })),
                    "{number}: {answer:?}"
                );
            }
            _ => assert!(answer.is_ok(), "{number}: {answer:?}"),
        }
        let journal = fixture.store.journal(runs[number]).await.unwrap();
        assert_eq!(journal.len(), usize::from(answer.is_ok()), "{number}");
    }
    let all = RunFilter {
        limit: 100,
        ..RunFilter::default()
    };
    assert_eq!(fixture.demo().runs(&all).await.unwrap().len(), 1 + 31);
    assert_eq!(fixture.demo().approval(taken.id).await.unwrap(), Some(taken));
    // One record for the tenant, two for the first run, one for each that was committed: none for the refused.
    assert_eq!(fixture.demo().audit_leaves().await.unwrap().len(), 3 + 31);
}

#[tokio::test]
async fn turns_and_control_writes_share_transactions() {
    let fixture = Fixture::new().await;
    let (run, lease) = fixture.begun().await;
    let before = fixture.store.counts();
    let demo = fixture.demo();
    let server = fixture.server("demo", "web-1");
    let taken = clawd_model::Server {
        id: fixture.server("demo", "x").id,
        ..server.clone()
    };
    let audit = [draft("server.added", "server/web-1")];
    let (turn, put, refused) = tokio::join!(
        fixture.store.commit(next_turn("demo", run, &lease, 2, 1)),
        demo.put_server(&server, &audit),
        demo.put_server(&taken, &audit),
    );
    turn.unwrap();
    put.unwrap();
    assert!(
        matches!(refused, Err(clawd_store::WriteError::Exists("server"))),
        "{refused:?}"
    );
    assert_eq!(demo.servers().await.unwrap().len(), 1);
    let after = fixture.store.counts();
    assert_eq!(after.turns, before.turns + 1);
    assert!(after.commits - before.commits <= 3, "{before:?} {after:?}");
    // Only what was done is on record.
    let kinds = demo.audit(&clawd_store::AuditFilter::default()).await.unwrap();
    assert_eq!(
        kinds
            .iter()
            .filter(|record| record.kind == "server.added")
            .count(),
        1
    );
}

#[tokio::test]
async fn a_closed_store_refuses_and_keeps_what_was_committed() {
    let fixture = Fixture::new().await;
    let (run, lease) = fixture.begun().await;
    fixture.store.close().await;
    let wal = fixture.path().with_extension("db-wal");
    assert!(
        std::fs::metadata(wal).map_or(0, |wal| wal.len()) == 0,
        "everything is in the one file"
    );
    let refused = fixture.store.commit(next_turn("demo", run, &lease, 2, 1)).await;
    assert!(matches!(refused, Err(CommitError::Closed)), "{refused:?}");
    let again = crate::fixture::open(&fixture.path(), fixture.clock.clone()).await;
    assert_eq!(again.journal(run).await.unwrap().len(), 1);
    let lease = again
        .acquire("second", lease.shard, DurationMs::from_secs(1), true)
        .await
        .unwrap()
        .unwrap();
    again.commit(next_turn("demo", run, &lease, 2, 1)).await.unwrap();
}

/// While the database fails everybody is told; when it works again nothing is out of step.
#[tokio::test]
async fn a_failing_database_fails_each_and_recovers() {
    let fixture = Fixture::new().await;
    let runs = [fixture.begun().await, fixture.begun().await];
    // The later lease of a shared shard counts.
    let runs = [
        (runs[0].0, fixture.lease(runs[0].0).await),
        (runs[1].0, fixture.lease(runs[1].0).await),
    ];
    let held = fixture.store.leases().await.unwrap();
    let turns = |seq| {
        let turn = |(run, lease): &(RunId, Lease)| {
            let held = held.iter().find(|held| held.lease.shard == lease.shard).unwrap();
            next_turn("demo", *run, &held.lease, seq, 2)
        };
        [turn(&runs[0]), turn(&runs[1])]
    };
    for (breaks, heals) in [
        (
            "ALTER TABLE audit RENAME TO broken",
            "ALTER TABLE broken RENAME TO audit",
        ),
        (
            "ALTER TABLE journal RENAME TO broken",
            "ALTER TABLE broken RENAME TO journal",
        ),
        (
            "ALTER TABLE leases RENAME TO broken",
            "ALTER TABLE broken RENAME TO leases",
        ),
    ] {
        crate::open::meddle(&fixture.path(), breaks).await;
        for answer in join_all(turns(2).into_iter().map(|turn| fixture.store.commit(turn))).await {
            assert!(
                matches!(answer, Err(CommitError::Database(_))),
                "{breaks}: {answer:?}"
            );
        }
        crate::open::meddle(&fixture.path(), heals).await;
    }
    for answer in join_all(turns(2).into_iter().map(|turn| fixture.store.commit(turn))).await {
        answer.unwrap();
    }
    for (run, _) in runs {
        assert_eq!(fixture.store.journal(run).await.unwrap().len(), 3);
    }
    let mut export = fixture.demo().export_audit().await.unwrap();
    let text = export.next().await.unwrap().unwrap();
    assert_eq!(
        clawd_audit::export::verify(std::io::Cursor::new(text), None)
            .unwrap()
            .records,
        5
    );
}

/// A plan may be larger than a turn: the run refers to the stored one.
#[tokio::test]
async fn a_run_of_a_plan_that_is_larger_than_a_turn_begins() {
    let fixture = Fixture::new().await;
    let run = fixture.run_id();
    let lease = fixture.lease(run).await;
    let mut turn = first_turn("demo", run, &lease);
    let row = turn.new_run.as_mut().unwrap();
    let mut large = clawd_model::Plan::clone(&row.plan);
    large.steps = (0..30_000_u16).map(planned_step).collect();
    let bytes = serde_json::to_vec(&large).unwrap().len();
    assert!(bytes > 16 << 20, "{bytes}");
    row.plan_digest = large.digest();
    row.plan = std::sync::Arc::new(large.clone());
    fixture.demo().put_plan(&large, &[]).await.unwrap();
    let commits = fixture.store.counts().commits;
    fixture.store.commit(turn).await.unwrap();
    assert_eq!(
        fixture.store.counts().commits - commits,
        1,
        "it is not stored again"
    );
    assert_eq!(fixture.demo().run_plan(run).await.unwrap(), Some(large));
}

fn planned_step(number: u16) -> clawd_model::PlannedStep {
    serde_json::from_value(serde_json::json!({
        "ref": {"job": 0, "lane": number, "step": 0}, "step": "apply", "job": "rollout",
        "target": {"name": format!("web-{number}"), "env": "prod", "labels": {}},
        "uses": "shell@v1", "will_run": {"is": "yes"}, "input": {"command": "x".repeat(500)},
    }))
    .unwrap()
}
