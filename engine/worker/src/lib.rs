//! The driving loop: claim runs, drive each one, gate its steps, carry out attempts, take up again after a crash.
//!
//! ```text
//!   store ──claim──▶ Worker ──one task a run──▶ drive ──decide──▶ turn ──▶ store (group commit)
//!                                                 ▲                 │ only when durable
//!                        outcome, check, timer ───┴── attempt ◀─────┘ perform
//! ```
//!
//! All that is hard is decided by `clawd-scheduler`, which is pure; this crate does the I/O around it, in the
//! order that the design demands: **intent before effect, outcome before anything that depends on it**.
//!
//! **Invariant.** An operation is called only with a [`gate::Passed`], which only the gate's allow, or the
//! journal's record of it, can make.

mod act;
mod admit;
mod announce;
mod ask;
mod attempt;
mod check;
mod claim;
mod directory;
mod drive;
mod env;
mod gate;
mod limits;
mod load;
mod lock;
mod observer;
mod output;
mod patience;
mod perform;
mod records;
mod recover;
mod reload;
mod secrets;
mod stuck;
#[cfg(test)]
mod testing;
mod turn;
mod worker;

pub use admit::{AdmitError, NewRun};
pub use announce::{Announce, Announcement, NoChannels};
pub use claim::ClaimError;
pub use env::Deps;
pub use observer::{Observer, Unobserved};
pub use secrets::{NoSecrets, Redactor, Secrets};
pub use worker::Worker;
