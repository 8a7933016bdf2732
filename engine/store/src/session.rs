//! Sign-in links, which work once, and the sessions that they begin. Both are known by the SHA-256 of their text.

use clawd_audit::Draft;
use clawd_model::{Digest, PrincipalName, TenantName, Timestamp};

use crate::error::{ReadError, WriteError};
use crate::row::{self, Row, Stored};
use crate::sql::sql;
use crate::store::Store;
use crate::tenant::TenantStore;

/// Whom a link or a session signs in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedIn {
    /// The tenant.
    pub tenant: TenantName,
    /// The principal.
    pub principal: PrincipalName,
    /// Since when its present secret works.
    pub created_at: Timestamp,
    /// From when on it is refused.
    pub expires_at: Timestamp,
}

impl Stored for SignedIn {
    const TABLE: &'static str = "sessions";
    const KEY: &'static str = "principal";
}

impl TryFrom<Row<'_>> for SignedIn {
    type Error = ReadError;

    fn try_from(row: Row<'_>) -> Result<Self, ReadError> {
        Ok(Self {
            tenant: row.parse("tenant")?,
            principal: row.parse("principal")?,
            created_at: row.time("created_at")?,
            expires_at: row.time("expires_at")?,
        })
    }
}

impl Store {
    /// The session whose secret has this digest, if it lasts and its principal is not disabled.
    ///
    /// # Errors
    /// When the database fails.
    #[tracing::instrument(name = "db.session.find", skip_all)]
    pub async fn session_by_hash(&self, hash: Digest) -> Result<Option<SignedIn>, ReadError> {
        let query = sql(
            "SELECT sessions.tenant, principal, created_at, expires_at FROM sessions
             JOIN principals ON principals.tenant = sessions.tenant AND principals.name = sessions.principal
             WHERE hash = ? AND expires_at > ? AND NOT disabled",
        )
        .bind(hash.to_string())
        .bind(self.now().0);
        row::optional(self.readers(), query).await
    }

    /// Whom the sign-in link with this digest would sign in, if it was not used and has not expired.
    ///
    /// # Errors
    /// When the database fails.
    #[tracing::instrument(name = "db.session.find_link", skip_all)]
    pub async fn link_by_hash(&self, hash: Digest) -> Result<Option<SignedIn>, ReadError> {
        let query = sql(
            "SELECT sign_in_links.tenant, principal, created_at, expires_at FROM sign_in_links
             JOIN principals
               ON principals.tenant = sign_in_links.tenant AND principals.name = sign_in_links.principal
             WHERE hash = ? AND expires_at > ? AND NOT disabled",
        )
        .bind(hash.to_string())
        .bind(self.now().0);
        row::optional(self.readers(), query).await
    }
}

impl TenantStore {
    /// Keeps a link that signs one of the tenant's principals in, once.
    ///
    /// # Errors
    /// When there is no such principal, or the database fails.
    #[tracing::instrument(name = "db.session.put_link", skip_all, fields(%principal))]
    pub async fn put_link(
        &self,
        principal: &PrincipalName,
        hash: Digest,
        expires_at: Timestamp,
        audit: &[Draft],
    ) -> Result<(), WriteError> {
        let change = self.change();
        let now = change.at;
        let change = change
            .one(
                sql("INSERT INTO sign_in_links (hash, tenant, principal, created_at, expires_at) VALUES (?, ?, ?, ?, ?)")
                    .bind(hash.to_string())
                    .bind(self.tenant.as_str())
                    .bind(principal.as_str())
                    .bind(now.0)
                    .bind(expires_at.0),
            )
            .audit(audit);
        self.write(change, "principal").await
    }

    /// Uses a link up and begins a session with it, in one transaction: of two who try, one gets in.
    ///
    /// # Errors
    /// When the link was used, has expired, is another tenant's or its principal is disabled, or the database fails.
    #[tracing::instrument(name = "db.session.redeem_link", skip_all)]
    pub async fn redeem_link(
        &self,
        link: Digest,
        session: Digest,
        expires_at: Timestamp,
        audit: &[Draft],
    ) -> Result<(), WriteError> {
        let change = self.change();
        let now = change.at;
        let change = change
            .one(
                sql(
                    "INSERT INTO sessions (hash, tenant, principal, created_at, expires_at)
                     SELECT ?1, links.tenant, links.principal, ?2, ?3
                     FROM sign_in_links AS links
                     JOIN principals ON principals.tenant = links.tenant AND principals.name = links.principal
                     WHERE links.hash = ?4 AND links.tenant = ?5 AND links.expires_at > ?2 AND NOT disabled",
                )
                .bind(session.to_string())
                .bind(now.0)
                .bind(expires_at.0)
                .bind(link.to_string())
                .bind(self.tenant.as_str()),
            )
            .one(sql("DELETE FROM sign_in_links WHERE hash = ?").bind(link.to_string()))
            // Nobody needs what has expired.
            .run(sql("DELETE FROM sign_in_links WHERE expires_at <= ?").bind(now.0))
            .run(sql("DELETE FROM sessions WHERE expires_at <= ?").bind(now.0))
            .audit(audit);
        self.write(change, "usable sign-in link").await
    }

    /// Begins a session of one of the tenant's principals.
    ///
    /// # Errors
    /// When there is no such principal, or the database fails.
    #[tracing::instrument(name = "db.session.put", skip_all, fields(%principal))]
    pub async fn put_session(
        &self,
        principal: &PrincipalName,
        hash: Digest,
        expires_at: Timestamp,
        audit: &[Draft],
    ) -> Result<(), WriteError> {
        let change = self.change();
        let now = change.at;
        let change = change
            .one(
                sql("INSERT INTO sessions (hash, tenant, principal, created_at, expires_at) VALUES (?, ?, ?, ?, ?)")
                    .bind(hash.to_string())
                    .bind(self.tenant.as_str())
                    .bind(principal.as_str())
                    .bind(now.0)
                    .bind(expires_at.0),
            )
            .audit(audit);
        self.write(change, "principal").await
    }

    /// Gives a session another secret. The old one works until `old_expires_at`, for requests that are under way.
    ///
    /// # Errors
    /// When the tenant has no such session or it has ended, or the database fails.
    #[tracing::instrument(name = "db.session.rotate", skip_all)]
    pub async fn rotate_session(
        &self,
        old: Digest,
        new: Digest,
        old_expires_at: Timestamp,
        audit: &[Draft],
    ) -> Result<(), WriteError> {
        let change = self.change();
        let now = change.at;
        let change = change
            .one(
                sql(
                    "INSERT INTO sessions (hash, tenant, principal, created_at, expires_at)
                     SELECT ?1, tenant, principal, ?2, expires_at FROM sessions
                     WHERE hash = ?3 AND tenant = ?4 AND expires_at > ?5",
                )
                .bind(new.to_string())
                .bind(now.0)
                .bind(old.to_string())
                .bind(self.tenant.as_str())
                .bind(old_expires_at.0),
            )
            .one(
                sql("UPDATE sessions SET expires_at = ? WHERE hash = ?")
                    .bind(old_expires_at.0)
                    .bind(old.to_string()),
            )
            .audit(audit);
        self.write(change, "session").await
    }

    /// Ends a session.
    ///
    /// # Errors
    /// When the tenant has no such session, or the database fails.
    #[tracing::instrument(name = "db.session.end", skip_all)]
    pub async fn end_session(&self, hash: Digest, audit: &[Draft]) -> Result<(), WriteError> {
        let change = self
            .change()
            .one(
                sql("DELETE FROM sessions WHERE hash = ? AND tenant = ?")
                    .bind(hash.to_string())
                    .bind(self.tenant.as_str()),
            )
            .audit(audit);
        self.write(change, "session").await
    }
}
