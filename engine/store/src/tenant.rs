//! Tenants, and the handle through which everything of one tenant is reached.

use std::fmt;

use clawd_audit::Draft;
use clawd_model::TenantName;

use crate::error::{ReadError, WriteError};
use crate::row::{self, Row, Stored};
use crate::sql::sql;
use crate::store::Store;
use crate::writer::Change;

/// The store as one tenant sees it: nothing of another tenant can be read or written through it.
#[derive(Clone)]
pub struct TenantStore {
    pub(crate) store: Store,
    pub(crate) tenant: TenantName,
}

impl fmt::Debug for TenantStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TenantStore({})", self.tenant)
    }
}

impl TenantStore {
    pub(crate) const fn new(store: Store, tenant: TenantName) -> Self {
        Self { store, tenant }
    }

    /// Whose it is.
    #[must_use]
    pub const fn name(&self) -> &TenantName {
        &self.tenant
    }

    /// The start of a change of this tenant.
    pub(crate) fn change(&self) -> Change {
        Change::new(self.tenant.clone(), self.store.now())
    }

    /// Makes a change; `what` names in errors the thing that it is about.
    pub(crate) async fn write(&self, change: Change, what: &'static str) -> Result<(), WriteError> {
        match self.store.inner.writer.change(change).await {
            Ok(_) => Ok(()),
            Err(refused) => Err(refused.into_write(what)),
        }
    }
}

struct Name(TenantName);

impl Stored for Name {
    const TABLE: &'static str = "tenants";
    const KEY: &'static str = "name";
}

impl TryFrom<Row<'_>> for Name {
    type Error = ReadError;

    fn try_from(row: Row<'_>) -> Result<Self, ReadError> {
        row.parse("name").map(Self)
    }
}

impl Store {
    /// All tenants, by name.
    ///
    /// # Errors
    /// When the database fails.
    #[tracing::instrument(name = "db.tenant.list", skip_all)]
    pub async fn tenants(&self) -> Result<Vec<TenantName>, ReadError> {
        let names: Vec<Name> =
            row::all(self.readers(), sql("SELECT name FROM tenants ORDER BY name")).await?;
        Ok(names.into_iter().map(|name| name.0).collect())
    }

    /// Makes a tenant.
    ///
    /// # Errors
    /// When there is one of that name, or the database fails.
    #[tracing::instrument(name = "db.tenant.create", skip_all, fields(%tenant))]
    pub async fn create_tenant(
        &self,
        tenant: TenantName,
        audit: &[Draft],
    ) -> Result<TenantStore, WriteError> {
        let now = self.now();
        let change = Change::new(tenant.clone(), now)
            .one(
                sql("INSERT INTO tenants (name, created_at) VALUES (?, ?)")
                    .bind(tenant.as_str())
                    .bind(now.0),
            )
            .audit(audit);
        let handle = self.tenant(tenant);
        handle.write(change, "tenant").await?;
        Ok(handle)
    }
}
