//! Sign-in links, which work once, and the sessions that they begin. Both are known by the SHA-256 of their text.

use clawd_audit::Draft;
use clawd_model::{CredentialId, Digest, Origin, PrincipalName, SessionId, TenantName, Timestamp};

use crate::credential;
use crate::error::{ReadError, WriteError};
use crate::row::{self, Row, Stored};
use crate::sql::sql;
use crate::store::Store;
use crate::tenant::TenantStore;

/// A session of the console.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// Its id, which is no secret, and stays when its secret changes.
    pub id: SessionId,
    /// The tenant.
    pub tenant: TenantName,
    /// Whom it signs in.
    pub principal: PrincipalName,
    /// Since when its present secret works.
    pub created_at: Timestamp,
    /// From when on it is refused.
    pub expires_at: Timestamp,
    /// Where it comes from.
    pub origin: Origin,
}

impl Stored for Session {
    const TABLE: &'static str = "sessions";
    const KEY: &'static str = "id";
}

impl TryFrom<Row<'_>> for Session {
    type Error = ReadError;

    fn try_from(row: Row<'_>) -> Result<Self, ReadError> {
        Ok(Self {
            id: row.parse("id")?,
            tenant: row.parse("tenant")?,
            principal: row.parse("principal")?,
            created_at: row.time("created_at")?,
            expires_at: row.time("expires_at")?,
            origin: credential::origin(&row)?,
        })
    }
}

/// A link that begins a session, once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// The tenant.
    pub tenant: TenantName,
    /// Whom it signs in.
    pub principal: PrincipalName,
    /// When it was made.
    pub created_at: Timestamp,
    /// From when on it is refused.
    pub expires_at: Timestamp,
    /// When the session that it begins ends at the latest: with what the link was made with.
    pub session_until: Option<Timestamp>,
    /// Where it comes from, and so the session.
    pub origin: Origin,
}

impl Stored for Link {
    const TABLE: &'static str = "sign_in_links";
    const KEY: &'static str = "principal";
}

impl TryFrom<Row<'_>> for Link {
    type Error = ReadError;

    fn try_from(row: Row<'_>) -> Result<Self, ReadError> {
        Ok(Self {
            tenant: row.parse("tenant")?,
            principal: row.parse("principal")?,
            created_at: row.time("created_at")?,
            expires_at: row.time("expires_at")?,
            session_until: row.optional("session_until", Row::time)?,
            origin: credential::origin(&row)?,
        })
    }
}

impl Store {
    /// The session whose secret has this digest, if it lasts and its principal is not disabled.
    ///
    /// # Errors
    /// When the database fails.
    #[tracing::instrument(name = "db.session.find", skip_all)]
    pub async fn session_by_hash(&self, hash: Digest) -> Result<Option<Session>, ReadError> {
        let query = sql("SELECT sessions.* FROM sessions
             JOIN principals ON principals.tenant = sessions.tenant AND principals.name = sessions.principal
             WHERE hash = ? AND expires_at > ? AND NOT disabled")
        .bind(hash.to_string())
        .bind(self.now().0);
        row::optional(self.readers(), query).await
    }

    /// The sign-in link with this digest, if it was not used and has not expired.
    ///
    /// # Errors
    /// When the database fails.
    #[tracing::instrument(name = "db.session.find_link", skip_all)]
    pub async fn link_by_hash(&self, hash: Digest) -> Result<Option<Link>, ReadError> {
        let query = sql("SELECT sign_in_links.* FROM sign_in_links
             JOIN principals
               ON principals.tenant = sign_in_links.tenant AND principals.name = sign_in_links.principal
             WHERE hash = ? AND expires_at > ? AND NOT disabled")
        .bind(hash.to_string())
        .bind(self.now().0);
        row::optional(self.readers(), query).await
    }
}

impl TenantStore {
    /// Keeps a link that signs one of the tenant's principals in, once, under the digest of its text.
    ///
    /// # Errors
    /// When there is no such principal, when what it was made with was ended, or the database fails.
    #[tracing::instrument(name = "db.session.put_link", skip_all, fields(principal = %link.principal))]
    pub async fn put_link(&self, link: &Link, hash: Digest, audit: &[Draft]) -> Result<(), WriteError> {
        let change = credential::parent_lasts(self.change(), &self.tenant, &link.origin)
            .one(
                sql("INSERT INTO sign_in_links (hash, tenant, principal, created_at, expires_at, session_until,
                                                issued_by, made_with)
                     VALUES (?, ?, ?, ?, ?, ?, ?, ?)")
                .bind(hash.to_string())
                .bind(self.tenant.as_str())
                .bind(link.principal.as_str())
                .bind(link.created_at.0)
                .bind(link.expires_at.0)
                .bind(link.session_until.map(|until| until.0))
                .bind(serde_json::to_string(&link.origin.issued_by)?)
                .bind(serde_json::to_string(&link.origin.made_with)?),
            )
            .audit(audit);
        self.write_credential(change).await
    }

    /// Uses a link up and begins a session with it, in one transaction: of two who try, one gets in. The session
    /// inherits the link's origin, and ends no later than what the link was made with.
    ///
    /// # Errors
    /// When the link was used, has expired, is another tenant's or its principal is disabled, or the database fails.
    #[tracing::instrument(name = "db.session.redeem_link", skip_all)]
    pub async fn redeem_link(
        &self,
        link: Digest,
        (id, session): (SessionId, Digest),
        expires_at: Timestamp,
        audit: &[Draft],
    ) -> Result<(), WriteError> {
        let change = self.change();
        let now = change.at;
        let change = change
            .one(
                sql(
                    "INSERT INTO sessions (hash, id, tenant, principal, created_at, expires_at, issued_by, made_with)
                     SELECT ?1, ?6, links.tenant, links.principal, ?2, min(?3, coalesce(links.session_until, ?3)),
                            links.issued_by, links.made_with
                     FROM sign_in_links AS links
                     JOIN principals ON principals.tenant = links.tenant AND principals.name = links.principal
                     WHERE links.hash = ?4 AND links.tenant = ?5 AND links.expires_at > ?2 AND NOT disabled",
                )
                .bind(session.to_string())
                .bind(now.0)
                .bind(expires_at.0)
                .bind(link.to_string())
                .bind(self.tenant.as_str())
                .bind(id.to_string()),
            )
            .one(sql("DELETE FROM sign_in_links WHERE hash = ?").bind(link.to_string()))
            // Nobody needs what has expired.
            .run(sql("DELETE FROM sign_in_links WHERE expires_at <= ?").bind(now.0))
            .run(sql("DELETE FROM sessions WHERE expires_at <= ?").bind(now.0))
            .audit(audit);
        self.write(change, "usable sign-in link").await
    }

    /// Begins a session of one of the tenant's principals, under the digest of its secret.
    ///
    /// # Errors
    /// When there is no such principal, or the database fails.
    #[tracing::instrument(name = "db.session.put", skip_all, fields(principal = %session.principal))]
    pub async fn put_session(
        &self,
        session: &Session,
        hash: Digest,
        audit: &[Draft],
    ) -> Result<(), WriteError> {
        let change = credential::parent_lasts(self.change(), &self.tenant, &session.origin)
            .one(
                sql(
                    "INSERT INTO sessions (hash, id, tenant, principal, created_at, expires_at, issued_by, made_with)
                     VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                )
                .bind(hash.to_string())
                .bind(session.id.to_string())
                .bind(self.tenant.as_str())
                .bind(session.principal.as_str())
                .bind(session.created_at.0)
                .bind(session.expires_at.0)
                .bind(serde_json::to_string(&session.origin.issued_by)?)
                .bind(serde_json::to_string(&session.origin.made_with)?),
            )
            .audit(audit);
        self.write_credential(change).await
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
                    "INSERT INTO sessions (hash, id, tenant, principal, created_at, expires_at, issued_by, made_with)
                     SELECT ?1, id, tenant, principal, ?2, expires_at, issued_by, made_with FROM sessions
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

    /// Ends a session, known by any secret of it, and everything that was made in it.
    ///
    /// # Errors
    /// When the tenant has no such session, or the database fails.
    #[tracing::instrument(name = "db.session.end", skip_all, fields(%id))]
    pub async fn end_session(
        &self,
        (id, hash): (SessionId, Digest),
        audit: &[Draft],
    ) -> Result<(), WriteError> {
        let change =
            credential::end_what_was_made_with(self.change(), &self.tenant, CredentialId::Session(id))
                .one(
                    sql("DELETE FROM sessions WHERE hash = ? AND id = ? AND tenant = ?")
                        .bind(hash.to_string())
                        .bind(id.to_string())
                        .bind(self.tenant.as_str()),
                )
                // The secret that it had a moment ago.
                .run(
                    sql("DELETE FROM sessions WHERE id = ? AND tenant = ?")
                        .bind(id.to_string())
                        .bind(self.tenant.as_str()),
                )
                .audit(audit);
        self.write(change, "session").await
    }
}
