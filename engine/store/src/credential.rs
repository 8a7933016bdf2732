//! What tokens, links and sessions have in common: where they come from, and that they end with what they were made
//! with.

use clawd_model::{CredentialId, Origin, PrincipalName, TenantName};

use crate::error::{ReadError, WriteError};
use crate::row::Row;
use crate::sql::sql;
use crate::tenant::TenantStore;
use crate::writer::{Change, Refused};

/// Reads the origin out of a row.
pub(crate) fn origin(row: &Row<'_>) -> Result<Origin, ReadError> {
    Ok(Origin {
        issued_by: row.json("issued_by")?,
        made_with: row.json("made_with")?,
    })
}

/// The change is refused unless what the new credential is made with still lasts: whoever ends a token must not miss
/// one that is being made with it at the same moment.
pub(crate) fn parent_lasts(change: Change, tenant: &TenantName, origin: &Origin) -> Change {
    let Some(parent) = origin.parent() else {
        return change;
    };
    let at = change.at;
    change.one_row(
        sql(
            "SELECT 1 FROM tokens WHERE tenant = ?1 AND id = ?2 AND revoked_at IS NULL AND expires_at > ?3
             UNION
             SELECT 1 FROM sessions WHERE tenant = ?1 AND id = ?2 AND expires_at > ?3",
        )
        .bind(tenant.as_str())
        .bind(parent.to_string())
        .bind(at.0),
    )
}

/// Ends every token, session and link that was made with a credential, at whatever remove.
pub(crate) fn end_what_was_made_with(change: Change, tenant: &TenantName, id: CredentialId) -> Change {
    let at = change.at;
    change
        .run(
            sql(
                "UPDATE tokens SET revoked_at = ? WHERE tenant = ? AND revoked_at IS NULL
                 AND EXISTS (SELECT 1 FROM json_each(tokens.made_with) WHERE value = ?)",
            )
            .bind(at.0)
            .bind(tenant.as_str())
            .bind(id.to_string()),
        )
        .run(
            sql("DELETE FROM sessions WHERE tenant = ?
                 AND EXISTS (SELECT 1 FROM json_each(sessions.made_with) WHERE value = ?)")
            .bind(tenant.as_str())
            .bind(id.to_string()),
        )
        .run(
            sql("DELETE FROM sign_in_links WHERE tenant = ?
                 AND EXISTS (SELECT 1 FROM json_each(sign_in_links.made_with) WHERE value = ?)")
            .bind(tenant.as_str())
            .bind(id.to_string()),
        )
}

/// Ends the sessions of a principal, and the links that would begin one.
pub(crate) fn sign_out(change: Change, tenant: &TenantName, principal: &PrincipalName) -> Change {
    change
        .run(
            sql("DELETE FROM sessions WHERE tenant = ? AND principal = ?")
                .bind(tenant.as_str())
                .bind(principal.as_str()),
        )
        .run(
            sql("DELETE FROM sign_in_links WHERE tenant = ? AND principal = ?")
                .bind(tenant.as_str())
                .bind(principal.as_str()),
        )
}

impl TenantStore {
    /// Keeps a new credential.
    pub(crate) async fn write_credential(&self, change: Change) -> Result<(), WriteError> {
        match self.store.inner.writer.change(change).await {
            Ok(_) => Ok(()),
            Err(Refused::Unmet) => Err(WriteError::Missing("credential that lasts")),
            Err(refused) => Err(refused.into_write("principal")),
        }
    }
}
