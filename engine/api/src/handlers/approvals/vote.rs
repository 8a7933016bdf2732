//! Votes on a request.

use axum::Json;
use axum::http::StatusCode;
use clawd_control::{ApprovalOn, VoteCast, cast_vote};
use clawd_model::api::CastVote;
use clawd_model::{ApprovalId, Vote};

use crate::{Authorized, Failure, Keyed};

/// Votes on a request.
///
/// `subject` is the `subject_digest` that was looked at. A person has one vote: while the request is open the last one
/// counts. A rejection ends the request.
#[utoipa::path(post, path = "/api/v1/approvals/{approval}/votes", operation_id = "cast_vote", tag = "approvals", request_body = CastVote, params(("approval" = ApprovalId, Path, description = "its id"), ("idempotency-key" = Option<String>, Header, description = "carries the request out once")), responses((status = 202, description = "the vote, which the run will count", body = Vote)))]
pub(crate) async fn handle(
    Authorized(permit): Authorized<VoteCast, ApprovalOn>,
    Keyed { body, key, what }: Keyed<CastVote>,
) -> Result<(StatusCode, Json<Vote>), Failure> {
    let vote = permit
        .once(key.as_deref(), what, |_| cast_vote(&permit, body))
        .await?;
    Ok((StatusCode::ACCEPTED, Json(vote)))
}
