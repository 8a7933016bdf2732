//! The bulk statements, and rows as callers render them for them.
//!
//! Each takes any number of rows, since a trip to the connection's thread costs more than a row. Rare rows come as a
//! JSON array of arrays. The many come packed, which costs a third of that: one blob with all rows, each with its
//! numbers in columns of fixed width before its text, and a JSON array of where each row begins (counted from 1, in
//! the upper bits) and how long its text is (in the lower 32).
//!
//! OR FAIL: an error rolls the whole transaction back, so that SQLite need not keep a copy of every page in order to
//! undo a single statement.

use std::fmt::Write as _;

use clawd_model::{Digest, RunStatus};
use serde_json::{Value, json};

use crate::journal::{NewRunRow, Turn};

/// Opens a transaction with the write lock at once, so that what is read in it holds until its end.
pub(super) const BEGIN: &str = "BEGIN IMMEDIATE";

/// The version of the file, which changes when another connection has written; and the leases, if there are any.
pub(super) const LEASES: &str = "SELECT version.data_version, shard, epoch
     FROM pragma_data_version AS version LEFT JOIN leases ON holder IS NOT NULL";

pub(super) const RUNS: &str =
    "INSERT INTO runs (id, tenant, shard, runbook, workflow, plan, plan_content, requester,
         status, started_at, updated_at, finished_at, number)
     SELECT value->>0, value->>1, value->>2, value->>3, value->>4, value->>5, value->>6, value->>7, value->>8,
            value->>9, value->>9, value->>10, value->>11
     FROM json_each(?)";

/// Arguments: packed events, their places.
pub(super) const JOURNAL: &str = "INSERT OR FAIL INTO journal (run, seq, at, records, event)
     SELECT CAST(substr(?1, value >> 32, 12) AS INTEGER), CAST(substr(?1, (value >> 32) + 12, 12) AS INTEGER),
            CAST(substr(?1, (value >> 32) + 24, 16) AS INTEGER),
            nullif(CAST(substr(?1, (value >> 32) + 40, 18) AS INTEGER), 0),
            CAST(substr(?1, (value >> 32) + 58, value & 0xffffffff) AS TEXT)
     FROM json_each(?2)";

/// A run is passed once, with its last change of the group.
pub(super) const STATUSES: &str = "UPDATE runs SET status = coalesce(change.status, runs.status),
         updated_at = change.at, finished_at = change.finished_at
     FROM (SELECT value->>0 AS id, value->>1 AS status, value->>2 AS at, value->>3 AS finished_at
           FROM json_each(?)) AS change
     WHERE runs.id = change.id";

pub(super) const APPROVALS: &str = "INSERT INTO approvals (id, tenant, run, status, opened_at, body)
     SELECT value->>0, value->>1, value->>2, value->>3, value->>4, value->>5 FROM json_each(?) WHERE true
     ON CONFLICT (id) DO UPDATE SET status = excluded.status, body = excluded.body
     WHERE approvals.tenant = excluded.tenant AND approvals.run = excluded.run";

/// Places count up in the order of the rows.
pub(super) const LOCK_QUEUE: &str = "INSERT INTO run_locks (run, tenant, name, held)
     SELECT value->>0, value->>1, value->>2, 0 FROM json_each(?)";

/// A run that is not the first takes nothing, and the turn is refused.
pub(super) const LOCK_TAKES: &str = "UPDATE run_locks SET held = 1
     WHERE run IN (SELECT value FROM json_each(?)) AND NOT EXISTS (
         SELECT 1 FROM run_locks AS other
         WHERE other.tenant = run_locks.tenant AND other.name = run_locks.name AND other.place < run_locks.place)";

pub(super) const LOCK_RELEASES: &str = "DELETE FROM run_locks WHERE run IN (SELECT value FROM json_each(?))";

/// Who comes next, behind each of these runs.
pub(super) const LOCK_NEXT: &str =
    "SELECT min(other.place) AS place, other.run AS run, other.tenant AS tenant
     FROM run_locks AS mine JOIN run_locks AS other
         ON other.tenant = mine.tenant AND other.name = mine.name AND other.place > mine.place
     WHERE mine.run IN (SELECT value FROM json_each(?)) GROUP BY mine.run";

pub(super) const INBOX_DONE: &str = "DELETE FROM inbox WHERE id IN (SELECT value FROM json_each(?))";

/// Arguments: packed records, their places.
pub(super) const AUDIT: &str = "INSERT OR FAIL INTO audit (tenant, position, body)
     SELECT CAST(substr(?1, value >> 32, 12) AS INTEGER), CAST(substr(?1, (value >> 32) + 12, 12) AS INTEGER),
            CAST(substr(?1, (value >> 32) + 24, value & 0xffffffff) AS TEXT)
     FROM json_each(?2)";

/// Records about runs that no turn made. Argument: a JSON array of positions and run ids.
pub(super) const AUDIT_OF_RUNS: &str = "INSERT INTO audit_of_runs (run, position)
     SELECT runs.number, value->>0 FROM json_each(?) JOIN runs ON runs.id = value->>1";

/// Adds a row to a list of rows.
pub(super) fn push(rows: &mut String, row: &Value) {
    if !rows.is_empty() {
        rows.push(',');
    }
    let _ = write!(rows, "{row}");
}

/// The row of a run that begins, without its number and its closing bracket. `content` is what its plan is stored under.
pub(super) fn new_run(turn: &Turn, new: &NewRunRow, content: Digest) -> String {
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
    run
}
