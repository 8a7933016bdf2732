//! The rows of all turns of a group, ready for the bulk statement.

use std::collections::HashMap;
use std::fmt::Write as _;

use clawd_model::RunId;
use sqlx::sqlite::SqliteQueryResult;

use crate::sql::{Sql, sql};
use crate::writer::packed::Packed;
use crate::writer::rows::APPEND;
use crate::writer::turn::TurnRows;

/// Rows under construction. JSON arrays begin with their bracket.
pub(super) struct Bulk {
    plans: String,
    runs: String,
    journal: Packed,
    /// The last change of each run's row: a later turn of the group has the last word.
    statuses: HashMap<RunId, String>,
    approvals: String,
    inbox_done: String,
    pub(super) audit: Packed,
    pub(super) turns: u64,
    expected: Expected,
}

/// How many rows the statements have to affect; a difference means that something would be lost silently.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Expected {
    runs: u64,
    journal: u64,
    statuses: u64,
    approvals: u64,
    audit: u64,
}

impl Bulk {
    pub(super) fn new() -> Self {
        let open = || String::from("[");
        Self {
            plans: open(),
            runs: open(),
            journal: Packed::with_capacity(16 * 1024),
            statuses: HashMap::new(),
            approvals: open(),
            inbox_done: open(),
            audit: Packed::with_capacity(64 * 1024),
            turns: 0,
            expected: Expected::default(),
        }
    }

    /// Adds a turn of the run with this number, whose audit records begin at `first_record`.
    pub(super) fn add(&mut self, turn: &TurnRows, number: i64, first_record: u64) {
        self.turns += 1;
        push_rendered(&mut self.plans, &turn.plan);
        if !turn.new_run.is_empty() {
            push_rendered(&mut self.runs, &turn.new_run);
            let _ = write!(self.runs, ",{number}]");
            self.expected.runs += 1;
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
        push_rendered(&mut self.approvals, &turn.approvals);
        self.expected.approvals += turn.approvals_count;
        if let Some(row) = turn.status_row() {
            self.statuses.insert(turn.run, row);
        }
        for id in &turn.inbox_done {
            push_rendered(&mut self.inbox_done, &id.to_string());
        }
    }

    /// The statement with its arguments, and what it has to do.
    pub(super) fn statement(mut self) -> (Sql, Expected) {
        let close = |mut rows: String| {
            rows.push(']');
            rows
        };
        let mut statuses = String::from("[");
        for row in self.statuses.values() {
            push_rendered(&mut statuses, row);
        }
        self.expected.statuses = self.statuses.len() as u64;
        self.expected.journal = self.journal.count();
        self.expected.audit = self.audit.count();
        let (journal, journal_rows) = self.journal.into_arguments();
        let (audit, audit_rows) = self.audit.into_arguments();
        let statement = sql(APPEND)
            .bind(close(self.plans))
            .bind(close(self.runs))
            .bind(journal)
            .bind(journal_rows)
            .bind(close(statuses))
            .bind(close(self.approvals))
            .bind(close(self.inbox_done))
            .bind(audit)
            .bind(audit_rows);
        (statement, self.expected)
    }
}

impl Expected {
    /// The first table, if any, that was not affected as it had to be.
    pub(super) fn missed(&self, results: &[SqliteQueryResult]) -> Option<&'static str> {
        let tables = [
            ("plans", None),
            ("runs", Some(self.runs)),
            ("journal", Some(self.journal)),
            ("runs", Some(self.statuses)),
            ("approvals", Some(self.approvals)),
            ("inbox", None),
            ("audit", Some(self.audit)),
        ];
        if results.len() != tables.len() {
            return Some("all");
        }
        tables
            .iter()
            .zip(results)
            .find(|((_, expected), result)| expected.is_some_and(|rows| rows != result.rows_affected()))
            .map(|((table, _), _)| *table)
    }
}

/// Adds rows that were rendered before.
fn push_rendered(rows: &mut String, rendered: &str) {
    if !rendered.is_empty() {
        if rows.len() > 1 {
            rows.push(',');
        }
        rows.push_str(rendered);
    }
}
