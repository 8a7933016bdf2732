//! What surrounds every request: an id, a task of its own, headers of every answer.

use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use clawd_control::App;
use tracing::Instrument;

use crate::failure::Failure;

tokio::task_local! {
    static REQUEST_ID: String;
}

/// The id of the request that is being answered; empty outside of one.
pub(crate) fn current_request_id() -> String {
    REQUEST_ID.try_with(Clone::clone).unwrap_or_default()
}

const HEADER: HeaderName = HeaderName::from_static("x-request-id");

/// Answers a request in a task of its own, so that a caller who goes away cuts nothing off in the middle, and a panic
/// is an answer and not the end of the connection.
pub(crate) async fn surround(State(app): State<App>, request: Request, next: Next) -> Response {
    let id = app.new_request_id();
    let span = tracing::info_span!(
        "http",
        request_id = %id,
        method = %request.method(),
        path = request.uri().path(),
        status = tracing::field::Empty,
    );
    let answer = REQUEST_ID.scope(id.clone(), async move { next.run(request).await });
    let mut response = match tokio::spawn(answer.instrument(span.clone())).await {
        Ok(response) => response,
        Err(error) => {
            tracing::error!(request_id = %id, %error, "a handler panicked");
            REQUEST_ID
                .scope(id.clone(), async { Failure::internal().into_response() })
                .await
        }
    };
    span.record("status", response.status().as_u16());
    let headers = response.headers_mut();
    if let Ok(id) = HeaderValue::from_str(&id) {
        headers.insert(HEADER, id);
    }
    headers.insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    headers
        .entry(header::CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
    response
}
