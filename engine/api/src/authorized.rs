//! Who calls, and whether they may: the first argument of every handler.

use std::fmt;
use std::str::FromStr;

use axum::extract::{FromRequestParts, RawPathParams};
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use clawd_control::{
    ActsOn, App, ApprovalOn, Caller, Permit, PlanOn, PlannedRun, RunRow, RunbookOn, SignInError, Target,
    Whole,
};
use clawd_model::Server;

use crate::failure::Failure;

/// A caller whom the gate allows the action `A` on the thing that the path names.
pub struct Authorized<A, On = Whole>(pub Permit<A, On>);

/// A caller who has signed in. For the few routes that are about the caller alone.
pub struct SignedIn(pub Caller);

/// How a path names a thing: by its first parameter.
pub trait Named: Target {
    /// The key of the thing.
    ///
    /// # Errors
    /// When the text is no key.
    fn key(text: Option<&str>, caller: &Caller) -> Result<Self::Key, String>;
}

impl Named for Whole {
    fn key(_text: Option<&str>, caller: &Caller) -> Result<Self::Key, String> {
        Ok(caller.tenant().clone())
    }
}

macro_rules! named {
    ($($target:ident),*) => {$(
        impl Named for $target {
            fn key(text: Option<&str>, _caller: &Caller) -> Result<Self::Key, String> {
                parse(text)
            }
        }
    )*};
}

named!(ApprovalOn, PlanOn, PlannedRun, RunRow, RunbookOn, Server);

fn parse<K: FromStr>(text: Option<&str>) -> Result<K, String>
where
    K::Err: fmt::Display,
{
    let text = text.ok_or_else(|| "the path names nothing".to_owned())?;
    text.parse().map_err(|error: K::Err| error.to_string())
}

/// Signs in with the bearer token of the request.
pub(crate) async fn sign_in(app: &App, parts: &Parts) -> Result<Caller, Failure> {
    let token = bearer(parts).ok_or(SignInError::Missing)?;
    Ok(app.sign_in_with_token(token).await?)
}

fn bearer(parts: &Parts) -> Option<&str> {
    let value = parts.headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

impl FromRequestParts<App> for SignedIn {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Failure> {
        sign_in(app, parts).await.map(Self)
    }
}

impl<A: ActsOn<On>, On: Named> FromRequestParts<App> for Authorized<A, On> {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Failure> {
        let caller = sign_in(app, parts).await?;
        let params = RawPathParams::from_request_parts(parts, app).await.ok();
        let text = params
            .as_ref()
            .and_then(|params| params.iter().next())
            .map(|(_, text)| text);
        let key = On::key(text, &caller)
            .map_err(|detail| Failure::new(StatusCode::BAD_REQUEST, "invalid-path", detail))?;
        Ok(Self(app.permit_on::<A, On>(&caller, &key).await?))
    }
}
