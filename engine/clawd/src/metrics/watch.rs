//! Where the numbers come from: the store's commits, the committed turns, the worker's attempts.

use std::sync::{Arc, PoisonError};
use std::time::Instant;

use clawd_model::{DecisionKind, DurationMs, Event, OperationName, Outcome, RunOutcome};
use clawd_store::{CommitPoint, CommitWatch, CommittedTurn};
use clawd_worker::Observer;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;

use super::Metrics;
use super::labels::{Answer, Ended, Of, Tried};

impl Metrics {
    /// Measures commits, and passes each on to another watch.
    pub(crate) fn commits(&self, then: Option<CommitWatch>) -> CommitWatch {
        let metrics = self.clone();
        Arc::new(move |point| {
            metrics.commit(point);
            if let Some(then) = &then {
                then(point);
            }
        })
    }

    fn commit(&self, point: CommitPoint) {
        let mut began = self.0.commit_began.lock().unwrap_or_else(PoisonError::into_inner);
        match point {
            CommitPoint::Begun(jobs) => {
                *began = Some(Instant::now());
                self.0
                    .commit_jobs
                    .observe(u32::try_from(jobs).map_or(f64::INFINITY, f64::from));
            }
            CommitPoint::Before(_) => {}
            CommitPoint::After(_) => {
                if let Some(began) = began.take() {
                    self.0.commit_seconds.observe(began.elapsed().as_secs_f64());
                }
            }
        }
    }

    /// Counts what the turns say, until the store is closed.
    pub(crate) async fn follow(self, mut committed: Receiver<Arc<CommittedTurn>>) {
        loop {
            match committed.recv().await {
                Ok(turn) => {
                    for recorded in &turn.events {
                        self.happened(&recorded.event);
                    }
                }
                Err(RecvError::Lagged(missed)) => {
                    self.0.missed.inc_by(missed);
                }
                Err(RecvError::Closed) => return,
            }
        }
    }

    fn happened(&self, event: &Event) {
        match event {
            Event::RunStarted { .. } => {
                self.0.runs_started.inc();
            }
            Event::RunFinished { outcome, .. } => {
                let outcome = match outcome {
                    RunOutcome::Succeeded => "succeeded",
                    RunOutcome::Failed => "failed",
                    RunOutcome::Denied => "denied",
                    RunOutcome::Cancelled => "cancelled",
                };
                self.0.runs_finished.get_or_create(&Ended { outcome }).inc();
            }
            Event::GateDecided { decision, .. } | Event::AttemptStarted { decision, .. } => {
                let answer = match decision.kind {
                    DecisionKind::Allow => "allow",
                    DecisionKind::Deny => "deny",
                    DecisionKind::NeedsApproval { .. } => "needs_approval",
                };
                self.0.gate.get_or_create(&Answer { answer }).inc();
            }
            _ => {}
        }
    }
}

impl Observer for Metrics {
    fn attempt_ended(&self, uses: &OperationName, outcome: &Outcome, took: DurationMs) {
        let outcome = match outcome {
            Outcome::Succeeded { .. } => "succeeded",
            Outcome::Failed { .. } => "failed",
            Outcome::Unknown { .. } => "unknown",
        };
        let operation = uses.to_string();
        self.0
            .attempt_seconds
            .get_or_create(&Of {
                operation: operation.clone(),
            })
            .observe(took.to_std().as_secs_f64());
        self.0.attempts.get_or_create(&Tried { operation, outcome }).inc();
    }
}
