//! Lists audit records, newest first.

use axum::Json;
use clawd_control::{AuditRead, ListAudit, list_audit};
use clawd_model::RunId;
use clawd_model::api::{AuditRecordView, Page};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::{Authorized, Failure, Query};

/// Which records.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Params {
    /// Of this run only.
    run: Option<RunId>,
    /// Of this kind only, or of kinds that begin with it and a dot: `vote` finds `vote.cast`.
    kind: Option<String>,
    /// By this actor only: `user:ana`.
    actor: Option<String>,
    /// About this only: `server/web-1`.
    subject: Option<String>,
    /// After this record: the `next` of the page before.
    after: Option<u64>,
    /// At most so many; 50 when absent, at most 200.
    limit: Option<u32>,
}

/// Lists audit records, newest first.
#[utoipa::path(get, path = "/api/v1/audit", operation_id = "list_audit", tag = "audit", params(Params), responses((status = 200, description = "the records", body = Page<AuditRecordView>)))]
pub(crate) async fn handle(
    Authorized(permit): Authorized<AuditRead>,
    Query(which): Query<Params>,
) -> Result<Json<Page<AuditRecordView>>, Failure> {
    let which = ListAudit {
        run: which.run,
        kind: which.kind,
        actor: which.actor,
        subject: which.subject,
        after: which.after,
        limit: which.limit,
    };
    Ok(Json(list_audit(&permit, which).await?))
}
