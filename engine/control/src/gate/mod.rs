//! The door: who calls, what they may do, and what is behind it.
//!
//! INVARIANT: the store is a private field of this module's types, so that no use case can reach it but through a
//! [`Permit`]. The exceptions live in this folder and are all here: `sign_in` (who calls is not known yet),
//! `sign_out` (everybody may end their own session), `health` (is the store there?), and `local` (the operator of this machine, whom the binary alone
//! can speak for).

mod act;
mod app;
mod busy;
mod caller;
mod health;
pub(crate) mod issue;
mod local;
mod permit;
mod ports;
mod refused;
mod secret;
mod sign_in;
mod sign_out;
mod streams;
mod target;
mod watch;
mod workflows;

pub use act::*;
pub use app::{App, Parts};
pub use caller::{Caller, Via};
pub use local::{Bootstrap, BootstrapError, Bootstrapped, LocalAccessError, LocalOperator, Unusable};
pub use permit::Permit;
pub use ports::{AdmitError, HostProbe, NewRun, ProbeError, RunDriver};
pub use refused::Refused;
pub use secret::Secret;
pub use sign_in::{Resumed, SESSION_LIFETIME, Session, SignInError};
pub use streams::{STREAMS_MAX, StreamPlace, TooManyStreams};
pub use target::{ApprovalOn, PlanOn, PlannedRun, RunbookOn, Target, Whole};
