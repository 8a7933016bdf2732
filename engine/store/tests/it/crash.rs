//! After a power cut at any moment: every acknowledged commit is there, whole, with its audit records.
//!
//! The disk of the moment is what lies in the files: they are copied while commits are under way, the write-ahead
//! log is cut off or its end overwritten (what was not yet synced may be lost or torn), and the copy is opened. What
//! had been acknowledged before the copy began has to be there.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use clawd_audit::{Checkpoint, Record, Tree};
use clawd_model::{Entropy as _, RunId, SeededEntropy};
use clawd_store::{Lease, Store};
use tokio::sync::{Semaphore, watch};

use crate::fixture::{Fixture, first_turn, next_turn, open, read};

const RUNS: usize = 6;
const CUTS: usize = 12;
const EVENTS: u64 = 2;
/// How many commits may begin between two power cuts.
const PER_CUT: u64 = 40;

/// A run, and the last number of it that was acknowledged.
struct Committer {
    run: RunId,
    acknowledged: Arc<AtomicU64>,
}

/// How many commits may begin, and how many were acknowledged to anybody.
#[derive(Clone)]
struct Pace {
    permits: Arc<Semaphore>,
    done: watch::Sender<u64>,
}

async fn commit_on(store: Store, run: RunId, lease: Lease, acknowledged: Arc<AtomicU64>, pace: Pace) {
    let mut seq = 2;
    while let Ok(permit) = pace.permits.acquire().await {
        permit.forget();
        store
            .commit(next_turn("demo", run, &lease, seq, 2))
            .await
            .unwrap();
        seq += EVENTS;
        acknowledged.store(seq - 1, Ordering::SeqCst);
        pace.done.send_modify(|done| *done += 1);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_acknowledged_survives_a_power_cut() {
    let seed = std::env::var("SEED")
        .ok()
        .and_then(|seed| seed.parse().ok())
        .unwrap_or(20_260_301);
    println!("seed {seed}; repeat with SEED={seed}");
    let chance = SeededEntropy::new(seed);
    let fixture = Fixture::new().await;
    let (sender, mut done) = watch::channel(0);
    let pace = Pace {
        permits: Arc::new(Semaphore::new(0)),
        done: sender,
    };
    let mut committers = Vec::new();
    let mut tasks = Vec::new();
    for run in (0..RUNS).map(|_| fixture.run_id()).collect::<Vec<_>>() {
        let lease = fixture.lease(run).await;
        fixture
            .store
            .commit(first_turn("demo", run, &lease))
            .await
            .unwrap();
        committers.push((run, lease));
    }
    // Runs that share a shard work under the lease that was claimed last.
    let held = fixture.store.leases().await.unwrap();
    let committers: Vec<_> = committers
        .into_iter()
        .map(|(run, lease)| {
            let lease = held
                .iter()
                .find(|held| held.lease.shard == lease.shard)
                .unwrap()
                .lease
                .clone();
            let acknowledged = Arc::new(AtomicU64::new(1));
            tasks.push(tokio::spawn(commit_on(
                fixture.store.clone(),
                run,
                lease,
                acknowledged.clone(),
                pace.clone(),
            )));
            Committer { run, acknowledged }
        })
        .collect();
    for cut in 0..CUTS {
        let bytes = chance.bytes();
        // More may begin than are waited for, so that some are under way when the power is cut.
        let until = *done.borrow() + u64::from(bytes[0]) % PER_CUT;
        pace.permits.add_permits(usize::try_from(PER_CUT).unwrap());
        done.wait_for(|done| *done >= until).await.unwrap();
        let acknowledged: Vec<u64> = committers
            .iter()
            .map(|c| c.acknowledged.load(Ordering::SeqCst))
            .collect();
        let wal_then = std::fs::metadata(wal(&fixture.path())).unwrap().len();
        let copy = fixture.folder.path().join(format!("cut-{cut}.db"));
        // The database file first: it only changes when the log is copied into it, which is rare; then the log.
        std::fs::copy(fixture.path(), &copy).unwrap();
        std::fs::copy(wal(&fixture.path()), wal(&copy)).unwrap();
        tear(&wal(&copy), wal_then, bytes);
        check(&fixture, &copy, &committers, &acknowledged, cut).await;
    }
    pace.permits.close();
    for task in tasks {
        task.await.unwrap();
    }
}

fn wal(path: &Path) -> std::path::PathBuf {
    path.with_extension("db-wal")
}

/// What lies beyond the length that was there when the acknowledged were counted may be lost, or garbage.
fn tear(wal: &Path, safe: u64, chance: [u8; 32]) {
    let mut bytes = std::fs::read(wal).unwrap();
    let safe = usize::try_from(safe).unwrap().min(bytes.len());
    let beyond = bytes.len() - safe;
    if beyond > 0 {
        let at = safe + usize::from(u16::from_be_bytes([chance[1], chance[2]])) % beyond;
        if chance[3].is_multiple_of(2) {
            bytes.truncate(at);
        } else {
            for byte in &mut bytes[at..] {
                *byte = chance[4];
            }
        }
    }
    std::fs::write(wal, bytes).unwrap();
}

async fn check(fixture: &Fixture, copy: &Path, committers: &[Committer], acknowledged: &[u64], cut: usize) {
    let store = open(copy, fixture.clock.clone()).await;
    let mut turns = 0;
    for (committer, acknowledged) in committers.iter().zip(acknowledged) {
        let journal = store.journal(committer.run).await.unwrap();
        let last = journal.len() as u64;
        assert!(
            last >= *acknowledged,
            "cut {cut}: {last} events of {acknowledged} acknowledged"
        );
        assert!(
            journal.iter().map(|entry| entry.seq).eq(1..=last),
            "cut {cut}: no gaps"
        );
        assert_eq!(
            (last - 1) % EVENTS,
            0,
            "cut {cut}: a turn is there whole or not at all"
        );
        turns += (last - 1) / EVENTS + 1;
    }
    // One record per turn, one for the tenant: a fact and its record are there together.
    let demo = store.tenant(read("demo"));
    let bodies = demo.audit_bodies(0, 1_000_000).await.unwrap();
    assert_eq!(bodies.len() as u64, turns + 1, "cut {cut}");
    let leaves: Vec<_> = bodies.iter().map(|body| Record::leaf(body)).collect();
    for stored in demo.checkpoints().await.unwrap() {
        let checkpoint = Checkpoint::verify(&stored.note, &demo.verifier_key()).unwrap();
        let covered = usize::try_from(checkpoint.size).unwrap();
        assert_eq!(
            checkpoint.root,
            Tree::from_leaves(leaves[..covered].iter().copied()).root(),
            "cut {cut}"
        );
    }
    // And it goes on from there.
    let lease = store
        .acquire(
            "after",
            clawd_store::shard_of(committers[0].run),
            clawd_model::DurationMs(1000),
            true,
        )
        .await
        .unwrap()
        .unwrap();
    let next = store.journal(committers[0].run).await.unwrap().len() as u64 + 1;
    store
        .commit(next_turn("demo", committers[0].run, &lease, next, 1))
        .await
        .unwrap();
    store.close().await;
}
