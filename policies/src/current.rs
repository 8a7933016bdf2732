//! The bundle in force, by tenant: shared by whoever asks the gate and whoever publishes.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use clawd_model::TenantName;

use crate::Bundle;

/// The bundle in force, by tenant. A tenant without one is allowed nothing.
#[derive(Default)]
pub struct Policies(RwLock<HashMap<TenantName, Arc<Bundle>>>);

impl fmt::Debug for Policies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Policies")
    }
}

impl Policies {
    /// The bundle in force.
    #[must_use]
    pub fn current(&self, tenant: &TenantName) -> Option<Arc<Bundle>> {
        self.0
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(tenant)
            .cloned()
    }

    /// Puts a bundle in force. Decisions that are being made go on with the one that they began with.
    pub fn put(&self, tenant: TenantName, bundle: Arc<Bundle>) {
        self.0
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(tenant, bundle);
    }
}
