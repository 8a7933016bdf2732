//! The bulk statements: each takes any number of rows as one JSON array.
//!
//! A statement for all rows of a group costs a few µs more than one for a single row, and the trip to the
//! connection's thread is paid once: [`APPEND`] is sent as one text. An empty array inserts nothing.

use std::fmt::Write as _;

use clawd_model::{Digest, RunId, RunStatus, Timestamp};
use serde_json::{Value, json};

use crate::journal::{NewRunRow, Turn};

/// Everything that turns and their audit records add. Arguments: plans, runs, journal, status changes of runs,
/// approvals, ids of finished inbox messages, audit records.
///
/// A plan that is stored already is the same plan, since its key is the digest of its text. The last status of a
/// run in a group is the one that is passed.
pub(crate) const APPEND: &str = include_str!("append.sql");

/// The same, and the end of the transaction: for groups that hold nothing but turns.
pub(crate) const APPEND_AND_COMMIT: &str = concat!(include_str!("append.sql"), "COMMIT;");

/// Audit records alone. Argument: records.
pub(crate) const APPEND_AUDIT: &str =
    "INSERT INTO audit (tenant, position, body) SELECT value->>0, value->>1, value->>2 FROM json_each(?1)";

/// Adds a row to a list of rows.
pub(crate) fn push(rows: &mut String, row: &Value) {
    if !rows.is_empty() {
        rows.push(',');
    }
    let _ = write!(rows, "{row}");
}

/// Adds rows that were rendered before.
pub(crate) fn push_rendered(rows: &mut String, rendered: &str) {
    if !rendered.is_empty() {
        if rows.len() > 1 {
            rows.push(',');
        }
        rows.push_str(rendered);
    }
}

pub(crate) fn push_journal(rows: &mut String, run: RunId, seq: u64, at: Timestamp, event: &str) {
    push(rows, &json!([run, seq, at, event]));
}

pub(crate) fn push_audit(rows: &mut String, tenant: &str, position: u64, body: &str) {
    if rows.len() > 1 {
        rows.push(',');
    }
    let _ = write!(rows, "{}", json!([tenant, position, body]));
}

/// The rows of a run that begins: its plan and itself.
pub(crate) fn new_run(turn: &Turn, new: &NewRunRow) -> Result<(String, String), serde_json::Error> {
    let body = serde_json::to_string(&*new.plan)?;
    let content = Digest::of(body.as_bytes());
    let plan = json!([turn.tenant, content, new.plan_digest, new.plan.at, body]);
    let status = turn.status.unwrap_or(RunStatus::Running);
    let finished = turn.finished.then_some(turn.at);
    let run = json!([
        turn.run,
        turn.tenant,
        turn.shard,
        new.runbook,
        new.workflow,
        new.plan_digest,
        content,
        new.requester,
        status,
        turn.at,
        finished
    ]);
    Ok((plan.to_string(), run.to_string()))
}
