//! What every part of the worker needs.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use clawd_model::Clock;
use clawd_policy::Policies;
use clawd_provider::Registry;
use clawd_store::{Lease, Store};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::announce::Announce;
use crate::directory::Directory;
use crate::observer::Observer;
use crate::secrets::Secrets;

/// What the binary gives to the worker.
#[derive(Clone)]
pub struct Deps {
    /// The journal and everything else that lasts.
    pub store: Store,
    /// The operations.
    pub registry: Arc<Registry>,
    /// The present bundle of each tenant.
    pub policies: Arc<Policies>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Values of secrets, read at the moment of use.
    pub secrets: Arc<dyn Secrets>,
    /// The channels that are told when votes are wanted.
    pub channels: Arc<dyn Announce>,
    /// Told of attempts that ended.
    pub observer: Arc<dyn Observer>,
    /// The name under which this process holds leases; unique among processes.
    pub node: String,
    /// How many attempts may run at once, and how many looks beside them.
    pub attempts_max: usize,
}

/// The worker's inside, shared by the tasks of all runs.
pub(crate) struct Env {
    pub(crate) deps: Deps,
    pub(crate) directory: Directory,
    /// The leases that are held.
    pub(crate) epochs: RwLock<HashMap<u16, Lease>>,
    /// What attempts have to have, in the order in which they asked. Whoever has room waits for nothing else.
    pub(crate) rooms: Arc<Semaphore>,
    /// The same for checks that no attempt has room for yet.
    pub(crate) looks: Arc<Semaphore>,
}

/// Room for one attempt: taken before the gate is asked, so that what it allows begins at once.
pub(crate) type Room = OwnedSemaphorePermit;

impl Env {
    /// The epoch of the lease on a shard; `None` when it is not held here.
    pub(crate) fn epoch(&self, shard: u16) -> Option<u64> {
        self.lease(shard).map(|lease| lease.epoch)
    }

    /// The lease on a shard; `None` when it is not held here.
    pub(crate) fn lease(&self, shard: u16) -> Option<Lease> {
        let epochs = self.epochs.read().unwrap_or_else(PoisonError::into_inner);
        epochs.get(&shard).cloned()
    }

    /// Remembers a lease that was taken or renewed.
    pub(crate) fn hold(&self, lease: Lease) {
        let mut epochs = self.epochs.write().unwrap_or_else(PoisonError::into_inner);
        epochs.insert(lease.shard, lease);
    }

    /// All leases that are held.
    pub(crate) fn held(&self) -> Vec<Lease> {
        let epochs = self.epochs.read().unwrap_or_else(PoisonError::into_inner);
        epochs.values().cloned().collect()
    }

    /// Forgets a lease that was lost: nothing is called under it any more.
    pub(crate) fn lose(&self, shard: u16, epoch: u64) {
        let mut epochs = self.epochs.write().unwrap_or_else(PoisonError::into_inner);
        if epochs.get(&shard).is_some_and(|lease| lease.epoch == epoch) {
            epochs.remove(&shard);
        }
    }
}
