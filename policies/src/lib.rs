//! The gate: Cedar policies answer allow, deny or needs-approval.
//!
//! ```text
//! Vocabulary ──schema──► Bundle::load ──► Bundle
//!  operations, groups     strict: all      │ decide(request, electorate)
//!                         problems         ▼
//!              1 slice     policies whose scope fits (action × principal × resource), cached
//!              2 decide    plain Cedar with the real votes: Allow without any error, or not
//!              3 missing   partial evaluation with the votes unknown: could votes lift it, and which?
//! ```
//!
//! What the gate promises:
//! 1. Only plain Cedar, with the votes that were really cast, allows anything; partial evaluation only explains.
//! 2. An evaluation error of any policy that could apply is a deny.
//! 3. A slice never changes an answer; neither does remembering one.
//! 4. More votes never hurt: a policy that could turn a vote against the request is refused when loaded.
//! 5. The built-in rules ([`builtin`]) are part of every bundle, and no bundle can remove them.
//!
//! Pure: no clock, file or socket. Bundles are loaded from texts, time is part of the request.

mod action;
mod approvals;
pub mod builtin;
mod bundle;
mod candidates;
mod control;
mod current;
mod decide;
mod entities;
mod explain;
mod facts;
mod index;
pub mod library;
mod load;
mod memo;
mod missing;
mod names;
mod request;
mod schema;
mod scope;
mod standing;
pub mod testing;
mod vocabulary;

pub use approvals::Approvals;
pub use bundle::{Bundle, PolicyInfo, PolicyKind};
pub use control::ControlAction;
pub use current::Policies;
pub use explain::{Explanation, Outcome, PolicyOutcome};
pub use load::problem::CODES as PROBLEM_CODES;
pub use request::{Action, Request, Resource, ResourceKind, RunFacts};
pub use standing::Standing;
pub use vocabulary::Vocabulary;
