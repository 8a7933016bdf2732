//! Leases: which shards of runs are this process's, and under which epoch.
//!
//! A node that lost its lease can write nothing: every commit carries the epoch. With the embedded store one
//! process owns the data directory (a file lock proves that the previous one is gone), so its leases are taken
//! over at once, under a higher epoch.

use std::sync::Arc;
use std::time::Duration;

use clawd_model::DurationMs;
use clawd_store::{ReadError, RunRow, SHARDS, WriteError};

use crate::env::Env;

/// How long a lease lasts without being renewed.
pub(crate) const LEASE: DurationMs = DurationMs::from_secs(30);
const RENEW_EVERY: Duration = Duration::from_secs(10);

/// Why the runs could not be claimed.
#[derive(Debug, thiserror::Error)]
pub enum ClaimError {
    /// The leases could not be written.
    #[error("the leases could not be taken")]
    Lease(#[from] WriteError),
    /// The runs could not be read.
    #[error("the unfinished runs could not be read")]
    Runs(#[from] ReadError),
}

/// Takes all shards that can be had, and gives their unfinished runs.
pub(crate) async fn all(env: &Env) -> Result<Vec<RunRow>, ClaimError> {
    let store = &env.deps.store;
    let mut held = Vec::new();
    for shard in 0..SHARDS {
        if let Some(lease) = store.acquire(&env.deps.node, shard, LEASE, true).await? {
            env.hold(lease);
            held.push(shard);
        }
    }
    Ok(store.unfinished(&held).await?)
}

/// Renews the leases for as long as the worker lives. A lease that is lost is dropped: its runs can write nothing
/// any more, and stop.
pub(crate) async fn renew_forever(env: Arc<Env>) {
    let mut ticks = tokio::time::interval(RENEW_EVERY);
    ticks.tick().await;
    loop {
        ticks.tick().await;
        for lease in env.held() {
            let shard = lease.shard;
            match env.deps.store.renew(&lease, LEASE).await {
                Ok(Some(renewed)) => env.hold(renewed),
                Ok(None) => {
                    tracing::warn!(shard, epoch = lease.epoch, "the lease was lost to another node");
                    env.lose(shard, lease.epoch);
                }
                Err(error) => tracing::warn!(shard, %error, "the lease could not be renewed; trying again"),
            }
        }
    }
}
