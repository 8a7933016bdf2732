//! What has to be committed together, and the commit.

use std::collections::BTreeSet;

use clawd_audit::Draft;
use clawd_model::{Approval, ApprovalId, ApprovalStatus, Event, PrincipalKind, Timestamp};
use clawd_scheduler::{Effect, RunState};
use clawd_store::{CommitError, NewRunRow, Turn};

use crate::drive::Driver;
use crate::records::Recorder;

/// About how much one commit bears, in bytes: well below what the store takes, since this is an estimate.
const BYTES_MAX: usize = 2 << 20;
/// About what an event and its record take beside what an operation gave.
const EVENT_BYTES: usize = 1 << 10;

/// What has to be committed together.
pub(crate) struct Pending {
    /// When it is decided: one moment for the whole turn, the same that the journal says.
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

    pub(crate) fn push(&mut self, event: Event, record: Option<Draft>) {
        self.events.push(event);
        self.audit.extend(record);
        self.grow(EVENT_BYTES);
    }

    pub(crate) fn grow(&mut self, bytes: usize) {
        self.bytes = self.bytes.saturating_add(bytes);
    }

    /// Whether it should be committed before more is decided.
    pub(crate) const fn is_full(&self) -> bool {
        self.bytes >= BYTES_MAX
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
    /// Makes the turn durable, if it says anything. What is pending afterwards is effects only.
    pub(crate) async fn commit(&mut self, pending: &mut Pending) -> Result<(), CommitError> {
        if pending.events.is_empty() && pending.inbox_done.is_empty() {
            return Ok(());
        }
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

    /// The record of a run's beginning, by whoever started it.
    pub(crate) async fn record_of(&self, first: &Event) -> Option<Draft> {
        let (deps, state) = (&self.env.deps, &self.state);
        let members = self.env.directory.members(&deps.store, &state.tenant).await.ok();
        let requester = members
            .as_ref()
            .and_then(|members| members.principal(&state.requester));
        let kind = requester.map_or(PrincipalKind::User, |requester| requester.kind);
        let record = self.recorder().draft(first)?;
        Some(Draft {
            actor: format!("{}:{}", kind.as_str().to_ascii_lowercase(), state.requester),
            ..record
        })
    }
}

/// Requests for votes that the events changed: those that were open when the run ended, too.
fn approvals_in(events: &[Event], state: &RunState) -> Vec<Approval> {
    let mut ids = BTreeSet::<ApprovalId>::new();
    for event in events {
        match event {
            Event::ApprovalRequested { approval, .. }
            | Event::ApprovalUpdated { approval, .. }
            | Event::ApprovalGranted { approval }
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
