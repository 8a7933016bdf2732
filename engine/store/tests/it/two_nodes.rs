//! Two processes on one file: whoever holds the lease goes on where the other one stopped; nobody writes beside it.

use clawd_audit::export::verify;
use clawd_model::DurationMs;
use clawd_store::{CommitError, Lease, Store, shard_of};

use crate::fixture::{Fixture, first_turn, next_turn, open, read};

async fn claim(store: &Store, shard: u16) -> Lease {
    let claimed = store.acquire("node", shard, DurationMs(1000), true).await;
    claimed.unwrap().unwrap()
}

#[tokio::test]
async fn a_run_moves_between_two_nodes() {
    let fixture = Fixture::new().await;
    let nodes = [
        fixture.store.clone(),
        open(&fixture.path(), fixture.clock.clone()).await,
    ];
    let run = fixture.run_id();
    let shard = shard_of(run);
    let mut lease = claim(&nodes[0], shard).await;
    nodes[0].commit(first_turn("demo", run, &lease)).await.unwrap();
    let mut seq = 2;
    for turn in 0..8 {
        let (holder, other) = (&nodes[(turn + 1) % 2], &nodes[turn % 2]);
        let old = lease;
        lease = claim(holder, shard).await;
        holder
            .commit(next_turn("demo", run, &lease, seq, 2))
            .await
            .unwrap();
        seq += 2;
        // The one that lost the lease is fenced, and one that knows the epoch but not the journal is told.
        let fenced = other.commit(next_turn("demo", run, &old, seq, 1)).await;
        assert!(matches!(fenced, Err(CommitError::Fenced { .. })), "{fenced:?}");
        let late = other.commit(next_turn("demo", run, &lease, seq - 2, 1)).await;
        let Err(CommitError::Conflict { expected, .. }) = late else {
            panic!("{late:?}")
        };
        assert_eq!(expected, seq);
    }
    let journal = nodes[0].journal(run).await.unwrap();
    assert!(journal.iter().map(|entry| entry.seq).eq(1..seq));
}

/// Each node numbers the tenant's records in its memory; when the other one was there in between, it looks again.
#[tokio::test]
async fn the_audit_log_stays_one_log() {
    let fixture = Fixture::new().await;
    let second = open(&fixture.path(), fixture.clock.clone()).await;
    let mut runs = Vec::new();
    for store in [&fixture.store, &second] {
        // Two runs of different shards, one for each node.
        let run = loop {
            let run = fixture.run_id();
            if runs.iter().all(|(other, _)| shard_of(*other) != shard_of(run)) {
                break run;
            }
        };
        let lease = claim(store, shard_of(run)).await;
        store.commit(first_turn("demo", run, &lease)).await.unwrap();
        runs.push((run, lease));
    }
    for seq in 2..20 {
        let [(run, lease), (other, others)] = &runs[..] else {
            panic!()
        };
        fixture
            .store
            .commit(next_turn("demo", *run, lease, seq, 1))
            .await
            .unwrap();
        second
            .commit(next_turn("demo", *other, others, seq, 1))
            .await
            .unwrap();
    }
    let mut export = second.tenant(read("demo")).export_audit().await.unwrap();
    let text = export.next().await.unwrap().unwrap();
    let report = verify(std::io::Cursor::new(text), None).unwrap();
    assert_eq!(report.records, 1 + 2 + 36);
}
