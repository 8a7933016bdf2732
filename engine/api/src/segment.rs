//! A part of the path that is no thing of its own: a digest, a number, a name that may be new.

use std::fmt;
use std::str::FromStr;

use axum::extract::{FromRequestParts, RawPathParams};
use axum::http::StatusCode;
use axum::http::request::Parts;
use clawd_control::App;

use crate::failure::Failure;

/// The first parameter of the path.
pub struct Segment<K>(pub K);

impl<K> FromRequestParts<App> for Segment<K>
where
    K: FromStr,
    K::Err: fmt::Display,
{
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Failure> {
        let params = RawPathParams::from_request_parts(parts, app).await.ok();
        let text = params
            .as_ref()
            .and_then(|params| params.iter().next())
            .map(|(_, text)| text);
        let invalid = |detail: String| Failure::new(StatusCode::BAD_REQUEST, "invalid-path", detail);
        let text = text.ok_or_else(|| invalid("the path names nothing".to_owned()))?;
        text.parse()
            .map(Self)
            .map_err(|error: K::Err| invalid(format!("`{text}`: {error}")))
    }
}
