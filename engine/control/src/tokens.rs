//! Tokens and sign-in links: for oneself with `token.create`; for somebody else with `principal.write` as well.

use std::collections::BTreeSet;

use clawd_model::api::{CreateSignInLink, CreateToken, NewToken, Page, SignInLink, TokenView};
use clawd_model::{DurationMs, Principal, PrincipalKind, PrincipalName, TokenId};
use clawd_policy::ControlAction;
use clawd_store::{ReadError, WriteError};
use serde_json::json;

use crate::error::{Class, Explained};
use crate::gate::issue::{Issuer, NewSecret, issue_link, issue_token, token_view};
use crate::gate::{Permit, PrincipalWrite, Refused, TokenCreate};

const DAY: u64 = 24 * 3600;
/// How long a token lasts when nobody says.
const LIFETIME: DurationMs = DurationMs::from_secs(90 * DAY);
/// How long it may last.
const LIFETIME_MAX: DurationMs = DurationMs::from_secs(366 * DAY);
/// A token may be made with one that was made with another, and so on, so many times.
const GENERATIONS_MAX: usize = 16;

/// No token or link was made or ended.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// There is no such principal, or it has left.
    #[error("there is no principal `{0}`, or it has left")]
    NoPrincipal(PrincipalName),
    /// There is no such token, or it was ended before.
    #[error("there is no token `{0}`, or it was ended before")]
    NoToken(TokenId),
    /// A scope is no action.
    #[error("`{0}` is no action that a token can be limited to")]
    UnknownScope(String),
    /// A token can make another only with its own scopes or fewer.
    #[error("your own token does not reach as far as `{0}`")]
    WiderThanOwn(String),
    /// The label is empty or too long.
    #[error("a token's label has 1 to 100 characters")]
    Label,
    /// It would last too long, or not at all.
    #[error("a token lasts from a second to {LIFETIME_MAX}")]
    Lifetime,
    /// What the caller signed in with was made with something that was made with something else, too often.
    #[error(
        "what you signed in with is {GENERATIONS_MAX} times removed from what the operator of the machine made"
    )]
    TooFarRemoved,
    /// What the caller signed in with was ended while the request was under way.
    #[error("what you signed in with was ended in the meantime")]
    Ended,
    /// Sign-in links are for people.
    #[error("`{0}` is no person, and links are for people")]
    NoPerson(PrincipalName),
    /// The caller may not do it for somebody else.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// The store could not be read.
    #[error("the store could not be read")]
    Read(#[from] ReadError),
    /// The store could not be written.
    #[error("the store could not be written")]
    Write(#[from] WriteError),
}

impl Explained for TokenError {
    fn class(&self) -> Class {
        match self {
            Self::NoPrincipal(_) | Self::NoToken(_) => Class::NotFound,
            Self::UnknownScope(_) | Self::Label | Self::Lifetime | Self::NoPerson(_) => Class::Invalid,
            Self::WiderThanOwn(_) | Self::TooFarRemoved => Class::Denied,
            Self::Ended => Class::Unauthenticated,
            Self::Refused(error) => error.class(),
            Self::Read(_) | Self::Write(_) => Class::Internal,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::NoPrincipal(_) | Self::NoToken(_) => "not-found",
            Self::UnknownScope(_) => "unknown-scope",
            Self::WiderThanOwn(_) => "scope-too-wide",
            Self::TooFarRemoved => "too-far-removed",
            Self::Ended => "credential-ended",
            Self::Label => "invalid-label",
            Self::Lifetime => "invalid-lifetime",
            Self::NoPerson(_) => "no-person",
            Self::Refused(error) => error.code(),
            Self::Read(_) | Self::Write(_) => "store",
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::UnknownScope(_) => {
                let all: Vec<&str> = ControlAction::ALL.iter().map(|action| action.as_str()).collect();
                Some(format!("scopes are actions: {}", all.join(", ")))
            }
            Self::TooFarRemoved => Some("sign in with a token that is less far removed".to_owned()),
            Self::Refused(error) => error.hint(),
            _ => None,
        }
    }

    fn reasons(&self) -> &[String] {
        match self {
            Self::Refused(error) => error.reasons(),
            _ => &[],
        }
    }
}

/// The caller's own tokens; all of the tenant for somebody who may change principals.
///
/// # Errors
/// When the store fails.
pub async fn list_tokens(permit: &Permit<TokenCreate>) -> Result<Page<TokenView>, TokenError> {
    let all = permit.allows::<PrincipalWrite>();
    let me = &permit.caller().principal().name;
    let tokens = permit.store().tokens().await?;
    let items = tokens
        .into_iter()
        .filter(|token| all || token.principal == *me)
        .map(token_view)
        .collect();
    Ok(Page { items, next: None })
}

/// Makes a token. Its secret is in the answer and nowhere else. It lasts no longer than what the caller signed in with,
/// and ends with it.
///
/// # Errors
/// When it makes no sense, reaches further than the caller's own, or is for somebody else without permission.
pub async fn create_token(permit: &Permit<TokenCreate>, wanted: CreateToken) -> Result<NewToken, TokenError> {
    let principal = whom(permit, wanted.principal).await?;
    let scopes: BTreeSet<String> = wanted.scopes.into_iter().collect();
    let known = |scope: &&String| {
        ControlAction::ALL
            .iter()
            .any(|action| action.as_str() == scope.as_str())
    };
    if let Some(unknown) = scopes.iter().find(|scope| !known(scope)) {
        return Err(TokenError::UnknownScope(unknown.clone()));
    }
    let own = permit.caller().scopes();
    if !own.is_empty() {
        let wider = if scopes.is_empty() {
            Some("everything")
        } else {
            scopes.difference(own).next().map(String::as_str)
        };
        if let Some(wider) = wider {
            return Err(TokenError::WiderThanOwn(wider.to_owned()));
        }
    }
    if wanted.label.is_empty()
        || wanted.label.chars().count() > 100
        || wanted.label.chars().any(char::is_control)
    {
        return Err(TokenError::Label);
    }
    let lifetime = wanted.lifetime_ms.map_or(LIFETIME, DurationMs);
    if lifetime < DurationMs::from_secs(1) || lifetime > LIFETIME_MAX {
        return Err(TokenError::Lifetime);
    }
    let secret = NewSecret {
        principal: principal.name,
        label: wanted.label,
        scopes: scopes.into_iter().collect(),
        lifetime,
    };
    let issuer = issuer(permit)?;
    let made = issue_token(permit.app(), permit.store(), secret, issuer).await;
    made.map_err(not_made)
}

/// The caller, unless there is too much between them and the operator of the machine.
fn issuer(permit: &Permit<TokenCreate>) -> Result<Issuer<'_>, TokenError> {
    if permit.caller().origin().made_with.len() >= GENERATIONS_MAX {
        return Err(TokenError::TooFarRemoved);
    }
    Ok(Issuer::Caller(permit.caller()))
}

fn not_made(error: WriteError) -> TokenError {
    match error {
        WriteError::Missing(_) => TokenError::Ended,
        error => TokenError::Write(error),
    }
}

/// Ends a token of the caller, or with permission anybody's, and everything that was made with it.
///
/// # Errors
/// When there is no such token, or it was ended before.
pub async fn revoke_token(permit: &Permit<TokenCreate>, id: TokenId) -> Result<(), TokenError> {
    let tokens = permit.store().tokens().await?;
    let token = tokens
        .into_iter()
        .find(|token| token.id == id)
        .ok_or(TokenError::NoToken(id))?;
    if token.principal != permit.caller().principal().name && !permit.allows::<PrincipalWrite>() {
        // Nobody learns which tokens others have.
        return Err(TokenError::NoToken(id));
    }
    let record = permit.record(
        "token.revoked",
        format!("principal/{}", token.principal),
        json!({"token": id}),
    );
    match permit.store().revoke_token(id, &[record]).await {
        Err(WriteError::Missing(_)) => Err(TokenError::NoToken(id)),
        other => Ok(other?),
    }
}

/// Makes a one-time link to sign in to the console: it lasts 15 minutes, and works once.
///
/// # Errors
/// When it is for somebody else without permission, or for no person.
pub async fn create_sign_in_link(
    permit: &Permit<TokenCreate>,
    wanted: CreateSignInLink,
) -> Result<SignInLink, TokenError> {
    let principal = whom(permit, wanted.principal).await?;
    if principal.kind != PrincipalKind::User {
        return Err(TokenError::NoPerson(principal.name));
    }
    // A session has no scopes: a token that is limited must not grow into one.
    if !permit.caller().scopes().is_empty() {
        return Err(TokenError::WiderThanOwn("everything".to_owned()));
    }
    let issuer = issuer(permit)?;
    let made = issue_link(permit.app(), permit.store(), &principal.name, issuer).await;
    made.map_err(not_made)
}

/// For whom: oneself, or with permission somebody else who is still here.
async fn whom(permit: &Permit<TokenCreate>, name: Option<PrincipalName>) -> Result<Principal, TokenError> {
    let me = permit.caller().principal();
    let Some(name) = name.filter(|name| *name != me.name) else {
        return Ok(me.clone());
    };
    permit.also::<PrincipalWrite>().await?;
    let found = permit.store().principal(&name).await?;
    found
        .filter(|principal| !principal.disabled)
        .ok_or(TokenError::NoPrincipal(name))
}
