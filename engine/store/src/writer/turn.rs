//! A turn, rendered into rows by the task that commits it.

use std::fmt::Write as _;

use clawd_audit::{Draft, Prepared};
use clawd_model::{RunId, RunStatus, TenantName, Timestamp};
use serde_json::json;

use crate::error::CommitError;
use crate::journal::{CommittedTurn, Turn, shard_of};
use crate::writer::rows;

/// A turn as rows: JSON arrays, comma-separated, as the bulk statements take them.
pub(crate) struct TurnRows {
    pub(crate) tenant: TenantName,
    pub(crate) run: RunId,
    pub(crate) shard: u16,
    pub(crate) epoch: u64,
    pub(crate) first_seq: u64,
    pub(crate) events: u64,
    pub(crate) at: Timestamp,
    pub(crate) finished: bool,
    pub(crate) status: Option<RunStatus>,
    pub(crate) is_new: bool,
    pub(crate) journal: String,
    pub(crate) plan: String,
    pub(crate) new_run: String,
    pub(crate) approvals: String,
    pub(crate) inbox_done: Vec<i64>,
    pub(crate) audit: Vec<Prepared>,
    pub(crate) committed: CommittedTurn,
}

impl TurnRows {
    pub(crate) fn new(turn: Turn) -> Result<Self, CommitError> {
        if turn.shard != shard_of(turn.run) {
            return Err(CommitError::Invalid("the shard is not the run's"));
        }
        if turn.events.is_empty() && (turn.new_run.is_some() || turn.finished) {
            return Err(CommitError::Invalid("a run begins and ends with an event"));
        }
        if turn.first_seq == 0 || (turn.new_run.is_some() != (turn.first_seq == 1)) {
            return Err(CommitError::Invalid(
                "the first turn, and only that, makes the run",
            ));
        }
        let mut journal = String::with_capacity(256 * turn.events.len());
        for (seq, event) in (turn.first_seq..).zip(&turn.events) {
            rows::push_journal(
                &mut journal,
                turn.run,
                seq,
                turn.at,
                &serde_json::to_string(event)?,
            );
        }
        let (plan, new_run) = match &turn.new_run {
            Some(new) => rows::new_run(&turn, new)?,
            None => (String::new(), String::new()),
        };
        let mut approvals = String::new();
        for approval in &turn.approvals {
            rows::push(
                &mut approvals,
                &json!([
                    approval.id,
                    turn.tenant,
                    turn.run,
                    approval.status,
                    approval.opened_at,
                    serde_json::to_string(approval)?
                ]),
            );
        }
        let events = turn.events.len() as u64;
        let audit = prepare(&turn.audit, &turn.tenant, turn.at);
        Ok(Self {
            shard: turn.shard,
            epoch: turn.epoch,
            first_seq: turn.first_seq,
            events,
            at: turn.at,
            finished: turn.finished,
            status: turn.status,
            is_new: turn.new_run.is_some(),
            journal,
            plan,
            new_run,
            approvals,
            inbox_done: turn.inbox_done,
            audit,
            committed: CommittedTurn::new(
                turn.tenant.clone(),
                turn.run,
                turn.first_seq,
                turn.at,
                turn.events,
                turn.status,
            ),
            tenant: turn.tenant,
            run: turn.run,
        })
    }

    /// The change of the run's own row, if there is one.
    pub(crate) fn status_row(&self) -> Option<String> {
        if self.is_new || (self.status.is_none() && !self.finished) {
            return None;
        }
        let mut row = String::new();
        let finished = self.finished.then_some(self.at.0);
        let status = self.status.map(RunStatus::as_str);
        let _ = write!(row, "{}", json!([self.run, status, self.at, finished]));
        Some(row)
    }
}

/// Renders drafts around the gaps where their numbers go.
pub(crate) fn prepare(drafts: &[Draft], tenant: &TenantName, at: Timestamp) -> Vec<Prepared> {
    drafts.iter().map(|draft| draft.prepare(tenant, at)).collect()
}
