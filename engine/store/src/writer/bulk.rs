//! The rows of all turns of a group, ready for the bulk statements.

use std::collections::HashMap;

use clawd_model::RunId;

use crate::sql::{Sql, sql};
use crate::writer::rows::push_rendered;
use crate::writer::turn::TurnRows;

/// JSON arrays under construction; each begins with its bracket.
pub(super) struct Bulk {
    plans: String,
    runs: String,
    journal: String,
    /// The last change of each run's row: a later turn of the group has the last word.
    statuses: HashMap<RunId, String>,
    approvals: String,
    inbox_done: String,
    pub(super) audit: String,
    pub(super) turns: u64,
}

impl Bulk {
    pub(super) fn new() -> Self {
        let open = || String::from("[");
        Self {
            plans: open(),
            runs: open(),
            journal: String::with_capacity(16 * 1024) + "[",
            statuses: HashMap::new(),
            approvals: open(),
            inbox_done: open(),
            audit: String::with_capacity(32 * 1024) + "[",
            turns: 0,
        }
    }

    pub(super) fn add(&mut self, turn: &TurnRows) {
        self.turns += 1;
        push_rendered(&mut self.plans, &turn.plan);
        push_rendered(&mut self.runs, &turn.new_run);
        push_rendered(&mut self.journal, &turn.journal);
        push_rendered(&mut self.approvals, &turn.approvals);
        if let Some(row) = turn.status_row() {
            self.statuses.insert(turn.run, row);
        }
        for id in &turn.inbox_done {
            push_rendered(&mut self.inbox_done, &id.to_string());
        }
    }

    /// The statement with its arguments.
    pub(super) fn statement(self, text: &'static str) -> Sql {
        let close = |mut rows: String| {
            rows.push(']');
            rows
        };
        let mut statuses = String::from("[");
        for row in self.statuses.values() {
            push_rendered(&mut statuses, row);
        }
        sql(text)
            .bind(close(self.plans))
            .bind(close(self.runs))
            .bind(close(self.journal))
            .bind(close(statuses))
            .bind(close(self.approvals))
            .bind(close(self.inbox_done))
            .bind(close(self.audit))
    }
}
