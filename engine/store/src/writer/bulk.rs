//! The rows of a group, ready for the bulk statements.

use std::collections::HashMap;
use std::fmt::Write as _;

use clawd_audit::Tile;
use clawd_model::{RunId, Timestamp};
use serde_json::json;

use crate::lock::LockChange;
use crate::sql::{Sql, sql};
use crate::writer::packed::Packed;
use crate::writer::rows;
use crate::writer::turn::TurnRows;

/// Rows under construction.
#[derive(Default)]
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
    audit_of_runs: List,
    tiles: Packed,
    checkpoints: List,
    pub(super) turns: u64,
}

/// The bulk statements that have rows.
pub(super) struct Script {
    /// Which they are.
    pub(super) wanted: [bool; rows::STATEMENTS],
    /// How many rows each has to affect, where a difference would mean that something is lost silently.
    pub(super) rows: [Option<u64>; rows::STATEMENTS],
    arguments: Sql,
}

impl Script {
    /// Whether nothing has rows.
    pub(super) fn is_empty(&self) -> bool {
        !self.wanted.contains(&true)
    }

    /// The statements, behind those that open a transaction if that is wanted.
    pub(super) fn statements(self, begin: bool) -> Sql {
        self.arguments.with_text(rows::script(begin, self.wanted))
    }
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

    /// The whole array, as an argument.
    fn finish(mut self) -> Option<String> {
        self.rows.push(']');
        (self.count > 0).then_some(self.rows)
    }
}

impl Bulk {
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

    /// Notes that the record at a position is about a run, though no turn of it made the record.
    pub(super) fn note_run(&mut self, position: u64, run: RunId) {
        self.audit_of_runs.push(&json!([position, run]).to_string(), 1);
    }

    /// Adds a tile of the log of the tenant with this number.
    pub(super) fn tile(&mut self, tenant: i64, tile: &Tile) {
        let position = i64::try_from(tile.position).unwrap_or(i64::MAX);
        self.tiles
            .push_with([tenant, i64::from(tile.level), position], |blob| {
                for hash in &tile.hashes {
                    blob.extend_from_slice(hash.as_bytes());
                }
            });
    }

    /// Adds a signed checkpoint of the log of the tenant with this number.
    pub(super) fn checkpoint(&mut self, tenant: i64, size: u64, at: Timestamp, note: &str) {
        let row = json!([tenant, size, at, note]).to_string();
        self.checkpoints.push(&row, 1);
    }

    /// The runs that give their place in a queue up, as a JSON array; nothing when there are none.
    pub(super) fn releases(&self) -> Option<String> {
        let List { rows, count } = &self.lock_releases;
        (*count > 0).then(|| format!("{rows}]"))
    }

    /// The statements with all that was added.
    pub(super) fn script(self) -> Script {
        let mut statuses = List::default();
        for row in self.statuses.values() {
            statuses.push(row, 1);
        }
        let counts = [
            (self.runs.count, true),
            (self.journal.count(), true),
            (statuses.count, true),
            (self.approvals.count, true),
            (self.lock_queue.count, true),
            (self.lock_takes.count, true),
            (self.lock_releases.count, false),
            (self.inbox_done.count, false),
            (self.audit.count(), true),
            (self.audit_of_runs.count, false),
            (self.tiles.count(), true),
            (self.checkpoints.count, false),
        ];
        let (journal, journal_places) = self.journal.finish();
        let (audit, audit_places) = self.audit.finish();
        let (tiles, tile_places) = self.tiles.finish();
        let arguments = sql("")
            .bind(self.runs.finish())
            .bind(journal)
            .bind(journal_places)
            .bind(statuses.finish())
            .bind(self.approvals.finish())
            .bind(self.lock_queue.finish())
            .bind(self.lock_takes.finish())
            .bind(self.lock_releases.finish())
            .bind(self.inbox_done.finish())
            .bind(audit)
            .bind(audit_places)
            .bind(self.audit_of_runs.finish())
            .bind(tiles)
            .bind(tile_places)
            .bind(self.checkpoints.finish());
        Script {
            wanted: counts.map(|(count, _)| count > 0),
            rows: counts.map(|(count, is_exact)| is_exact.then_some(count)),
            arguments,
        }
    }
}
