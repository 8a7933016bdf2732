//! Errors as answers: problem details (RFC 9457) with a stable code, a hint, and nothing of our inside.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use clawd_control::{Class, Explained};
use clawd_model::api::ProblemDetails;
use clawd_model::product;
use serde_json::Map;

use crate::request::current_request_id;

/// An error on its way to the caller.
#[derive(Debug)]
pub struct Failure(Box<ProblemDetails>);

impl Failure {
    /// A problem of the HTTP request itself.
    #[must_use]
    pub fn new(status: StatusCode, code: &str, detail: impl Into<String>) -> Self {
        Self(Box::new(ProblemDetails {
            kind: format!("urn:{}:problem:{code}", product::BINARY),
            title: title(status).to_owned(),
            status: status.as_u16(),
            code: code.to_owned(),
            detail: detail.into(),
            hint: usual_hint(status),
            request_id: current_request_id(),
            problems: Vec::new(),
            reasons: Vec::new(),
            more: Map::new(),
        }))
    }

    /// The same with what to do about it.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.0.hint = Some(hint.into());
        self
    }

    /// The same with more for programs.
    #[must_use]
    pub fn with(mut self, key: &str, value: impl Into<serde_json::Value>) -> Self {
        self.0.more.insert(key.to_owned(), value.into());
        self
    }

    /// Something of ours broke; the caller learns no more than the id to look for in the log.
    #[must_use]
    pub fn internal() -> Self {
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal",
            "something went wrong on the server",
        )
        .with_hint("the server's log says more under the request id")
    }
}

/// Every error of a use case is an answer: its class decides the status.
impl<E: Explained> From<E> for Failure {
    fn from(error: E) -> Self {
        let status = status(error.class());
        if status == StatusCode::INTERNAL_SERVER_ERROR {
            tracing::error!(
                request_id = current_request_id(),
                code = error.code(),
                "{}",
                chain(&error)
            );
            return Self::internal();
        }
        let mut failure = Self::new(status, error.code(), error.to_string());
        failure.0.hint = error.hint();
        failure.0.problems = error.problems().to_vec();
        failure.0.reasons = error.reasons().to_vec();
        if let Some((key, value)) = error.more() {
            failure = failure.with(key, value);
        }
        failure
    }
}

fn status(class: Class) -> StatusCode {
    match class {
        Class::Invalid => StatusCode::UNPROCESSABLE_ENTITY,
        Class::Unauthenticated => StatusCode::UNAUTHORIZED,
        Class::Denied => StatusCode::FORBIDDEN,
        Class::NotFound => StatusCode::NOT_FOUND,
        Class::Conflict => StatusCode::CONFLICT,
        Class::Unreachable => StatusCode::BAD_GATEWAY,
        Class::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        Class::TooMany => StatusCode::TOO_MANY_REQUESTS,
        Class::Internal => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

fn title(status: StatusCode) -> &'static str {
    match status {
        StatusCode::BAD_REQUEST => "the request cannot be read",
        StatusCode::UNAUTHORIZED => "sign in first",
        StatusCode::FORBIDDEN => "the policies say no",
        StatusCode::NOT_FOUND => "there is no such thing",
        StatusCode::METHOD_NOT_ALLOWED => "this cannot be done here",
        StatusCode::CONFLICT => "this does not fit the present state",
        StatusCode::PAYLOAD_TOO_LARGE => "the request is too large",
        StatusCode::UNSUPPORTED_MEDIA_TYPE => "the request is of the wrong type",
        StatusCode::UNPROCESSABLE_ENTITY => "the request makes no sense",
        StatusCode::BAD_GATEWAY => "a server did not answer",
        StatusCode::SERVICE_UNAVAILABLE => "this node takes no work now",
        StatusCode::TOO_MANY_REQUESTS => "too much at once",
        _ => "something went wrong",
    }
}

/// What to do about a request that does not get as far as a use case.
fn usual_hint(status: StatusCode) -> Option<String> {
    match status {
        StatusCode::BAD_REQUEST | StatusCode::METHOD_NOT_ALLOWED => Some(format!(
            "compare the request with {}/openapi.json",
            crate::route::PREFIX
        )),
        StatusCode::PAYLOAD_TOO_LARGE => Some("send less at once".to_owned()),
        _ => None,
    }
}

/// The error and its sources, for the log.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.0.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, Json(*self.0)).into_response();
        let headers = response.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if status == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        response
    }
}
