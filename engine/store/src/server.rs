//! Servers: the machines of a tenant.

use clawd_audit::Draft;
use clawd_model::{Facts, Server, ServerId, ServerName};

use crate::error::{ReadError, WriteError};
use crate::row::{self, Row, Stored};
use crate::sql::sql;
use crate::tenant::TenantStore;
use crate::writer::Refused;

impl Stored for Server {
    const TABLE: &'static str = "servers";
    const KEY: &'static str = "id";
}

impl TryFrom<Row<'_>> for Server {
    type Error = ReadError;

    fn try_from(row: Row<'_>) -> Result<Self, ReadError> {
        let own = |row: &Row<'_>, column| row.text(column).map(str::to_owned);
        let facts = match row.optional("facts", Row::json)? {
            Some(values) => Some(Facts {
                values,
                at: row.time("facts_at")?,
            }),
            None => None,
        };
        Ok(Self {
            id: row.parse("id")?,
            tenant: row.parse("tenant")?,
            name: row.parse("name")?,
            provider: row.word("provider")?,
            address: own(&row, "address")?,
            env: own(&row, "env")?,
            labels: row.json("labels")?,
            protected: row.flag("protected")?,
            host_key: row.optional("host_key", own)?,
            identity: row.optional("identity", Row::parse)?,
            facts,
            version: row.int("version")?,
        })
    }
}

impl TenantStore {
    /// All servers of the tenant, by name.
    ///
    /// # Errors
    /// When the database fails, or a server cannot be read.
    #[tracing::instrument(name = "db.server.list", skip_all)]
    pub async fn servers(&self) -> Result<Vec<Server>, ReadError> {
        let query = sql("SELECT * FROM servers WHERE tenant = ? ORDER BY name").bind(self.tenant.as_str());
        row::all(self.store.readers(), query).await
    }

    /// One server, by its id.
    ///
    /// # Errors
    /// When the database fails, or the server cannot be read.
    #[tracing::instrument(name = "db.server.get", skip_all, fields(%server))]
    pub async fn server(&self, server: ServerId) -> Result<Option<Server>, ReadError> {
        let query = sql("SELECT * FROM servers WHERE id = ? AND tenant = ?")
            .bind(server.to_string())
            .bind(self.tenant.as_str());
        row::optional(self.store.readers(), query).await
    }

    /// One server, by its name.
    ///
    /// # Errors
    /// When the database fails, or the server cannot be read.
    #[tracing::instrument(name = "db.server.by_name", skip_all, fields(%name))]
    pub async fn server_by_name(&self, name: &ServerName) -> Result<Option<Server>, ReadError> {
        let query = sql("SELECT * FROM servers WHERE name = ? AND tenant = ?")
            .bind(name.as_str())
            .bind(self.tenant.as_str());
        row::optional(self.store.readers(), query).await
    }

    /// Adds a server, or replaces it if its `version` is still the stored one; the stored version then is one more.
    /// A new server has version 0 and is stored with version 1. Facts are left as they are: [`Self::put_facts`].
    ///
    /// # Errors
    /// When the name is taken, the server was changed in the meantime, or the database fails.
    #[tracing::instrument(name = "db.server.put", skip_all, fields(name = %server.name))]
    pub async fn put_server(&self, server: &Server, audit: &[Draft]) -> Result<(), WriteError> {
        let change = self
            .change()
            .one(
                sql("INSERT INTO servers (id, tenant, name, provider, address, env, labels, protected, host_key,
                                          identity, version)
                     -- A server that was removed in the meantime does not come back by an edit.
                     SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, 1
                     WHERE ?11 = 0 OR EXISTS (SELECT 1 FROM servers WHERE id = ?1 AND tenant = ?2)
                     ON CONFLICT (id) DO UPDATE
                     SET name = excluded.name, provider = excluded.provider, address = excluded.address,
                         env = excluded.env, labels = excluded.labels, protected = excluded.protected,
                         host_key = excluded.host_key, identity = excluded.identity, version = servers.version + 1
                     WHERE servers.tenant = excluded.tenant AND servers.version = ?11")
                .bind(server.id.to_string())
                .bind(self.tenant.as_str())
                .bind(server.name.as_str())
                .bind(server.provider.as_str())
                .bind(server.address.as_str())
                .bind(server.env.as_str())
                .bind(serde_json::to_string(&server.labels)?)
                .bind(server.protected)
                .bind(server.host_key.as_deref())
                .bind(server.identity.as_ref().map(clawd_model::KeyName::as_str))
                .bind(server.version),
            )
            .audit(audit);
        match self.store.inner.writer.change(change).await {
            Ok(_) => Ok(()),
            Err(Refused::Unmet) => Err(WriteError::Changed("server")),
            Err(refused) => Err(refused.into_write("server")),
        }
    }

    /// Keeps what was learnt of a server, unless something newer is known.
    ///
    /// # Errors
    /// When there is no such server, or the database fails.
    #[tracing::instrument(name = "db.server.put_facts", skip_all, fields(%server))]
    pub async fn put_facts(
        &self,
        server: ServerId,
        facts: &Facts,
        audit: &[Draft],
    ) -> Result<(), WriteError> {
        let change = self
            .change()
            .one(
                sql("UPDATE servers
                     SET facts = iif(coalesce(facts_at, ?1) <= ?1, ?2, facts), facts_at = max(coalesce(facts_at, ?1), ?1)
                     WHERE id = ?3 AND tenant = ?4")
                .bind(facts.at.0)
                .bind(serde_json::to_string(&facts.values)?)
                .bind(server.to_string())
                .bind(self.tenant.as_str()),
            )
            .audit(audit);
        self.write(change, "server").await
    }

    /// Forgets a server. Runs that worked on it keep their journals.
    ///
    /// # Errors
    /// When there is no such server, or the database fails.
    #[tracing::instrument(name = "db.server.remove", skip_all, fields(%server))]
    pub async fn remove_server(&self, server: ServerId, audit: &[Draft]) -> Result<(), WriteError> {
        let change = self
            .change()
            .one(
                sql("DELETE FROM servers WHERE id = ? AND tenant = ?")
                    .bind(server.to_string())
                    .bind(self.tenant.as_str()),
            )
            .audit(audit);
        self.write(change, "server").await
    }
}
