//! A turn, rendered into rows by the task that commits it.

use std::fmt::Write as _;

use clawd_audit::{Draft, Prepared};
use clawd_model::{RunId, RunStatus, TenantName, Timestamp};
use serde_json::json;

use crate::error::CommitError;
use crate::journal::{CommittedTurn, Turn, shard_of};
use crate::lock::LockChange;
use crate::plan::PlanText;
use crate::writer::rows;

/// No turn is larger than this: what cannot be read back at once must not be written.
const BYTES_MAX: usize = 16 * 1024 * 1024;

/// The journal counts the records of a turn in 16 bits.
const RECORDS_MAX: usize = 65_535;

/// A turn as rows.
pub(crate) struct TurnRows {
    pub(crate) tenant: TenantName,
    pub(crate) run: RunId,
    pub(crate) shard: u16,
    pub(crate) epoch: u64,
    pub(crate) first_seq: u64,
    /// Each event as JSON.
    pub(crate) events: Vec<String>,
    pub(crate) at: Timestamp,
    pub(crate) finished: bool,
    pub(crate) status: Option<RunStatus>,
    pub(crate) is_new: bool,
    /// The plan of a run that begins. It is stored before the turn, which refers to it: a plan may be larger than a turn.
    pub(crate) plan: Option<PlanText>,
    /// JSON rows, comma-separated, as the bulk statement takes them.
    pub(crate) new_run: String,
    pub(crate) approvals: String,
    pub(crate) approvals_count: u64,
    pub(crate) locks: Vec<LockChange>,
    pub(crate) inbox_done: Vec<i64>,
    pub(crate) audit: Vec<Prepared>,
    /// The news of it, until it is told.
    pub(crate) committed: Option<CommittedTurn>,
    /// About how much it will write.
    pub(crate) bytes: usize,
}

impl TurnRows {
    pub(crate) fn new(turn: Turn) -> Result<Self, CommitError> {
        if turn.shard != shard_of(turn.run) {
            return Err(CommitError::Invalid("the shard is not the run's"));
        }
        if turn.events.is_empty() && turn.new_run.is_some() {
            return Err(CommitError::Invalid("a run begins with an event"));
        }
        if turn.events.is_empty() && !turn.audit.is_empty() {
            return Err(CommitError::Invalid("an audit record without an event"));
        }
        if turn.audit.len() > RECORDS_MAX {
            return Err(CommitError::Invalid("it has more than 65,535 audit records"));
        }
        if turn.first_seq == 0 || (turn.new_run.is_some() != (turn.first_seq == 1)) {
            return Err(CommitError::Invalid(
                "the first turn, and only that, makes the run",
            ));
        }
        let events = turn
            .events
            .iter()
            .map(serde_json::to_string)
            .collect::<Result<Vec<_>, _>>()?;
        let (plan, new_run) = match &turn.new_run {
            Some(new) => {
                let plan = PlanText::new(&new.plan, new.plan_digest)?;
                let row = rows::new_run(&turn, new, plan.content);
                (Some(plan), row)
            }
            None => (None, String::new()),
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
        let audit = prepare(&turn.audit, &turn.tenant, turn.at);
        let bytes = events.iter().map(String::len).sum::<usize>()
            + audit.iter().map(Prepared::len).sum::<usize>()
            + approvals.len();
        if bytes > BYTES_MAX {
            return Err(CommitError::Invalid("it is larger than 16 MiB"));
        }
        Ok(Self {
            bytes,
            shard: turn.shard,
            epoch: turn.epoch,
            first_seq: turn.first_seq,
            events,
            at: turn.at,
            finished: turn.finished,
            status: turn.status,
            is_new: turn.new_run.is_some(),
            plan,
            new_run,
            approvals,
            approvals_count: turn.approvals.len() as u64,
            locks: turn.locks,
            inbox_done: turn.inbox_done,
            audit,
            committed: Some(CommittedTurn::new(
                turn.tenant.clone(),
                turn.run,
                turn.first_seq,
                turn.at,
                turn.events,
                turn.status,
            )),
            tenant: turn.tenant,
            run: turn.run,
        })
    }

    /// The change of the run's own row, if there is one.
    pub(crate) fn status_row(&self) -> Option<String> {
        if self.is_new || self.events.is_empty() || (self.status.is_none() && !self.finished) {
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
