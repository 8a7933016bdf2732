//! Plans.

pub(crate) mod make;
pub(crate) mod show;
