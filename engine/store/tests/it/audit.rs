//! The audit log: in the same transaction as the fact, numbered without gaps, the same after a restart.

use clawd_audit::{Checkpoint, Record, Tree};
use clawd_store::AuditFilter;

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
