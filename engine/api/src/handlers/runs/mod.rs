//! Runs.

pub(crate) mod cancel;
pub(crate) mod events;
pub(crate) mod list;
pub(crate) mod output;
pub(crate) mod resolve;
pub(crate) mod show;
pub(crate) mod start;
pub(crate) mod start_planned;
