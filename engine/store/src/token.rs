//! Tokens: known by the SHA-256 of their text, never by the text.

use clawd_audit::Draft;
use clawd_model::{CredentialId, Digest, Origin, PrincipalName, TenantName, Timestamp, TokenId};

use crate::credential;
use crate::error::{ReadError, WriteError};
use crate::row::{self, Row, Stored};
use crate::sql::sql;
use crate::store::Store;
use crate::tenant::TenantStore;

/// A token, without what it reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// Its id, which is no secret.
    pub id: TokenId,
    /// Whose tenant.
    pub tenant: TenantName,
    /// Who it signs in.
    pub principal: PrincipalName,
    /// What people call it.
    pub label: String,
    /// The actions that it is limited to; empty means no limit.
    pub scopes: Vec<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// From when on it is refused.
    pub expires_at: Timestamp,
    /// When it was revoked, if it was.
    pub revoked_at: Option<Timestamp>,
    /// Where it comes from.
    pub origin: Origin,
}

impl Stored for Token {
    const TABLE: &'static str = "tokens";
    const KEY: &'static str = "id";
}

impl TryFrom<Row<'_>> for Token {
    type Error = ReadError;

    fn try_from(row: Row<'_>) -> Result<Self, ReadError> {
        Ok(Self {
            id: row.parse("id")?,
            tenant: row.parse("tenant")?,
            principal: row.parse("principal")?,
            label: row.text("label")?.to_owned(),
            scopes: row.json("scopes")?,
            created_at: row.time("created_at")?,
            expires_at: row.time("expires_at")?,
            revoked_at: row.optional("revoked_at", Row::time)?,
            origin: credential::origin(&row)?,
        })
    }
}

impl Store {
    /// The token whose text has this digest, if it may be used now: not expired, not revoked, and its principal
    /// not disabled. The one way to a tenant that does not begin with its name, since the token says it.
    ///
    /// # Errors
    /// When the database fails.
    #[tracing::instrument(name = "db.token.find", skip_all)]
    pub async fn token_by_hash(&self, hash: Digest) -> Result<Option<Token>, ReadError> {
        let query = sql("SELECT tokens.* FROM tokens
             JOIN principals ON principals.tenant = tokens.tenant AND principals.name = tokens.principal
             WHERE hash = ? AND expires_at > ? AND revoked_at IS NULL AND NOT disabled")
        .bind(hash.to_string())
        .bind(self.now().0);
        row::optional(self.readers(), query).await
    }
}

impl TenantStore {
    /// Keeps a token of one of the tenant's principals under the digest of its text.
    ///
    /// # Errors
    /// When there is no such principal, when what it was made with was ended, or the database fails.
    #[tracing::instrument(name = "db.token.put", skip_all, fields(id = %token.id))]
    pub async fn put_token(&self, token: &Token, hash: Digest, audit: &[Draft]) -> Result<(), WriteError> {
        let change = credential::parent_lasts(self.change(), &self.tenant, &token.origin)
            .one(
                sql(
                    "INSERT INTO tokens (id, tenant, principal, label, scopes, hash, created_at, expires_at,
                                         issued_by, made_with)
                     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                )
                .bind(token.id.to_string())
                .bind(self.tenant.as_str())
                .bind(token.principal.as_str())
                .bind(token.label.as_str())
                .bind(serde_json::to_string(&token.scopes)?)
                .bind(hash.to_string())
                .bind(token.created_at.0)
                .bind(token.expires_at.0)
                .bind(serde_json::to_string(&token.origin.issued_by)?)
                .bind(serde_json::to_string(&token.origin.made_with)?),
            )
            .audit(audit);
        self.write_credential(change).await
    }

    /// The tenant's tokens, newest first, the useless ones included.
    ///
    /// # Errors
    /// When the database fails.
    #[tracing::instrument(name = "db.token.list", skip_all)]
    pub async fn tokens(&self) -> Result<Vec<Token>, ReadError> {
        let query = sql("SELECT * FROM tokens WHERE tenant = ? ORDER BY id DESC").bind(self.tenant.as_str());
        row::all(self.store.readers(), query).await
    }

    /// Refuses a token from now on, and everything that was made with it.
    ///
    /// # Errors
    /// When there is no such token or it was revoked before, or the database fails.
    #[tracing::instrument(name = "db.token.revoke", skip_all, fields(%token))]
    pub async fn revoke_token(&self, token: TokenId, audit: &[Draft]) -> Result<(), WriteError> {
        let change = self.change();
        let at = change.at;
        let change = credential::end_what_was_made_with(change, &self.tenant, CredentialId::Token(token))
            .one(
                sql("UPDATE tokens SET revoked_at = ? WHERE id = ? AND tenant = ? AND revoked_at IS NULL")
                    .bind(at.0)
                    .bind(token.to_string())
                    .bind(self.tenant.as_str()),
            )
            .audit(audit);
        self.write(change, "usable token").await
    }
}
