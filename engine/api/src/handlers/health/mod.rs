//! Whether the process lives and can answer.

pub(crate) mod live;
pub(crate) mod ready;
