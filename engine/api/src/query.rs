//! Query strings, with errors that name the field.

use axum::extract::{FromRequestParts, Query as AxumQuery};
use axum::http::StatusCode;
use axum::http::request::Parts;
use clawd_control::App;
use serde::de::DeserializeOwned;

use crate::failure::Failure;

/// The query string of a request.
pub struct Query<T>(pub T);

impl<T: DeserializeOwned + Send> FromRequestParts<App> for Query<T> {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Failure> {
        match AxumQuery::<T>::from_request_parts(parts, app).await {
            Ok(AxumQuery(value)) => Ok(Self(value)),
            Err(error) => {
                let mut detail = error.to_string();
                if let Some(cause) = std::error::Error::source(&error) {
                    detail = cause.to_string();
                }
                Err(Failure::new(StatusCode::BAD_REQUEST, "invalid-query", detail))
            }
        }
    }
}
