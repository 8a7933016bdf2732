//! What has to be committed together, and the commit.

use std::collections::BTreeSet;

use clawd_audit::Draft;
use clawd_model::{Approval, ApprovalId, ApprovalStatus, Event, Timestamp};
use clawd_scheduler::{Effect, LockState, RunState};
use clawd_store::{CommitError, LockChange, NewRunRow, Turn};

use crate::drive::Driver;
use crate::limits;
use crate::records::Recorder;

/// About how much one commit bears, in bytes: well below what the store takes, since this is an estimate.
const BYTES_MAX: usize = 2 << 20;
/// About what an event and its record take beside what an operation gave.
const EVENT_BYTES: usize = 1 << 10;

/// What has to be committed together.
pub(crate) struct Pending {
    /// When it is decided: one moment for all that is committed together, the same that the journal says.
    pub(crate) at: Timestamp,
    events: Vec<Event>,
    audit: Vec<Draft>,
    effects: Vec<Effect>,
    inbox_done: Vec<i64>,
    new_run: Option<NewRunRow>,
    bytes: usize,
}

impl Pending {
    pub(crate) fn new(at: Timestamp) -> Self {
        Self {
            at,
            events: Vec::new(),
            audit: Vec::new(),
            effects: Vec::new(),
            inbox_done: Vec::new(),
            new_run: None,
            bytes: 0,
        }
    }

    /// The first turn of a run.
    pub(crate) fn first(at: Timestamp, row: NewRunRow, audit: Vec<Draft>) -> Self {
        Self {
            new_run: Some(row),
            audit,
            ..Self::new(at)
        }
    }

    /// Adds an event and its record, which take about so many bytes.
    pub(crate) fn push(&mut self, event: Event, record: Option<Draft>, bytes: usize) {
        self.events.push(event);
        self.audit.extend(record);
        self.grow(bytes);
    }

    pub(crate) fn grow(&mut self, bytes: usize) {
        self.bytes = self.bytes.saturating_add(bytes);
    }

    /// Whether it should be committed before more is decided.
    pub(crate) const fn is_full(&self) -> bool {
        self.bytes >= BYTES_MAX
    }

    /// Whether it says anything that has to be durable.
    pub(crate) fn has_news(&self) -> bool {
        !self.events.is_empty() || !self.inbox_done.is_empty()
    }

    pub(crate) fn perform_later(&mut self, effect: Effect) {
        self.effects.push(effect);
    }

    pub(crate) fn take_effects(&mut self) -> Vec<Effect> {
        std::mem::take(&mut self.effects)
    }

    /// Notes that a message is dealt with; false when it was before.
    pub(crate) fn done_with(&mut self, message: i64) -> bool {
        let is_new = !self.inbox_done.contains(&message);
        if is_new {
            self.inbox_done.push(message);
        }
        is_new
    }
}

impl Driver {
    /// Makes the turn durable. What is pending afterwards is effects only.
    pub(crate) async fn commit(&mut self, pending: &mut Pending) -> Result<(), CommitError> {
        let Some(epoch) = self.env.epoch(self.shard) else {
            return Err(CommitError::Fenced {
                shard: self.shard,
                epoch: 0,
            });
        };
        let events = std::mem::take(&mut pending.events);
        let count = u64::try_from(events.len()).unwrap_or(0);
        let status = self.state.status();
        let turn = Turn {
            tenant: self.state.tenant.clone(),
            run: self.state.run,
            shard: self.shard,
            epoch,
            first_seq: self.state.seq + 1 - count,
            at: pending.at,
            approvals: approvals_in(&events, &self.state),
            finished: self.state.outcome.is_some(),
            locks: locks_in(&events, &self.state),
            status: (self.status != Some(status)).then_some(status),
            events,
            audit: std::mem::take(&mut pending.audit),
            new_run: pending.new_run.take(),
            inbox_done: std::mem::take(&mut pending.inbox_done),
        };
        self.env.deps.store.commit(turn).await?;
        pending.bytes = 0;
        self.status = Some(status);
        self.outputs.clear();
        Ok(())
    }

    pub(crate) fn recorder(&self) -> Recorder<'_> {
        Recorder {
            program: &self.program,
            state: &self.state,
            outputs: &self.outputs,
        }
    }

    /// About how much an event and its record take, in the journal, the audit log and the tables beside them. What
    /// an operation gave is counted when it arrives.
    pub(crate) fn weight(&self, event: &Event, record: Option<&Draft>) -> usize {
        let whole = || {
            let recorded = record.map_or(0, |record| limits::bytes_of(&record.data));
            EVENT_BYTES + limits::bytes_of(event) + recorded
        };
        let request = |id: &ApprovalId| self.state.approvals.get(id).map_or(0, limits::bytes_of);
        match event {
            Event::ApprovalRequested { approval, .. }
            | Event::ApprovalUpdated { approval, .. }
            | Event::ApprovalGranted { approval, .. }
            | Event::ApprovalRejected { approval, .. }
            | Event::ApprovalVoided { approval, .. } => whole() + request(approval),
            Event::VoteCast { vote } => whole() + request(&vote.approval),
            Event::RunStarted { .. }
            | Event::RunFinished { .. }
            | Event::StepSkipped { .. }
            | Event::StepFailed { .. }
            | Event::StepChecked { .. }
            | Event::GateDecided { .. }
            | Event::UnknownResolved { .. }
            | Event::JobSkipped { .. }
            | Event::CancelRequested { .. } => whole(),
            Event::AttemptStarted { .. }
            | Event::AttemptFinished { .. }
            | Event::ApprovalAnnounced { .. }
            | Event::InputSeen { .. }
            | Event::LockRequested { .. }
            | Event::LockTaken { .. }
            | Event::RetryScheduled { .. }
            | Event::SoakStarted { .. }
            | Event::WaveStarted { .. } => EVENT_BYTES,
        }
    }
}

/// What happens to the run's place in the queue for its lock.
fn locks_in(events: &[Event], state: &RunState) -> Vec<LockChange> {
    let change = |event: &Event| match event {
        Event::LockRequested { lock } => Some(LockChange::Queue(lock.clone())),
        Event::LockTaken { .. } => Some(LockChange::Take),
        Event::RunFinished { .. } if state.lock != LockState::None => Some(LockChange::Release),
        _ => None,
    };
    events.iter().filter_map(change).collect()
}

/// Requests for votes that the events changed: those that were open when the run ended, too.
fn approvals_in(events: &[Event], state: &RunState) -> Vec<Approval> {
    let mut ids = BTreeSet::<ApprovalId>::new();
    for event in events {
        match event {
            Event::ApprovalRequested { approval, .. }
            | Event::ApprovalUpdated { approval, .. }
            | Event::ApprovalGranted { approval, .. }
            | Event::ApprovalRejected { approval, .. }
            | Event::ApprovalVoided { approval, .. } => {
                ids.insert(*approval);
            }
            Event::VoteCast { vote } => {
                ids.insert(vote.approval);
            }
            Event::RunFinished { .. } => {
                let closed = |approval: &&Approval| approval.status == ApprovalStatus::Closed;
                ids.extend(
                    state
                        .approvals
                        .values()
                        .filter(closed)
                        .map(|approval| approval.id),
                );
            }
            _ => {}
        }
    }
    ids.iter()
        .filter_map(|id| state.approvals.get(id).cloned())
        .collect()
}
