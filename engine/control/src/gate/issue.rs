//! Makes tokens and sign-in links, once somebody else has decided that they may be made.
//!
//! What is made remembers where it comes from, lasts no longer than what it was made with, and ends with it.

use clawd_audit::Draft;
use clawd_model::api::{NewToken, SignInLink, TokenView};
use clawd_model::{DurationMs, Origin, PrincipalName, Timestamp, TokenId};
use clawd_store::{Link, TenantStore, Token, WriteError};
use serde_json::json;

use super::app::App;
use super::caller::Caller;
use super::local;
use super::secret::{Purpose, mint};

/// How long a sign-in link waits to be used.
pub(crate) const LINK_LIFETIME: DurationMs = DurationMs::from_secs(15 * 60);

/// Who makes a token or a link.
#[derive(Clone, Copy)]
pub(crate) enum Issuer<'a> {
    /// The operator of the machine.
    Local,
    /// Somebody who is signed in.
    Caller(&'a Caller),
}

impl Issuer<'_> {
    /// As audit records name it.
    fn actor(self) -> String {
        match self {
            Self::Local => local::ACTOR.to_owned(),
            Self::Caller(caller) => caller.actor(),
        }
    }

    /// The origin of what it makes for somebody.
    fn origin(self, whom: &PrincipalName) -> Origin {
        match self {
            Self::Local => Origin::default(),
            Self::Caller(caller) => {
                caller
                    .origin()
                    .child(caller.credential(), &caller.principal().name, whom)
            }
        }
    }

    /// When what it makes ends at the latest.
    fn until(self) -> Option<Timestamp> {
        match self {
            Self::Local => None,
            Self::Caller(caller) => Some(caller.expires_at()),
        }
    }

    /// The moment, or the latest one if that is sooner.
    fn at_most(self, wanted: Timestamp) -> Timestamp {
        self.until().map_or(wanted, |until| until.min(wanted))
    }
}

/// A token that is to be made.
pub(crate) struct NewSecret {
    pub(crate) principal: PrincipalName,
    pub(crate) label: String,
    pub(crate) scopes: Vec<String>,
    pub(crate) lifetime: DurationMs,
}

/// Makes a token.
pub(crate) async fn issue_token(
    app: &App,
    tenant: &TenantStore,
    wanted: NewSecret,
    issuer: Issuer<'_>,
) -> Result<NewToken, WriteError> {
    let now = app.now();
    let secret = mint(Purpose::Token, app.entropy());
    let token = Token {
        id: TokenId::new(now, app.entropy()),
        tenant: tenant.name().clone(),
        origin: issuer.origin(&wanted.principal),
        principal: wanted.principal,
        label: wanted.label,
        scopes: wanted.scopes,
        created_at: now,
        expires_at: issuer.at_most(now.plus(wanted.lifetime)),
        revoked_at: None,
    };
    let record = Draft {
        kind: "token.created",
        actor: issuer.actor(),
        run: None,
        subject: format!("principal/{}", token.principal),
        data: json!({
            "token": token.id, "label": token.label, "scopes": token.scopes, "expires_at": token.expires_at,
            "issued_by": token.origin.issued_by, "made_with": token.origin.made_with,
        }),
    };
    tenant.put_token(&token, secret.hash(), &[record]).await?;
    Ok(NewToken {
        token: token_view(token),
        secret: secret.reveal().to_owned(),
    })
}

/// Makes a one-time link to the console.
pub(crate) async fn issue_link(
    app: &App,
    tenant: &TenantStore,
    principal: &PrincipalName,
    issuer: Issuer<'_>,
) -> Result<SignInLink, WriteError> {
    let now = app.now();
    let secret = mint(Purpose::Link, app.entropy());
    let link = Link {
        tenant: tenant.name().clone(),
        principal: principal.clone(),
        created_at: now,
        expires_at: issuer.at_most(now.plus(LINK_LIFETIME)),
        session_until: issuer.until(),
        origin: issuer.origin(principal),
    };
    let record = Draft {
        kind: "link.created",
        actor: issuer.actor(),
        run: None,
        subject: format!("principal/{principal}"),
        data: json!({
            "expires_at": link.expires_at,
            "issued_by": link.origin.issued_by, "made_with": link.origin.made_with,
        }),
    };
    tenant.put_link(&link, secret.hash(), &[record]).await?;
    Ok(SignInLink {
        principal: principal.clone(),
        path: format!("/sign-in/{}", secret.reveal()),
        expires_at: link.expires_at,
    })
}

/// A token as people see it.
pub(crate) fn token_view(token: Token) -> TokenView {
    TokenView {
        id: token.id,
        principal: token.principal,
        label: token.label,
        scopes: token.scopes,
        created_at: token.created_at,
        expires_at: token.expires_at,
        revoked: token.revoked_at.is_some(),
        issued_by: token.origin.issued_by.into_iter().collect(),
    }
}
