//! The HTTP API: a thin shell over the use cases of `clawd-control`.
//!
//! ```text
//!   request ─▶ surround: id, task, headers ─▶ Authorized<RunCancel, RunRow> ─▶ handler ─▶ cancel_run(&permit, …)
//!                                              token → Caller → gate → Permit     │ Failure: application/problem+json
//! ```
//!
//! - **No route without a permission**: see [`route`]. The exceptions are listed in `table.rs`, each with its reason.
//! - **One description**: [`openapi`] is made from the handlers; `docs/reference/openapi.json` is its text, and a test
//!   keeps it fresh.
//! - **Errors are problem details** with stable codes; what breaks inside of us is in the log under the request's id.
//! - **No CORS**: other sites have no business here. Sessions are the console's; the API takes tokens only.

mod authorized;
mod body;
mod document;
mod failure;
mod handlers;
mod openapi;
mod query;
mod request;
pub mod route;
mod segment;
mod table;

pub use authorized::{Authorized, Named, SignedIn};
pub use body::{BODY_MAX, Body, Keyed, Nothing, Unkeyed};
pub use failure::Failure;
pub use query::Query;
pub use segment::Segment;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::StatusCode;
use axum::middleware::from_fn_with_state;
use clawd_control::App;
use utoipa::openapi::OpenApi;

/// The API over an application: everything under `/api/v1`, `/healthz` and `/readyz`.
pub fn router(app: App) -> Router {
    let (routes, _) = table::routes().finish();
    let unknown = Router::new().fallback(no_such_route);
    routes
        .nest(route::PREFIX, unknown)
        .method_not_allowed_fallback(wrong_method)
        .layer(DefaultBodyLimit::max(BODY_MAX))
        .layer(from_fn_with_state(app.clone(), request::surround))
        .with_state(app)
}

/// The OpenAPI document.
#[must_use]
pub fn openapi() -> OpenApi {
    let (_, document) = table::routes().finish();
    document
}

/// The OpenAPI document as it is kept in the documentation.
#[must_use]
pub fn openapi_text() -> String {
    openapi::text(&openapi())
}

async fn no_such_route() -> Failure {
    Failure::new(StatusCode::NOT_FOUND, "no-such-route", "there is no such route")
        .with_hint(format!("all routes are listed in {}/openapi.json", route::PREFIX))
}

async fn wrong_method() -> Failure {
    Failure::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "wrong-method",
        "this route does not take this method",
    )
}
