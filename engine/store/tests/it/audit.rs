//! The audit log: in the same transaction as the fact, numbered without gaps, the same after a restart.

use clawd_audit::export::{Known, verify, verify_with};
use clawd_audit::{Checkpoint, Record, Tree, verify_inclusion};
use clawd_store::{AuditFilter, CommitError, ReadError};

use crate::fixture::{Fixture, draft, next_turn, open, read};

#[tokio::test]
async fn records_are_numbered_without_gaps_across_restarts() {
    let fixture = Fixture::new().await;
    let (run, lease) = fixture.begun().await;
    let mut seq = 2;
    let mut store = fixture.store.clone();
    // Sizes around the width of a tile, with a restart at each.
    for until in [100_u64, 255, 256, 257, 511, 513, 1300] {
        let demo = store.tenant(read("demo"));
        let mut size = demo.audit_leaves().await.unwrap().len() as u64;
        while size < until {
            let mut turn = next_turn("demo", run, &lease, seq, 1);
            turn.audit = vec![
                draft("step.skipped", "job/web-1/step");
                usize::try_from((until - size).min(64)).unwrap()
            ];
            size += turn.audit.len() as u64;
            store.commit(turn).await.unwrap();
            seq += 1;
        }
        let checkpoint = demo.checkpoint().await.unwrap();
        assert_eq!(checkpoint.size, until);
        let checkpoint = Checkpoint::verify(&checkpoint.note, &demo.verifier_key()).unwrap();
        let leaves = demo.audit_leaves().await.unwrap();
        assert_eq!(checkpoint.size, until);
        assert_eq!(checkpoint.root, Tree::from_leaves(leaves).root(), "at {until}");
        store.close().await;
        store = open(&fixture.path(), fixture.clock.clone()).await;
    }
    let demo = store.tenant(read("demo"));
    let bodies = demo.audit_bodies(0, 10_000).await.unwrap();
    for (index, body) in (0_u64..).zip(&bodies) {
        let record = Record::parse(body).unwrap();
        assert_eq!(record.index, index);
        assert_eq!(&record.body(), body);
    }
}

#[tokio::test]
async fn pages_are_filtered_and_newest_first() {
    let fixture = Fixture::new().await;
    let demo = fixture.demo();
    for name in ["a", "b", "c"] {
        let principal = crate::fixture::principal("demo", name);
        demo.put_principal(&principal, &[draft("principal.put", name)])
            .await
            .unwrap();
    }
    let page = |filter: AuditFilter| {
        let demo = demo.clone();
        async move {
            let records = demo.audit(&filter).await.unwrap();
            records
                .into_iter()
                .map(|record| record.subject)
                .collect::<Vec<_>>()
        }
    };
    let all = AuditFilter::default();
    assert_eq!(page(all.clone()).await, ["c", "b", "a", "demo"]);
    assert_eq!(
        page(AuditFilter {
            limit: 2,
            ..all.clone()
        })
        .await,
        ["c", "b"]
    );
    assert_eq!(
        page(AuditFilter {
            before: Some(2),
            ..all.clone()
        })
        .await,
        ["a", "demo"]
    );
    assert_eq!(
        page(AuditFilter {
            kind: Some("principal".to_owned()),
            ..all.clone()
        })
        .await,
        ["c", "b", "a"]
    );
    assert_eq!(
        page(AuditFilter {
            kind: Some("prin".to_owned()),
            ..all.clone()
        })
        .await,
        [""; 0]
    );
    assert_eq!(
        page(AuditFilter {
            subject: Some("b".to_owned()),
            ..all.clone()
        })
        .await,
        ["b"]
    );
    assert_eq!(
        page(AuditFilter {
            actor: Some("user:ben".to_owned()),
            ..all
        })
        .await,
        [""; 0]
    );
    assert_eq!(demo.audit_record(1).await.unwrap().unwrap().subject, "a");
    assert_eq!(demo.audit_record(9).await.unwrap(), None);
}

#[tokio::test]
async fn an_export_verifies_and_what_comes_later_is_not_in_it() {
    let fixture = Fixture::new().await;
    let (run, lease) = fixture.begun().await;
    let demo = fixture.demo();
    let mut seq = 2;
    for _ in 0..13 {
        let mut turn = next_turn("demo", run, &lease, seq, 1);
        turn.audit = vec![draft("step.skipped", "job/web-1/step"); 100];
        fixture.store.commit(turn).await.unwrap();
        seq += 1;
    }
    let seen = demo.checkpoint().await.unwrap();
    let mut export = demo.export_audit().await.unwrap();
    let mut text = String::new();
    while let Some(lines) = export.next().await.unwrap() {
        text.push_str(&lines);
        fixture
            .store
            .commit(next_turn("demo", run, &lease, seq, 1))
            .await
            .unwrap();
        seq += 1;
    }
    let known = Known {
        key: Some(demo.verifier_key()),
        checkpoints: vec![Checkpoint::verify(&seen.note, &demo.verifier_key()).unwrap()],
    };
    let report = verify_with(std::io::Cursor::new(&text), &known).unwrap();
    assert_eq!(report.records, 1302);
    // One that was signed on the way, and the last.
    assert_eq!(report.checkpoints, 2);
    assert!(verify(std::io::Cursor::new(text.replace("web-1", "web-2")), None).is_err());
    let empty = fixture.store.create_tenant(read("empty"), &[]).await.unwrap();
    let mut export = empty.export_audit().await.unwrap();
    let text = export.next().await.unwrap().unwrap();
    assert_eq!(export.next().await.unwrap(), None);
    assert_eq!(verify(std::io::Cursor::new(text), None).unwrap().records, 0);
}

#[tokio::test]
async fn a_record_is_proved_against_a_signed_checkpoint() {
    let fixture = Fixture::new().await;
    let (run, lease) = fixture.begun().await;
    let mut turn = next_turn("demo", run, &lease, 2, 1);
    turn.audit = vec![draft("step.skipped", "job/web-1/step"); 600];
    fixture.store.commit(turn).await.unwrap();
    let demo = fixture.demo();
    for index in [0, 1, 255, 256, 511, 601] {
        let proof = demo.audit_proof(index).await.unwrap().unwrap();
        let checkpoint = Checkpoint::verify(&proof.checkpoint.note, &demo.verifier_key()).unwrap();
        assert_eq!(Record::leaf(&proof.body), proof.leaf);
        verify_inclusion(&proof.leaf, index, checkpoint.size, &proof.path, &checkpoint.root).unwrap();
    }
    assert_eq!(demo.audit_proof(602).await.unwrap(), None);
}

#[tokio::test]
async fn the_records_of_a_run_are_found() {
    let fixture = Fixture::new().await;
    let mut expected = Vec::new();
    for name in ["one", "two"] {
        let (run, lease) = fixture.begun().await;
        let mut turn = next_turn("demo", run, &lease, 2, 1);
        let of_run = |subject: &str| clawd_audit::Draft {
            run: Some(run),
            ..draft("step.skipped", subject)
        };
        turn.audit = vec![of_run(name), draft("unrelated", "x"), of_run(name)];
        fixture.store.commit(turn).await.unwrap();
        let message = clawd_store::Message::Cancel {
            by: read("ana"),
            reason: String::new(),
        };
        fixture
            .demo()
            .post(&message, run, &[of_run("posted")])
            .await
            .unwrap();
        expected.push((run, ["posted", name, name]));
    }
    for (run, subjects) in expected {
        let filter = AuditFilter {
            run: Some(run),
            ..AuditFilter::default()
        };
        let records = fixture.demo().audit(&filter).await.unwrap();
        assert_eq!(
            records
                .iter()
                .map(|record| record.subject.as_str())
                .collect::<Vec<_>>(),
            subjects
        );
        assert_eq!(fixture.acme().audit(&filter).await.unwrap(), []);
        let filter = AuditFilter {
            kind: Some("step".to_owned()),
            limit: 1,
            ..filter
        };
        assert_eq!(fixture.demo().audit(&filter).await.unwrap().len(), 1);
    }
}

/// Whoever alters the newest records in the file is noticed before anything is appended to them.
#[tokio::test]
async fn altered_records_stop_the_log() {
    for (script, table) in [
        (
            "UPDATE audit SET body = replace(body, 'web-1', 'web-2') WHERE position = 299",
            "checkpoints",
        ),
        ("UPDATE audit_tiles SET hashes = zeroblob(8192)", "checkpoints"),
        ("DELETE FROM audit WHERE position = 299", "audit_tiles"),
        ("DELETE FROM audit_tiles", "audit_tiles"),
        (
            "UPDATE checkpoints SET note = 'none' WHERE size > 100",
            "checkpoints",
        ),
    ] {
        let fixture = Fixture::new().await;
        let (run, lease) = fixture.begun().await;
        let mut turn = next_turn("demo", run, &lease, 2, 1);
        turn.audit = vec![draft("step.skipped", "job/web-1/step"); 298];
        fixture.store.commit(turn).await.unwrap();
        fixture.store.close().await;
        crate::open::meddle(&fixture.path(), script).await;
        let store = open(&fixture.path(), fixture.clock.clone()).await;
        let refused = store.commit(next_turn("demo", run, &lease, 3, 1)).await;
        let Err(CommitError::Read(ReadError::Corrupt { table: found, .. })) = &refused else {
            panic!("{script}: {refused:?}")
        };
        assert_eq!(*found, table, "{script}");
        // The other tenant goes on.
        store
            .tenant(read("acme"))
            .record(&[draft("still", "here")])
            .await
            .unwrap();
    }
}

/// A log that outlives its key: an export shows what the new key signed, and that covers everything.
#[tokio::test]
async fn a_log_goes_on_under_another_key() {
    let fixture = Fixture::new().await;
    fixture.demo().checkpoint().await.unwrap();
    fixture.store.close().await;
    let store = crate::fixture::open_with(&fixture.path(), fixture.clock.clone(), [8; 32]).await;
    let demo = store.tenant(read("demo"));
    demo.record(&[draft("key.changed", "audit.key")]).await.unwrap();
    let text = demo.export_audit().await.unwrap().next().await.unwrap().unwrap();
    let report = verify(std::io::Cursor::new(text), Some(&demo.verifier_key())).unwrap();
    assert_eq!((report.records, report.checkpoints), (2, 1));
}
