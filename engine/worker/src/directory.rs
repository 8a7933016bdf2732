//! People and servers as the gate needs them, kept in memory until somebody changes them.
//!
//! The gate asks for every step, at the moment of dispatch, so what it reads must be both fresh and cheap:
//! whoever changes a person, a server or a policy calls [`Directory::forget`] after the commit.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use clawd_model::{Principal, PrincipalName, Server, ServerId, TenantName};
use clawd_store::{ReadError, Store};
use tokio::time::Instant;

/// People and servers of one tenant.
pub(crate) struct Members {
    /// Everybody, by name.
    pub(crate) principals: Vec<Principal>,
    by_name: HashMap<PrincipalName, usize>,
    servers: HashMap<ServerId, Arc<Server>>,
}

impl Members {
    pub(crate) fn principal(&self, name: &PrincipalName) -> Option<&Principal> {
        self.by_name.get(name).and_then(|at| self.principals.get(*at))
    }

    pub(crate) fn server(&self, id: ServerId) -> Option<&Arc<Server>> {
        self.servers.get(&id)
    }
}

/// How long a tenant's people and servers are believed without a look at the store. [`Directory::forget`] is what
/// keeps them fresh; this bounds the harm when somebody who should have called it went away in the middle.
const BELIEVED: Duration = Duration::from_secs(5);

/// The tenants' people and servers.
#[derive(Default)]
pub(crate) struct Directory {
    known: RwLock<Known>,
    /// Held by the one who reads: thousands of lanes may ask at once.
    reading: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct Known {
    members: HashMap<TenantName, (Instant, Arc<Members>)>,
    /// Counts what was forgotten: what was read before that is not remembered after it.
    forgotten: u64,
}

impl Directory {
    /// The people and servers of a tenant.
    pub(crate) async fn members(
        &self,
        store: &Store,
        tenant: &TenantName,
    ) -> Result<Arc<Members>, ReadError> {
        if let (_, Some(known)) = self.recall(tenant) {
            return Ok(known);
        }
        let _reading = self.reading.lock().await;
        let (forgotten, known) = self.recall(tenant);
        if let Some(known) = known {
            return Ok(known);
        }
        let handle = store.tenant(tenant.clone());
        let principals = handle.principals().await?;
        let servers = handle.servers().await?;
        let members = Arc::new(Members {
            by_name: principals
                .iter()
                .enumerate()
                .map(|(at, who)| (who.name.clone(), at))
                .collect(),
            principals,
            servers: servers
                .into_iter()
                .map(|server| (server.id, Arc::new(server)))
                .collect(),
        });
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        if known.forgotten == forgotten {
            known
                .members
                .insert(tenant.clone(), (Instant::now(), Arc::clone(&members)));
        }
        Ok(members)
    }

    /// What is known of a tenant, and how often something was forgotten before that.
    fn recall(&self, tenant: &TenantName) -> (u64, Option<Arc<Members>>) {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        let fresh = known
            .members
            .get(tenant)
            .filter(|(at, _)| at.elapsed() < BELIEVED);
        (known.forgotten, fresh.map(|(_, members)| Arc::clone(members)))
    }

    /// Reads anew at the next question.
    pub(crate) fn forget(&self, tenant: &TenantName) {
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        known.forgotten += 1;
        known.members.remove(tenant);
    }
}
