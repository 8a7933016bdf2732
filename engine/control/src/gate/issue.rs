//! Makes tokens and sign-in links, once somebody else has decided that they may be made.

use clawd_audit::Draft;
use clawd_model::api::{NewToken, SignInLink, TokenView};
use clawd_model::{DurationMs, PrincipalName, TokenId};
use clawd_store::{TenantStore, Token, WriteError};
use serde_json::json;

use super::app::App;
use super::secret::{Purpose, mint};

/// How long a sign-in link waits to be used.
pub(crate) const LINK_LIFETIME: DurationMs = DurationMs::from_secs(15 * 60);

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
    actor: &str,
) -> Result<NewToken, WriteError> {
    let now = app.now();
    let secret = mint(Purpose::Token, app.entropy());
    let token = Token {
        id: TokenId::new(now, app.entropy()),
        tenant: tenant.name().clone(),
        principal: wanted.principal,
        label: wanted.label,
        scopes: wanted.scopes,
        created_at: now,
        expires_at: now.plus(wanted.lifetime),
        revoked_at: None,
    };
    let record = Draft {
        kind: "token.created",
        actor: actor.to_owned(),
        run: None,
        subject: format!("principal/{}", token.principal),
        data: json!({"token": token.id, "label": token.label, "scopes": token.scopes, "expires_at": token.expires_at}),
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
    actor: &str,
) -> Result<SignInLink, WriteError> {
    let expires_at = app.now().plus(LINK_LIFETIME);
    let secret = mint(Purpose::Link, app.entropy());
    let record = Draft {
        kind: "link.created",
        actor: actor.to_owned(),
        run: None,
        subject: format!("principal/{principal}"),
        data: json!({"expires_at": expires_at}),
    };
    tenant
        .put_link(principal, secret.hash(), expires_at, &[record])
        .await?;
    Ok(SignInLink {
        principal: principal.clone(),
        path: format!("/sign-in/{}", secret.reveal()),
        expires_at,
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
    }
}
