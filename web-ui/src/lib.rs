//! The console: server-rendered pages over the use cases of `clawd-control`.
//!
//! ```text
//! assets   style sheet, scripts, icon: embedded, served under names that carry their hash
//! ui       small pieces that render themselves: symbols, moments, digests, diffs, bars
//! dag      draws a graph of jobs
//! view     one typed context per page and fragment, each with samples
//! sample   the samples: one story told on every page
//! ```
//!
//! Templates are checked when the crate is compiled. No page needs a script: htmx and a small script of our own only
//! spare reloads. Nothing here decides what somebody may do; that is the gate's part.

mod assets;
mod dag;
mod files;
mod gallery;
mod headers;
pub mod sample;
mod ui;
mod view;

pub use gallery::gallery;
