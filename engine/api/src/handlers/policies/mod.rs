//! Policies.

pub(crate) mod explain;
pub(crate) mod publish;
pub(crate) mod show;
