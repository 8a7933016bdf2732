//! The vocabulary of the whole system: ids, names, states, events.
//!
//! Row 0 of the architecture: every other crate may import this one, and it imports none of them. It is pure:
//! no runtime, clock, file, socket or randomness. Time and chance come in as parameters ([`Timestamp`],
//! [`Entropy`]); the binary wires the real ones.

pub mod api;
pub mod approval;
pub mod canonical;
pub mod credential;
pub mod decision;
pub mod digest;
pub mod event;
pub mod id;
pub mod name;
#[cfg(feature = "openapi")]
mod openapi;
pub mod operation;
pub mod outcome;
pub mod plan;
pub mod principal;
pub mod problem;
pub mod product;
pub mod run;
pub mod server;
pub mod step;
pub mod time;

pub use approval::{
    Approval, ApprovalStatus, ApprovalSubject, MoreSteps, SeenInput, VOTE_TTL, Verdict, Vote,
};
pub use credential::{CredentialId, Origin};
pub use decision::{Decision, DecisionKind, MissingVotes};
pub use digest::Digest;
pub use event::{Event, Recorded};
pub use id::{ApprovalId, AttemptId, InvalidId, PlanId, RunId, ServerId, SessionId, TokenId, VoteId};
pub use name::{
    GroupName, InvalidName, JobName, KeyName, OperationName, PrincipalName, RunbookName, SecretName,
    ServerName, StepName, TenantName,
};
pub use operation::{Effect, OnAmbiguous, OperationSpec, Recovery, Risk, Scope, TAKES_SECRETS};
pub use outcome::{Change, ErrorKind, Outcome, StepError};
pub use plan::{Plan, PlannedJob, PlannedStep, WillRun};
pub use principal::{Principal, PrincipalKind};
pub use problem::{Problem, Severity, SourceSpan};
pub use run::{RunOutcome, RunStatus, StepStatus};
pub use server::{Facts, Labels, Server, ServerProvider};
pub use step::{LaneTarget, StepRef};
pub use time::{Clock, DurationMs, Entropy, FixedClock, SeededEntropy, Timestamp};
