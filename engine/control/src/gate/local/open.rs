//! Puts the stored policies in force when the process starts.

use std::collections::BTreeSet;
use std::sync::Arc;

use clawd_model::{GroupName, Problem, TenantName};
use clawd_policy::{Bundle, Vocabulary};
use clawd_store::ReadError;

use super::LocalOperator;
use crate::gate::app::App;

/// A tenant whose stored policies do not fit this version: nothing is allowed there until others are published.
#[derive(Debug)]
pub struct Unusable {
    /// Which tenant.
    pub tenant: TenantName,
    /// What is wrong.
    pub problems: Vec<Problem>,
}

impl LocalOperator {
    /// Puts the stored policies of every tenant in force. Call it before anything else.
    ///
    /// # Errors
    /// When the store cannot be read. Policies that do not fit are returned, not an error.
    pub async fn load_policies(&self) -> Result<Vec<Unusable>, ReadError> {
        let app = &self.0;
        let mut unusable = Vec::new();
        for tenant in app.parts.store.tenants().await? {
            let store = app.parts.store.tenant(tenant.clone());
            let Some(stored) = store.bundle().await? else {
                continue;
            };
            let vocabulary = app.vocabulary(store.groups().await?);
            match Bundle::load(&stored.files, &vocabulary) {
                Ok(bundle) => app.policies().put(tenant, Arc::new(bundle)),
                Err(problems) => unusable.push(Unusable { tenant, problems }),
            }
        }
        Ok(unusable)
    }
}

impl App {
    /// What policies of a tenant can talk about: the groups that its principals are in, and those of the packs that
    /// ship.
    pub(crate) fn vocabulary(&self, mut groups: BTreeSet<GroupName>) -> Vocabulary {
        let shipped = clawd_policy::library::packs().iter().flat_map(|pack| pack.groups);
        groups.extend(shipped.filter_map(|group| group.parse().ok()));
        Vocabulary {
            operations: self.registry().specs().values().cloned().collect(),
            groups,
        }
    }
}
