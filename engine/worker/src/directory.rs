//! People and servers as the gate needs them, kept in memory until somebody changes them.
//!
//! The gate asks for every step, at the moment of dispatch, so what it reads must be both fresh and cheap:
//! whoever changes a person, a server or a policy calls [`Directory::forget`] after the commit.

use std::collections::HashMap;
use std::sync::{Arc, RwLock};

use clawd_model::{Principal, PrincipalName, Server, ServerId, TenantName};
use clawd_store::{ReadError, Store};

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

/// The tenants' people and servers.
#[derive(Default)]
pub(crate) struct Directory(RwLock<HashMap<TenantName, Arc<Members>>>);

impl Directory {
    /// The people and servers of a tenant.
    pub(crate) async fn members(
        &self,
        store: &Store,
        tenant: &TenantName,
    ) -> Result<Arc<Members>, ReadError> {
        if let Some(known) = self.0.read().ok().and_then(|known| known.get(tenant).cloned()) {
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
        if let Ok(mut known) = self.0.write() {
            known.insert(tenant.clone(), Arc::clone(&members));
        }
        Ok(members)
    }

    /// Reads anew at the next question.
    pub(crate) fn forget(&self, tenant: &TenantName) {
        if let Ok(mut known) = self.0.write() {
            known.remove(tenant);
        }
    }
}
