//! Ends the token that the request was sent with.

use axum::extract::State;
use axum::http::StatusCode;
use clawd_control::App;

use crate::{Failure, SignedIn};

/// Ends the token that the request was sent with.
#[utoipa::path(delete, path = "/api/v1/session", operation_id = "sign_out", tag = "own", responses((status = 204, description = "it is ended")))]
pub(crate) async fn handle(
    SignedIn(caller): SignedIn,
    State(app): State<App>,
) -> Result<StatusCode, Failure> {
    app.sign_out(&caller).await?;
    Ok(StatusCode::NO_CONTENT)
}
