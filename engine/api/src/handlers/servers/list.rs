//! Lists servers.

use axum::Json;
use clawd_control::{ServerRead, list_servers};
use clawd_model::api::{Page, ServerView};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::{Authorized, Failure, Query};

/// Which servers.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Params {
    /// A selector: `role=web,env!=prod`.
    on: Option<String>,
}

/// Lists servers.
#[utoipa::path(get, path = "/api/v1/servers", operation_id = "list_servers", tag = "servers", params(Params), responses((status = 200, description = "the servers", body = Page<ServerView>)))]
pub(crate) async fn handle(
    Authorized(permit): Authorized<ServerRead>,
    Query(which): Query<Params>,
) -> Result<Json<Page<ServerView>>, Failure> {
    Ok(Json(list_servers(&permit, which.on.as_deref()).await?))
}
