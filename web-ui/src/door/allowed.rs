//! Permits as arguments: a page says in its signature which action it needs, and is not called without it.

use std::str::FromStr;

use axum::extract::{FromRequestParts, RawPathParams};
use axum::http::request::Parts;
use clawd_control::{ActsOn, Permit, Target, Whole};

use super::{Failure, Visitor, Web};

/// A visitor whom the gate allows `A` on the tenant as a whole.
pub(crate) struct Allowed<A> {
    pub(crate) visitor: Visitor,
    pub(crate) permit: Permit<A>,
}

/// A visitor whom the gate allows `A` on the thing that the path's `{key}` names.
pub(crate) struct AllowedOn<A, On> {
    pub(crate) visitor: Visitor,
    pub(crate) permit: Permit<A, On>,
}

impl FromRequestParts<Web> for Visitor {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _web: &Web) -> Result<Self, Failure> {
        parts
            .extensions
            .get::<Self>()
            .cloned()
            .ok_or_else(|| Failure::sign_in_first(&parts.method, &parts.uri))
    }
}

impl<A: ActsOn<Whole>> FromRequestParts<Web> for Allowed<A> {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, web: &Web) -> Result<Self, Failure> {
        let visitor = Visitor::from_request_parts(parts, web).await?;
        let permit = web
            .app
            .permit::<A>(&visitor.caller)
            .await
            .map_err(Failure::refused)?;
        Ok(Self { visitor, permit })
    }
}

impl<A, On> FromRequestParts<Web> for AllowedOn<A, On>
where
    A: ActsOn<On>,
    On: Target,
    On::Key: FromStr,
{
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, web: &Web) -> Result<Self, Failure> {
        let visitor = Visitor::from_request_parts(parts, web).await?;
        let params = RawPathParams::from_request_parts(parts, web)
            .await
            .map_err(|_| Failure::nothing_here())?;
        let text = params
            .iter()
            .find(|(name, _)| *name == "key")
            .map(|(_, value)| value.to_owned())
            .unwrap_or_default();
        let key = text
            .parse::<On::Key>()
            .map_err(|_| Failure::no_such(On::KIND, &text))?;
        let permit = web
            .app
            .permit_on::<A, On>(&visitor.caller, &key)
            .await
            .map_err(Failure::refused)?;
        Ok(Self { visitor, permit })
    }
}
