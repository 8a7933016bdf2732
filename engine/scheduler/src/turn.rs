//! What goes into a decision, and what comes out.

use std::sync::Arc;

use clawd_model::{
    ApprovalId, AttemptId, Decision, Digest, Event, Outcome, PrincipalName, StepError, StepRef, Timestamp,
    Vote,
};
use serde_json::Value;

/// Something that happened outside of the pure core.
#[derive(Clone, Debug)]
pub enum Input {
    /// The run was admitted, or its journal was just folded: go on.
    Resume,
    /// A step's `check` was repeated before its first attempt.
    Checked {
        /// Which step.
        step: StepRef,
        /// The fingerprint of the change that it would make now, and its summary; or why it could not be asked.
        result: Result<(Digest, String), StepError>,
    },
    /// The gate answered [`Effect::AskGate`].
    GateAnswered {
        /// Which step.
        step: StepRef,
        /// The answer.
        decision: Decision,
    },
    /// The gate allows the step [`Effect::AskGate`] is about, and there is no room for an attempt now. Nothing is
    /// decided: once there is room the gate is asked anew, and answers with [`Input::GateAnswered`].
    NoRoom {
        /// Which step.
        step: StepRef,
    },
    /// An attempt came to an outcome.
    AttemptFinished {
        /// Which step.
        step: StepRef,
        /// Which try.
        attempt: u32,
        /// What it came to.
        outcome: Outcome,
    },
    /// A timer is due.
    TimerFired(Timer),
    /// Somebody voted.
    VoteCast {
        /// The vote.
        vote: Vote,
    },
    /// Answers [`Effect::AskLock`]: whether the run is the first in the queue.
    LockAnswered {
        /// Whether the lock is its own.
        is_first: bool,
    },
    /// Another run let a lock go that this one may wait for.
    LockFreed,
    /// Answers [`Effect::Announce`]: the channel took it.
    Announced {
        /// Which request.
        approval: ApprovalId,
        /// Which channel.
        channel: String,
    },
    /// The run cannot go on: what it decides cannot be stored.
    GiveUp {
        /// Why.
        error: StepError,
    },
    /// Policies, groups or people changed: what waits for votes is asked anew.
    RulesChanged,
    /// Somebody cancelled the run.
    CancelRequested {
        /// Who.
        by: PrincipalName,
        /// Why.
        reason: String,
    },
    /// A person decided what an unknown step came to; `None`: it did not take place.
    UnknownResolved {
        /// Which step.
        step: StepRef,
        /// Which attempt they looked at. A word about another one is ignored.
        attempt: u32,
        /// Who.
        by: PrincipalName,
        /// What it came to.
        outcome: Option<Outcome>,
    },
}

/// What is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Timer {
    /// The next attempt of a step.
    Retry(StepRef),
    /// The next wave of a job.
    Soak(u16),
    /// A vote that the steps of a job wait with expires.
    Votes(u16),
}

/// Work to perform next.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Ask the gate now, in memory, before the turn is committed; answer with [`Input::GateAnswered`], or, of an allow
    /// that cannot be used at once, with [`Input::NoRoom`].
    AskGate {
        /// Which step.
        step: StepRef,
        /// Its input, secrets as references.
        input: Arc<Value>,
    },
    /// Repeat the step's `check`; answer with [`Input::Checked`].
    Check {
        /// Which step.
        step: StepRef,
        /// Its input.
        input: Arc<Value>,
    },
    /// The intent is in the turn: once that is durable, call the operation.
    StartAttempt {
        /// Which step.
        step: StepRef,
        /// Which try.
        attempt: u32,
        /// Its key.
        id: AttemptId,
        /// Its input.
        input: Arc<Value>,
    },
    /// An attempt has an intent and no outcome: take it up as its operation recovers.
    RecoverAttempt {
        /// Which step.
        step: StepRef,
        /// Which try.
        attempt: u32,
        /// Its key.
        id: AttemptId,
        /// Its input, evaluated anew.
        input: Arc<Value>,
        /// The digest of the input that it was started with.
        digest: Digest,
        /// When it was started.
        since: Timestamp,
    },
    /// Send [`Input::TimerFired`] at this time, or soon after.
    SetTimer {
        /// When.
        at: Timestamp,
        /// What for.
        timer: Timer,
    },
    /// Find out whether the run is the first in the queue for its lock; answer with [`Input::LockAnswered`].
    AskLock,
    /// Tell a channel that votes are wanted; answer with [`Input::Announced`] when it took it.
    Announce {
        /// Which request.
        approval: ApprovalId,
        /// Which channel.
        channel: String,
    },
    /// Ask running attempts to stop early.
    AbortAttempts,
}

/// What was decided: facts to commit, then work to perform.
#[derive(Clone, Debug, Default)]
pub struct Turn {
    /// To be committed together, in this order, before any effect but [`Effect::AskGate`].
    pub events: Vec<Event>,
    /// To be performed after the commit.
    pub effects: Vec<Effect>,
}
