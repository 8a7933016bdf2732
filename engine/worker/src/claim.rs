//! Leases: which shards of runs are this process's, and under which epoch.
//!
//! A node that lost its lease can write nothing: every commit carries the epoch. With the embedded store one
//! process owns the data directory (a file lock proves that the previous one is gone), so its leases are taken
//! over at once, under a higher epoch.

use std::sync::Arc;
use std::time::Duration;

use clawd_model::DurationMs;
use clawd_store::{RunHead, SHARDS, StoreError};

use crate::env::Env;

/// How long a lease lasts without being renewed.
pub(crate) const LEASE: DurationMs = DurationMs::from_secs(30);
const RENEW_EVERY: Duration = Duration::from_secs(10);

/// Takes all shards that can be had, and gives their unfinished runs.
pub(crate) async fn all(env: &Env) -> Result<Vec<RunHead>, StoreError> {
    let store = &env.deps.store;
    let mut held = Vec::new();
    for shard in 0..SHARDS {
        if let Some(lease) = store.acquire(&env.deps.node, shard, LEASE, true).await? {
            if let Ok(mut epochs) = env.epochs.write() {
                epochs.insert(shard, lease.epoch);
            }
            held.push(shard);
        }
    }
    store.unfinished(&held).await
}

/// Renews the leases for as long as the worker lives. A lease that is lost is dropped: its runs can write nothing
/// any more, and stop.
pub(crate) async fn renew_forever(env: Arc<Env>) {
    let mut ticks = tokio::time::interval(RENEW_EVERY);
    ticks.tick().await;
    loop {
        ticks.tick().await;
        let held: Vec<(u16, u64)> =
            env.epochs.read().map(|epochs| epochs.iter().map(|(shard, epoch)| (*shard, *epoch)).collect()).unwrap_or_default();
        for (shard, epoch) in held {
            match env.deps.store.renew(&env.deps.node, shard, epoch, LEASE).await {
                Ok(true) => {}
                Ok(false) => {
                    tracing::warn!(shard, epoch, "the lease was lost to another node");
                    if let Ok(mut epochs) = env.epochs.write() {
                        epochs.remove(&shard);
                    }
                }
                Err(error) => tracing::warn!(shard, %error, "the lease could not be renewed; trying again"),
            }
        }
    }
}
