//! People, agents and programs.

pub(crate) mod list;
pub(crate) mod put;
