//! The audit log.

use axum::body::Body;
use axum::extract::{Path, Query, State};
use axum::http::header;
use axum::response::IntoResponse;
use clawd_control::{AuditRead, ListAudit, audit_tree, export_audit, list_audit, show_audit};
use clawd_model::RunId;
use clawd_model::api::AuditRecordView;
use serde::Deserialize;

use super::runs::parsed;
use crate::door::{Allowed, Answer, Failure, Sent, Web, encoded, render};
use crate::ui::Symbol;
use crate::view::audit::{AuditFilter, AuditPage, AuditRecordPage, AuditRow, Proof};
use crate::view::shell::Section;

#[derive(Deserialize)]
pub(crate) struct Which {
    #[serde(default)]
    run: String,
    #[serde(default)]
    actor: String,
    #[serde(default)]
    kind: String,
    #[serde(default)]
    subject: String,
    after: Option<String>,
}

/// Lists records, newest first.
pub(crate) async fn list(
    State(web): State<Web>,
    Allowed { visitor, permit }: Allowed<AuditRead>,
    Query(which): Query<Which>,
) -> Answer {
    let filter = AuditFilter {
        run: which.run.trim().to_owned(),
        actor: which.actor.trim().to_owned(),
        kind: which.kind.trim().to_owned(),
        subject: which.subject.trim().to_owned(),
    };
    let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let run = some(&filter.run).map(|text| text.parse::<RunId>()).transpose();
    let problem = run.as_ref().err().map(ToString::to_string);
    let page = match run {
        Ok(run) => {
            let wanted = ListAudit {
                run,
                actor: some(&filter.actor),
                kind: some(&filter.kind),
                subject: some(&filter.subject),
                after: parsed::<u64>(which.after.as_deref())?,
                limit: Some(100),
            };
            Some(list_audit(&permit, wanted).await?)
        }
        Err(_) => None,
    };
    let tree = audit_tree(&permit).await?;
    let (items, next) = page.map(|page| (page.items, page.next)).unwrap_or_default();
    render(&AuditPage {
        shell: web.shell(&visitor, Section::Audit).await,
        rows: items.iter().map(row).collect(),
        older: next.map(|next| {
            format!(
                "/audit?run={}&actor={}&kind={}&subject={}&after={next}",
                encoded(&filter.run),
                encoded(&filter.actor),
                encoded(&filter.kind),
                encoded(&filter.subject)
            )
        }),
        filter,
        size: tree.size,
        root: tree.root,
        problem,
    })
}

/// Shows one record with its proof.
pub(crate) async fn show(
    State(web): State<Web>,
    Allowed { visitor, permit }: Allowed<AuditRead>,
    Path(index): Path<String>,
) -> Answer {
    let number: u64 = index
        .parse()
        .map_err(|_| Failure::no_such("audit record", &index))?;
    let proof = show_audit(&permit, number).await?;
    let row = row(&proof.record);
    render(&AuditRecordPage {
        shell: web.shell(&visitor, Section::Audit).await,
        newer: Some(number + 1).filter(|next| *next < proof.tree.size),
        older: number.checked_sub(1),
        row,
        data: serde_json::to_string_pretty(&proof.record.data).unwrap_or_default(),
        body: proof.body,
        proof: Proof {
            leaf: proof.leaf,
            size: proof.tree.size,
            root: proof.tree.root,
            path: proof.path,
            checkpoint: proof.tree.checkpoint,
        },
    })
}

/// Downloads the whole log. That it was exported is recorded, so that it is a form and not a link.
pub(crate) async fn export(Allowed { visitor, permit }: Allowed<AuditRead>, _sent: Sent) -> Answer {
    let pieces = export_audit(&permit).await?;
    let name = format!("attachment; filename=\"audit-{}.jsonl\"", visitor.caller.tenant());
    let headers = [
        (
            header::CONTENT_TYPE,
            "application/jsonl; charset=utf-8".to_owned(),
        ),
        (header::CONTENT_DISPOSITION, name),
    ];
    Ok((headers, Body::from_stream(pieces)).into_response())
}

fn row(record: &AuditRecordView) -> AuditRow {
    let run = record.run.map(|run| run.to_string());
    let about_run = run
        .as_ref()
        .is_some_and(|run| record.subject == format!("run/{run}"));
    AuditRow {
        index: record.index,
        at: record.at,
        kind: record.kind.clone(),
        symbol: symbol(record),
        actor: record.actor.clone(),
        subject: if about_run {
            String::new()
        } else {
            brief(&record.subject)
        },
        run,
    }
}

/// A subject with its long names cut to what tells them apart.
fn brief(subject: &str) -> String {
    let parts = subject.split('/').map(|part| match part.strip_prefix("sha256:") {
        Some(digits) => digits.get(..12).unwrap_or(digits).to_owned(),
        None => short_id(part),
    });
    parts.collect::<Vec<String>>().join("/")
}

fn in_ulid(byte: u8) -> bool {
    byte.is_ascii_uppercase() || byte.is_ascii_digit()
}

/// `apr_…GSTZX1` for an id; anything else as it is.
fn short_id(text: &str) -> String {
    match text.split_once('_') {
        Some((prefix, rest)) if rest.len() == 26 && rest.bytes().all(in_ulid) => {
            format!("{prefix}_…{}", rest.get(20..).unwrap_or(rest))
        }
        _ => text.to_owned(),
    }
}

/// What sort of fact a record is, for the eye. Kinds that are not known look like any fact.
fn symbol(record: &AuditRecordView) -> Symbol {
    let says = |key: &str, value: &str| record.data.get(key).and_then(|found| found.as_str()) == Some(value);
    match record.kind.as_str() {
        "access.refused" | "gate.denied" | "approval.rejected" => Symbol::Denied,
        "gate.needs_approval" | "approval.requested" => Symbol::Votes,
        "approval.voided" | "plan.drifted" => Symbol::Void,
        "attempt.started" | "run.started" | "run.requested" => Symbol::Running,
        "attempt.succeeded"
            if record.data.get("changed").and_then(serde_json::Value::as_bool) == Some(true) =>
        {
            Symbol::Changed
        }
        "attempt.failed" | "step.failed" => Symbol::Failed,
        "attempt.unknown" => Symbol::Unknown,
        "step.skipped" | "job.skipped" => Symbol::Skipped,
        "run.cancelled" | "session.ended" | "token.revoked" | "server.removed" => Symbol::Cancelled,
        "vote.cast" if says("verdict", "reject") => Symbol::Denied,
        "run.finished" if says("outcome", "failed") => Symbol::Failed,
        "run.finished" if says("outcome", "denied") => Symbol::Denied,
        "run.finished" if says("outcome", "cancelled") => Symbol::Cancelled,
        "plan.created" | "facts.read" => Symbol::Checking,
        _ => Symbol::Ok,
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn long_names_are_cut_and_words_are_not() {
        let brief = super::brief;
        assert_eq!(brief("rollout/web-1/apply"), "rollout/web-1/apply");
        assert_eq!(
            brief("approval/apr_01KJMBQDE0Q70B6H6D7WGSTZX1"),
            "approval/apr_…GSTZX1"
        );
        assert_eq!(
            brief(&format!("plan/sha256:{}", "6af61747b7552ae8".repeat(4))),
            "plan/6af61747b755"
        );
        assert_eq!(
            brief("principal/the_person_with_a_very_long_name"),
            "principal/the_person_with_a_very_long_name"
        );
    }
}
