//! The router of the one address that people and programs use: API and console. Every route states its permission in
//! one of the two; there are no others. (`metrics` has an address of its own.)

use std::sync::Arc;

use axum::Router;
use axum::http::{HeaderValue, header};
use axum::middleware::{from_fn_with_state, map_response};
use axum::response::Response;
use clawd_web::Front;

use crate::metrics;
use crate::wiring::Installation;

/// For a year, browsers come back over TLS only.
const STRICT_TRANSPORT: HeaderValue = HeaderValue::from_static("max-age=31536000");

/// Everything that listens there.
pub(crate) fn router(installation: &Installation, front: Front) -> Router {
    let secure = front.secure;
    let app = installation.app.clone();
    let console = clawd_web::router(app.clone(), Arc::clone(&installation.clock), front);
    let router = clawd_api::router(app).merge(console).layer(from_fn_with_state(
        installation.metrics.clone(),
        metrics::count_request,
    ));
    if secure {
        router.layer(map_response(strict))
    } else {
        router
    }
}

async fn strict(mut response: Response) -> Response {
    response
        .headers_mut()
        .insert(header::STRICT_TRANSPORT_SECURITY, STRICT_TRANSPORT);
    response
}
