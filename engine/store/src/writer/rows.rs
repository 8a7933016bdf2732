//! The bulk statement, and rows as callers render them for it.

use std::fmt::Write as _;

use clawd_model::{Digest, RunStatus};
use serde_json::{Value, json};

use crate::journal::{NewRunRow, Turn};

/// Everything that turns and their audit records add.
pub(crate) const APPEND: &str = include_str!("append.sql");

/// Audit records that no turn made. Arguments: packed records, their places.
pub(crate) const APPEND_AUDIT: &str = "INSERT OR FAIL INTO audit (tenant, position, body)
     SELECT CAST(substr($1, value >> 32, 12) AS INTEGER), CAST(substr($1, (value >> 32) + 12, 12) AS INTEGER),
            CAST(substr($1, (value >> 32) + 24, value & 0xffffffff) AS TEXT)
     FROM json_each($2)";

/// Which of them are about runs. Argument: a JSON array of positions and run ids.
pub(crate) const APPEND_AUDIT_OF_RUNS: &str = "INSERT INTO audit_of_runs (run, position)
     SELECT runs.number, value->>0 FROM json_each(?) JOIN runs ON runs.id = value->>1";

/// Adds a row to a list of rows.
pub(crate) fn push(rows: &mut String, row: &Value) {
    if !rows.is_empty() {
        rows.push(',');
    }
    let _ = write!(rows, "{row}");
}

/// The rows of a run that begins: its plan and itself. The latter lacks its number and its closing bracket.
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
    let mut run = run.to_string();
    run.pop();
    Ok((plan.to_string(), run))
}
