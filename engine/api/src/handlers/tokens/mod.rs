//! Tokens and sign-in links.

pub(crate) mod create;
pub(crate) mod link;
pub(crate) mod list;
pub(crate) mod revoke;
