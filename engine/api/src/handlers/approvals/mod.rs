//! Requests for votes.

pub(crate) mod list;
pub(crate) mod show;
pub(crate) mod vote;
