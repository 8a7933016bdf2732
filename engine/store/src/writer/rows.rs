//! The bulk statements, and rows as callers render them for them.
//!
//! Each takes any number of rows, since a trip to the connection's thread costs more than a row; and those that have
//! rows make one such trip together. Rare rows come as a JSON array of arrays. The many come packed, which costs a
//! third of that: one blob with all rows, each with its numbers in columns of fixed width before its text, and a JSON
//! array of where each row begins (counted from 1, in the upper bits) and how long its text is (in the lower 32). LIMIT
//! keeps SQLite from reading the array anew for each column.
//!
//! OR FAIL: an error rolls the whole transaction back, so that SQLite need not keep a copy of every page in order to
//! undo a single statement.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Mutex, PoisonError};

use clawd_model::{Digest, RunStatus};
use serde_json::{Value, json};

use crate::journal::{NewRunRow, Turn};

/// Opens a transaction with the write lock at once, so that what is read in it holds until its end. Its row is the
/// version of the file, which changes when another connection has written.
pub(super) const BEGIN: &str = "BEGIN IMMEDIATE; SELECT data_version FROM pragma_data_version";

/// How many statements that is.
pub(super) const OPENING: usize = 2;

/// The leases that somebody holds.
pub(super) const LEASES: &str = "SELECT shard, epoch FROM leases WHERE holder IS NOT NULL";

/// How many bulk statements there are.
pub(super) const STATEMENTS: usize = 12;

/// The bulk statements and the tables that they are about, in an order that satisfies foreign keys. Arguments are
/// numbered through all of them.
pub(super) const BULK: [(&str, &str); STATEMENTS] = [
    (
        "runs",
        "INSERT INTO runs (id, tenant, shard, runbook, workflow, plan, plan_content, requester,
             status, started_at, updated_at, finished_at, number)
         SELECT value->>0, value->>1, value->>2, value->>3, value->>4, value->>5, value->>6, value->>7, value->>8,
                value->>9, value->>9, value->>10, value->>11
         FROM json_each($1)",
    ),
    // Packed events, their places.
    (
        "journal",
        "INSERT OR FAIL INTO journal (run, seq, at, records, event)
         SELECT CAST(substr($2, place >> 32, 12) AS INTEGER), CAST(substr($2, (place >> 32) + 12, 12) AS INTEGER),
                CAST(substr($2, (place >> 32) + 24, 16) AS INTEGER),
                nullif(CAST(substr($2, (place >> 32) + 40, 18) AS INTEGER), 0),
                CAST(substr($2, (place >> 32) + 58, place & 0xffffffff) AS TEXT)
         FROM (SELECT value AS place FROM json_each($3) LIMIT -1)",
    ),
    // A run is passed once, with its last change of the group.
    (
        "runs",
        "UPDATE runs SET status = coalesce(change.status, runs.status),
             updated_at = change.at, finished_at = change.finished_at
         FROM (SELECT value->>0 AS id, value->>1 AS status, value->>2 AS at, value->>3 AS finished_at
               FROM json_each($4)) AS change
         WHERE runs.id = change.id",
    ),
    (
        "approvals",
        "INSERT INTO approvals (id, tenant, run, status, opened_at, body)
         SELECT value->>0, value->>1, value->>2, value->>3, value->>4, value->>5 FROM json_each($5) WHERE true
         ON CONFLICT (id) DO UPDATE SET status = excluded.status, body = excluded.body
         WHERE approvals.tenant = excluded.tenant AND approvals.run = excluded.run",
    ),
    // Places count up in the order of the rows.
    (
        "run_locks",
        "INSERT INTO run_locks (run, tenant, name, held)
         SELECT value->>0, value->>1, value->>2, 0 FROM json_each($6)",
    ),
    // A run that is not the first takes nothing, and the turn is refused.
    (
        "run_locks",
        "UPDATE run_locks SET held = 1
         WHERE run IN (SELECT value FROM json_each($7)) AND NOT EXISTS (
             SELECT 1 FROM run_locks AS other
             WHERE other.tenant = run_locks.tenant AND other.name = run_locks.name
                 AND other.place < run_locks.place)",
    ),
    (
        "run_locks",
        "DELETE FROM run_locks WHERE run IN (SELECT value FROM json_each($8))",
    ),
    (
        "inbox",
        "DELETE FROM inbox WHERE id IN (SELECT value FROM json_each($9))",
    ),
    // Packed records, their places.
    (
        "audit",
        "INSERT OR FAIL INTO audit (tenant, position, body)
         SELECT CAST(substr($10, place >> 32, 12) AS INTEGER), CAST(substr($10, (place >> 32) + 12, 12) AS INTEGER),
                CAST(substr($10, (place >> 32) + 24, place & 0xffffffff) AS TEXT)
         FROM (SELECT value AS place FROM json_each($11) LIMIT -1)",
    ),
    // Records about runs that no turn made: positions and run ids.
    (
        "audit_of_runs",
        "INSERT INTO audit_of_runs (run, position)
         SELECT runs.number, value->>0 FROM json_each($12) JOIN runs ON runs.id = value->>1",
    ),
    // Packed tiles, their places.
    (
        "audit_tiles",
        "INSERT INTO audit_tiles (tenant, level, position, hashes)
         SELECT CAST(substr($13, place >> 32, 12) AS INTEGER), CAST(substr($13, (place >> 32) + 12, 12) AS INTEGER),
                CAST(substr($13, (place >> 32) + 24, 16) AS INTEGER),
                substr($13, (place >> 32) + 40, place & 0xffffffff)
         FROM (SELECT value AS place FROM json_each($14) LIMIT -1)",
    ),
    // The same log may be signed twice.
    (
        "checkpoints",
        "INSERT INTO checkpoints (tenant, size, at, note)
         SELECT value->>0, value->>1, value->>2, value->>3 FROM json_each($15) WHERE true
         ON CONFLICT DO NOTHING",
    ),
];

/// The texts that were asked for so far: a few of all that there could be.
static SCRIPTS: Mutex<BTreeMap<(bool, [bool; STATEMENTS]), &'static str>> = Mutex::new(BTreeMap::new());

/// Those bulk statements that are wanted in one text, behind [`BEGIN`] if that is wanted too.
pub(super) fn script(begin: bool, wanted: [bool; STATEMENTS]) -> &'static str {
    let mut scripts = SCRIPTS.lock().unwrap_or_else(PoisonError::into_inner);
    scripts.entry((begin, wanted)).or_insert_with(|| {
        let statements = BULK.iter().zip(wanted).filter(|(_, wanted)| *wanted);
        let statements = statements.map(|((_, statement), _)| *statement);
        let parts: Vec<&str> = begin.then_some(BEGIN).into_iter().chain(statements).collect();
        parts.join(";\n").leak()
    })
}

/// Who comes next in the queue for a lock, behind each of these runs.
pub(super) const LOCK_NEXT: &str =
    "SELECT min(other.place) AS place, other.run AS run, other.tenant AS tenant
     FROM run_locks AS mine JOIN run_locks AS other
         ON other.tenant = mine.tenant AND other.name = mine.name AND other.place > mine.place
     WHERE mine.run IN (SELECT value FROM json_each(?)) GROUP BY mine.run";

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
