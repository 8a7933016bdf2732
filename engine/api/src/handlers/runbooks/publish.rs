//! Publishes a version of a runbook, and makes it the active one.

use axum::Json;
use axum::http::StatusCode;
use clawd_control::{RunbookPublish, publish_runbook};
use clawd_model::api::{CheckedRunbook, PublishRunbook};

use crate::{Authorized, Failure, Keyed};

/// Publishes a version of a runbook, and makes it the active one.
#[utoipa::path(post, path = "/api/v1/runbooks", operation_id = "publish_runbook", tag = "runbooks", request_body = PublishRunbook, params(("idempotency-key" = Option<String>, Header, description = "carries the request out once")), responses((status = 201, description = "it is the active version; its warnings", body = CheckedRunbook)))]
pub(crate) async fn handle(
    Authorized(permit): Authorized<RunbookPublish>,
    Keyed { body, key, what }: Keyed<PublishRunbook>,
) -> Result<(StatusCode, Json<CheckedRunbook>), Failure> {
    let published = permit
        .once(key.as_deref(), what, |_| publish_runbook(&permit, &body.source))
        .await?;
    Ok((StatusCode::CREATED, Json(published)))
}
