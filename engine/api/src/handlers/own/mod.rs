//! What is about the caller alone.

pub(crate) mod sign_out;
pub(crate) mod whoami;
