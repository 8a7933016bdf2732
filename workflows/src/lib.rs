//! YAML → validated graph: the runbook that a person writes becomes the workflow that the engine runs.
//!
//! ```text
//! source ──parse──▶ Runbook (spans kept) ──validate──▶ Workflow (graph, digest) ──▶ plan, run
//!                        │                     │
//!                        └────── problems ─────┴──▶ all at once, each with code, place and hint
//! ```
//!
//! [`check`] is the only way to a [`Workflow`]; what it means to hold one stands there. At run time the engine asks
//! the workflow's parts: [`Expression::holds`] for conditions, [`Template::render`] for a step's input (both see the
//! run through a [`Scope`]), [`Job::waves`] for the order of servers, [`Retry::next`] after a failure.
//!
//! Everything here is pure: no runtime, clock, file, socket or randomness. Documents come from strangers, so that size,
//! depth, aliases, expressions and their evaluation are limited, and nothing here panics on any text.

pub mod codes;
mod digest;
mod expression;
mod inputs;
pub mod library;
mod parse;
mod problems;
mod render;
mod retry;
mod runbook;
mod schedule;
mod schema_check;
pub mod secret;
mod selector;
mod strategy;
mod suggest;
mod template;
#[cfg(test)]
mod testing;
mod validate;
mod workflow;

pub use clawd_model::Digest;
pub use expression::{Evaluated, Expression, ExpressionError, Lookup, Scope, Truth};
pub use inputs::{InputKind, InputSpec};
pub use render::{render_problem, render_problem_in_colour};
pub use retry::{NEVER as NEVER_RETRIED, Retry, TRANSIENT};
pub use schedule::{Schedule, Triggers};
pub use schema_check::schema_misfits;
pub use selector::{Selector, SelectorError};
pub use strategy::{Batch, Strategy};
pub use template::Template;
pub use validate::{Checked, check};
pub use workflow::{ExtraApproval, Job, Section, Step, Targets, Workflow};
