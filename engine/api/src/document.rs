//! Serves the OpenAPI document.

use std::sync::LazyLock;

use axum::http::header;
use axum::response::IntoResponse;

static TEXT: LazyLock<String> = LazyLock::new(|| crate::openapi::text(&crate::openapi()));

/// Serves this document.
#[utoipa::path(get, path = "/api/v1/openapi.json", operation_id = "openapi", tag = "health", responses((status = 200, description = "the OpenAPI document", content_type = "application/json", body = Object)))]
pub(crate) async fn handle() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "application/json")], TEXT.as_str())
}
