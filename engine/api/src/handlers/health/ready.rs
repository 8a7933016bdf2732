//! Says whether the process can answer: its store can be read.

use axum::extract::State;
use axum::http::StatusCode;
use clawd_control::App;

use crate::Failure;

/// Says whether the process can answer: its store can be read.
#[utoipa::path(get, path = "/readyz", operation_id = "ready", tag = "health", responses((status = 200, description = "it can", body = String)))]
pub(crate) async fn handle(State(app): State<App>) -> Result<&'static str, Failure> {
    match app.is_ready().await {
        true => Ok("ok\n"),
        false => Err(Failure::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "unavailable",
            "the store cannot be read now",
        )),
    }
}
