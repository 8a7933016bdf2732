//! Signing out: the session or the token that was used ends, and what was made with it. Everybody may do that to their own, so it needs no
//! permit.

use clawd_audit::Draft;
use clawd_store::WriteError;
use serde_json::json;

use super::app::App;
use super::caller::{Caller, Via};
use crate::error::StoreFailed;

impl App {
    /// Ends what the caller signed in with. Doing it twice changes nothing.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn sign_out(&self, caller: &Caller) -> Result<(), StoreFailed> {
        let tenant = self.parts.store.tenant(caller.tenant().clone());
        let record = |kind, via: &str| Draft {
            kind,
            actor: caller.actor(),
            run: None,
            subject: format!("principal/{}", caller.principal().name),
            data: json!({"via": via}),
        };
        let ended = match caller.via() {
            Via::Session { id, hash } => {
                tenant
                    .end_session((*id, *hash), &[record("session.ended", "session")])
                    .await
            }
            Via::Token(id) => {
                tenant
                    .revoke_token(*id, &[record("token.revoked", "sign-out")])
                    .await
            }
        };
        match ended {
            Ok(()) | Err(WriteError::Missing(_)) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}
