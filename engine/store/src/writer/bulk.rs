//! The rows of all turns of a group, ready for the bulk statements.

use std::collections::HashMap;
use std::fmt::Write as _;

use clawd_model::RunId;
use serde_json::json;

use crate::lock::LockChange;
use crate::sql::{Sql, sql};
use crate::writer::packed::Packed;
use crate::writer::rows;
use crate::writer::turn::TurnRows;

/// Rows under construction.
pub(super) struct Bulk {
    runs: List,
    journal: Packed,
    /// The last change of each run's row: a later turn of the group has the last word.
    statuses: HashMap<RunId, String>,
    approvals: List,
    lock_queue: List,
    lock_takes: List,
    lock_releases: List,
    inbox_done: List,
    pub(super) audit: Packed,
    pub(super) turns: u64,
}

/// One bulk statement.
pub(super) struct Step {
    pub(super) table: &'static str,
    pub(super) statement: Sql,
    /// How many rows it has to affect, where a difference would mean that something is lost silently.
    pub(super) rows: Option<u64>,
}

/// A JSON array under construction.
#[derive(Default)]
struct List {
    rows: String,
    count: u64,
}

impl List {
    /// Adds `count` rows that were rendered before, with commas between them.
    fn push(&mut self, rendered: &str, count: u64) {
        if count > 0 {
            self.rows.push(if self.rows.is_empty() { '[' } else { ',' });
            self.rows.push_str(rendered);
            self.count += count;
        }
    }

    fn step(mut self, table: &'static str, text: &'static str, exact: bool) -> Option<Step> {
        if self.count == 0 {
            return None;
        }
        self.rows.push(']');
        Some(Step {
            table,
            statement: sql(text).bind(self.rows),
            rows: exact.then_some(self.count),
        })
    }
}

impl Bulk {
    pub(super) fn new() -> Self {
        Self {
            runs: List::default(),
            journal: Packed::with_capacity(16 * 1024),
            statuses: HashMap::new(),
            approvals: List::default(),
            lock_queue: List::default(),
            lock_takes: List::default(),
            lock_releases: List::default(),
            inbox_done: List::default(),
            audit: Packed::with_capacity(64 * 1024),
            turns: 0,
        }
    }

    /// Adds a turn of the run with this number, whose audit records begin at `first_record`.
    pub(super) fn add(&mut self, turn: &TurnRows, number: i64, first_record: u64) {
        self.turns += 1;
        if !turn.new_run.is_empty() {
            self.runs.push(&turn.new_run, 1);
            let _ = write!(self.runs.rows, ",{number}]");
        }
        let mut records = i64::try_from((first_record << 16) | turn.audit.len() as u64).unwrap_or_default();
        if turn.audit.is_empty() {
            records = 0;
        }
        for (seq, event) in (turn.first_seq..).zip(&turn.events) {
            let seq = i64::try_from(seq).unwrap_or(i64::MAX);
            self.journal.push([number, seq, turn.at.0, records], event);
            records = 0;
        }
        self.approvals.push(&turn.approvals, turn.approvals_count);
        if let Some(row) = turn.status_row() {
            self.statuses.insert(turn.run, row);
        }
        for change in &turn.locks {
            match change {
                LockChange::Queue(name) => {
                    let row = json!([turn.run, turn.tenant, name]).to_string();
                    self.lock_queue.push(&row, 1);
                }
                LockChange::Take => self.lock_takes.push(&json!(turn.run).to_string(), 1),
                LockChange::Release => self.lock_releases.push(&json!(turn.run).to_string(), 1),
            }
        }
        for id in &turn.inbox_done {
            self.inbox_done.push(&id.to_string(), 1);
        }
    }

    /// The runs that give their place in a queue up, as a JSON array; nothing when there are none.
    pub(super) fn releases(&self) -> Option<String> {
        let List { rows, count } = &self.lock_releases;
        (*count > 0).then(|| format!("{rows}]"))
    }

    /// The statements, in an order that satisfies foreign keys. Without those that have nothing to do.
    pub(super) fn steps(self) -> impl Iterator<Item = Step> {
        let mut statuses = List::default();
        for row in self.statuses.values() {
            statuses.push(row, 1);
        }
        [
            self.runs.step("runs", rows::RUNS, true),
            self.journal.step("journal", rows::JOURNAL),
            statuses.step("runs", rows::STATUSES, true),
            self.approvals.step("approvals", rows::APPROVALS, true),
            self.lock_queue.step("run_locks", rows::LOCK_QUEUE, true),
            self.lock_takes.step("run_locks", rows::LOCK_TAKES, true),
            self.lock_releases.step("run_locks", rows::LOCK_RELEASES, false),
            self.inbox_done.step("inbox", rows::INBOX_DONE, false),
            self.audit.step("audit", rows::AUDIT),
        ]
        .into_iter()
        .flatten()
    }
}
