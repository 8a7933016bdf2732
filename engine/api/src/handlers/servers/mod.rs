//! Servers.

pub(crate) mod add;
pub(crate) mod list;
pub(crate) mod probe;
pub(crate) mod refresh_facts;
pub(crate) mod remove;
pub(crate) mod show;
