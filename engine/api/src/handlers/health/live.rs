//! Says that the process lives.

/// Says that the process lives.
#[utoipa::path(get, path = "/healthz", operation_id = "live", tag = "health", responses((status = 200, description = "it lives", body = String)))]
pub(crate) async fn handle() -> &'static str {
    "ok\n"
}
