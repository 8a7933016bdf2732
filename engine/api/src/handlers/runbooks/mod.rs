//! Runbooks.

pub(crate) mod check;
pub(crate) mod list;
pub(crate) mod publish;
pub(crate) mod show;
