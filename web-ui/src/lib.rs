//! The console: server-rendered pages over the use cases of `clawd-control`.
//!
//! ```text
//! assets   style sheet, scripts, icon: embedded, served under names that carry their hash
//! door     who looks, forms of our own, permits, errors
//! pages    the routes: one file per page: parse, permit, use case, view, render
//! view     one typed context per page and fragment, each with samples
//! ui, dag  what views are made of: symbols, moments, digests, diffs; the drawing of a graph
//! sample   the samples: one story told on every page
//! ```
//!
//! Templates are checked when the crate is compiled. No page needs a script: htmx and a small script of our own only
//! spare reloads. Nothing here decides what somebody may do; that is the gate's part.

mod assets;
mod console;
mod dag;
mod door;
mod files;
mod gallery;
mod headers;
mod pages;
pub mod sample;
mod ui;
mod view;

pub use console::{Front, router};
pub use gallery::gallery;
