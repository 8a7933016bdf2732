//! The pure core of the engine: fold the journal, decide what is next.
//!
//! ```text
//!   journal ──fold──▶ RunState ──decide(input, now)──▶ Turn { events, effects }
//!                        ▲                                  │ commit events   │ then perform effects
//!                        └────────────── apply ─────────────┘                 ▼
//!                                                     gate, check, attempt, timer (clawd-worker)
//! ```
//!
//! # What is guaranteed
//!
//! 1. **One way to change.** [`RunState`] changes only by [`RunState::apply`] of an event; deciding and
//!    recovering run the same function, so a journal that cannot be folded is found by the code that wrote it.
//! 2. **No effect is stored.** After a crash [`fold`] and [`Input::Resume`] give the effects that still have to be performed, from
//!    the folded state alone.
//! 3. **No attempt without an allow.** `AttemptStarted` holds the decision that let it start; one without an allow
//!    cannot be folded.
//! 4. **No second attempt of an open one.** While a step is running or unknown nothing starts it again; the
//!    next attempt follows only a recorded failure, or a person's word that it did not take place.
//! 5. **Nothing of what people approved is replaced.** A mutating step whose plan predicted a change is checked
//!    again before its first attempt, and before a later one that waited for people; another fingerprint voids the
//!    approval, and so does another input than the plan's, or a step that was not to run at all.
//!    Votes count for a step of high risk only if they were cast on the very input that it is given.
//! 6. **Every step ends.** Final states are never left, with one exception: a failed attempt that is retried in
//!    the same turn.
//! 7. **One change at a time.** No job of a run with a lock begins before the run holds it.
//! 8. **The cost of an event does not grow with the run**: only its lane is looked at.
//!
//! The crate reads no clock, makes no id by chance, and performs nothing.

mod advance;
mod apply;
mod approve;
mod attempt;
mod begin;
mod cancel;
mod decide;
mod drift;
mod gate;
mod inputs;
mod lock;
mod program;
mod resume;
mod scope;
mod state;
mod turn;
mod votes;

#[cfg(test)]
mod tests;

pub use apply::Corrupt;
pub use decide::decide;
pub use program::Program;
pub use resume::fold;
pub use state::{JobPhase, JobState, Lane, LaneVerdict, LockState, RunState, StepState};
pub use turn::{Effect, Input, Timer, Turn};
