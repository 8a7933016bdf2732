//! The handlers: one file per route, each a thin shell over one use case.

pub(crate) mod approvals;
pub(crate) mod audit;
pub(crate) mod health;
pub(crate) mod own;
pub(crate) mod plans;
pub(crate) mod policies;
pub(crate) mod principals;
pub(crate) mod runbooks;
pub(crate) mod runs;
pub(crate) mod servers;
pub(crate) mod tokens;
