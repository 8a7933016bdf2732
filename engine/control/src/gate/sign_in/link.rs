//! With a one-time link, which begins a session.

use std::collections::BTreeSet;

use clawd_audit::Draft;
use clawd_model::{DurationMs, SessionId, Timestamp};
use clawd_store::WriteError;
use serde_json::json;

use super::SignInError;
use crate::gate::app::App;
use crate::gate::caller::{Caller, Via, actor};
use crate::gate::secret::{Purpose, Secret, mint, read};

/// How long a session lasts at most, however much it is used.
pub const SESSION_LIFETIME: DurationMs = DurationMs::from_secs(12 * 3600);

/// A session that just began.
#[derive(Debug)]
pub struct Session {
    /// Who is signed in.
    pub caller: Caller,
    /// What the console keeps in its cookie.
    pub secret: Secret,
    /// When it ends.
    pub expires_at: Timestamp,
}

impl App {
    /// Whether a link would sign somebody in now, and whom: for the page that asks before it uses the link up, since
    /// programs that preview links must not.
    ///
    /// # Errors
    /// When it would not.
    pub async fn look_at_link(&self, link: &str) -> Result<clawd_model::Principal, SignInError> {
        let hash = read(Purpose::Link, link).ok_or(SignInError::Malformed)?;
        let known = self
            .parts
            .store
            .link_by_hash(hash)
            .await?
            .ok_or(SignInError::Unknown)?;
        self.member(known.tenant, &known.principal).await
    }

    /// Uses a one-time link up, and begins a session. Of two who try, one gets in.
    ///
    /// # Errors
    /// When the link was used, has expired, or was never made.
    pub async fn sign_in_with_link(&self, link: &str) -> Result<Session, SignInError> {
        let hash = read(Purpose::Link, link).ok_or(SignInError::Malformed)?;
        let known = self
            .parts
            .store
            .link_by_hash(hash)
            .await?
            .ok_or(SignInError::Unknown)?;
        let principal = self.member(known.tenant.clone(), &known.principal).await?;
        let secret = mint(Purpose::Session, self.entropy());
        let id = SessionId::new(self.now(), self.entropy());
        let latest = self.now().plus(SESSION_LIFETIME);
        let expires_at = known.session_until.map_or(latest, |until| until.min(latest));
        let draft = Draft {
            kind: "session.started",
            actor: actor(&principal),
            run: None,
            subject: format!("principal/{}", principal.name),
            data: json!({
                "via": "sign-in link", "session": id, "expires_at": expires_at,
                "issued_by": known.origin.issued_by, "made_with": known.origin.made_with,
            }),
        };
        let tenant = self.parts.store.tenant(known.tenant);
        match tenant
            .redeem_link(hash, (id, secret.hash()), expires_at, &[draft])
            .await
        {
            Ok(()) => {}
            Err(WriteError::Missing(_)) => return Err(SignInError::Unknown),
            Err(error) => return Err(error.into()),
        }
        let caller = Caller {
            principal,
            via: Via::Session {
                id,
                hash: secret.hash(),
            },
            scopes: BTreeSet::new(),
            expires_at,
            origin: known.origin,
        };
        Ok(Session {
            caller,
            secret,
            expires_at,
        })
    }
}
