//! Bodies of requests: JSON, at most 1 MiB, with errors that name the field, the line and the column.

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, StatusCode, header};
use clawd_control::App;
use clawd_model::Digest;
use serde::de::DeserializeOwned;
use serde_json::json;

use crate::failure::Failure;

/// The largest body.
pub const BODY_MAX: usize = 1 << 20;
/// The header of an idempotency key.
const KEY: &str = "idempotency-key";

/// The body of a request that changes nothing, or changes the same however often it is sent.
pub struct Body<T>(pub T);

/// The body of a request that takes no idempotency key: its answer holds a secret, which must not be stored.
pub struct Unkeyed<T>(pub T);

/// A body without fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Nothing {}

/// The body of a request that may carry an idempotency key.
pub struct Keyed<T> {
    /// What was sent.
    pub body: T,
    /// The key.
    pub key: Option<String>,
    /// The digest of the whole request: route and body.
    pub what: Digest,
}

impl<T: DeserializeOwned> FromRequest<App> for Body<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, app: &App) -> Result<Self, Failure> {
        let bytes = bytes(request, app).await?;
        read(&bytes).map(Self)
    }
}

impl<T: DeserializeOwned> FromRequest<App> for Unkeyed<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, app: &App) -> Result<Self, Failure> {
        if request.headers().contains_key(KEY) {
            let detail = "this request takes no idempotency key";
            return Err(
                Failure::new(StatusCode::BAD_REQUEST, "idempotency-key-unsupported", detail).with_hint(
                    "its answer holds a secret, which is never stored; send it without `Idempotency-Key`",
                ),
            );
        }
        Body::from_request(request, app)
            .await
            .map(|Body(body)| Self(body))
    }
}

impl<T: DeserializeOwned> FromRequest<App> for Keyed<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, app: &App) -> Result<Self, Failure> {
        // What is no visible ASCII becomes an empty key, which the key's own rules refuse.
        let key = request
            .headers()
            .get(KEY)
            .map(|value| value.to_str().unwrap_or_default().to_owned());
        let route = format!("{} {}", request.method(), request.uri());
        let bytes = bytes(request, app).await?;
        let what = Digest::of_value(&json!({"route": route, "body": Digest::of(&bytes)}));
        Ok(Self {
            body: read(&bytes)?,
            key,
            what,
        })
    }
}

async fn bytes(request: Request, app: &App) -> Result<Bytes, Failure> {
    let is_json = is_json(request.headers());
    let bytes = Bytes::from_request(request, app)
        .await
        .map_err(|rejection| match rejection {
            BytesRejection::FailedToBufferBody(error) if error.status() == StatusCode::PAYLOAD_TOO_LARGE => {
                let detail = format!("a body has at most {BODY_MAX} bytes");
                Failure::new(StatusCode::PAYLOAD_TOO_LARGE, "body-too-large", detail)
            }
            _ => Failure::new(StatusCode::BAD_REQUEST, "body-unreadable", "the body broke off"),
        })?;
    if !bytes.is_empty() && !is_json {
        let detail = "the body is not marked as `application/json`";
        return Err(
            Failure::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "not-json", detail)
                .with_hint("send it with `Content-Type: application/json`"),
        );
    }
    Ok(bytes)
}

fn is_json(headers: &HeaderMap) -> bool {
    let kind = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let essence = kind.split(';').next().unwrap_or_default().trim();
    essence.eq_ignore_ascii_case("application/json")
}

/// An empty body stands for an object without fields.
fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Failure> {
    let bytes = if bytes.is_empty() { b"{}" } else { bytes };
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let read = serde_path_to_error::deserialize(&mut reader);
    let value = read.map_err(|error| {
        let path = error.path().to_string();
        let field = (path != "." && path != "?").then_some(path);
        describe(field.as_deref(), error.inner())
    })?;
    reader.end().map_err(|error| describe(None, &error))?;
    Ok(value)
}

fn describe(field: Option<&str>, error: &serde_json::Error) -> Failure {
    let (line, column) = (error.line(), error.column());
    let text = error.to_string();
    let text = text
        .strip_suffix(&format!(" at line {line} column {column}"))
        .unwrap_or(&text);
    let at = format!("line {line}, column {column}");
    let detail = match field {
        Some(field) => format!("`{field}`: {text} ({at})"),
        None => format!("{text} ({at})"),
    };
    let code = if error.is_data() {
        "invalid-body"
    } else {
        "invalid-json"
    };
    let mut failure = Failure::new(StatusCode::BAD_REQUEST, code, detail)
        .with("line", line)
        .with("column", column);
    if let Some(field) = field {
        failure = failure.with("field", field);
    }
    failure
}
