//! Says who the caller is, and what they may do.

use axum::Json;
use axum::extract::State;
use clawd_control::{App, whoami};
use clawd_model::api::Whoami;

use crate::{Failure, SignedIn};

/// Says who the caller is, and what they may do.
#[utoipa::path(get, path = "/api/v1/whoami", operation_id = "whoami", tag = "own", responses((status = 200, description = "the caller", body = Whoami)))]
pub(crate) async fn handle(
    SignedIn(caller): SignedIn,
    State(app): State<App>,
) -> Result<Json<Whoami>, Failure> {
    Ok(Json(whoami(&app, &caller).await?))
}
