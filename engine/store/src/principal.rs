//! Principals: who may ask for something in a tenant.

use std::collections::BTreeSet;

use clawd_audit::Draft;
use clawd_model::{GroupName, Principal, PrincipalKind, PrincipalName};

use crate::credential;
use crate::error::{ReadError, WriteError};
use crate::row::{self, Row, Stored};
use crate::sql::sql;
use crate::tenant::TenantStore;

impl Stored for Principal {
    const TABLE: &'static str = "principals";
    const KEY: &'static str = "name";
}

impl TryFrom<Row<'_>> for Principal {
    type Error = ReadError;

    fn try_from(row: Row<'_>) -> Result<Self, ReadError> {
        Ok(Self {
            tenant: row.parse("tenant")?,
            kind: row.word::<PrincipalKind>("kind")?,
            name: row.parse("name")?,
            display_name: row.text("display_name")?.to_owned(),
            groups: row.json("groups")?,
            operator: row.optional("operator", Row::parse)?,
            disabled: row.flag("disabled")?,
        })
    }
}

impl TenantStore {
    /// All principals of the tenant, by name, those who left included.
    ///
    /// # Errors
    /// When the database fails, or a principal cannot be read.
    #[tracing::instrument(name = "db.principal.list", skip_all)]
    pub async fn principals(&self) -> Result<Vec<Principal>, ReadError> {
        let query = sql("SELECT * FROM principals WHERE tenant = ? ORDER BY name").bind(self.tenant.as_str());
        row::all(self.store.readers(), query).await
    }

    /// One principal, by name.
    ///
    /// # Errors
    /// When the database fails, or the principal cannot be read.
    #[tracing::instrument(name = "db.principal.get", skip_all, fields(%name))]
    pub async fn principal(&self, name: &PrincipalName) -> Result<Option<Principal>, ReadError> {
        let query = sql("SELECT * FROM principals WHERE tenant = ? AND name = ?")
            .bind(self.tenant.as_str())
            .bind(name.as_str());
        row::optional(self.store.readers(), query).await
    }

    /// Every group that some principal of the tenant is in.
    ///
    /// # Errors
    /// When the database fails, or a principal cannot be read.
    #[tracing::instrument(name = "db.principal.groups", skip_all)]
    pub async fn groups(&self) -> Result<BTreeSet<GroupName>, ReadError> {
        Ok(self
            .principals()
            .await?
            .into_iter()
            .flat_map(|principal| principal.groups)
            .collect())
    }

    /// Adds a principal, or replaces the one of that name. Principals are never removed, since what they did stays
    /// on record; somebody who leaves is disabled, which ends their sessions and links.
    ///
    /// # Errors
    /// When the database fails.
    #[tracing::instrument(name = "db.principal.put", skip_all, fields(name = %principal.name))]
    pub async fn put_principal(&self, principal: &Principal, audit: &[Draft]) -> Result<(), WriteError> {
        let change = self
            .change()
            .one(
                sql(
                    "INSERT INTO principals (tenant, name, kind, display_name, groups, operator, disabled)
                     VALUES (?, ?, ?, ?, ?, ?, ?)
                     ON CONFLICT (tenant, name) DO UPDATE
                     SET kind = excluded.kind, display_name = excluded.display_name, groups = excluded.groups,
                         operator = excluded.operator, disabled = excluded.disabled",
                )
                .bind(self.tenant.as_str())
                .bind(principal.name.as_str())
                .bind(row::word(&principal.kind)?)
                .bind(principal.display_name.as_str())
                .bind(serde_json::to_string(&principal.groups)?)
                .bind(principal.operator.as_ref().map(PrincipalName::as_str))
                .bind(principal.disabled),
            )
            .audit(audit);
        let change = if principal.disabled {
            credential::sign_out(change, &self.tenant, &principal.name)
        } else {
            change
        };
        self.write(change, "principal").await
    }
}
