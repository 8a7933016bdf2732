//! Secrets: replaced just before an operation is called, and struck out of everything it writes. The rules are the
//! same for the checks of a plan, so they live beside the operations.

pub(crate) use clawd_provider::secrets::resolve;
pub use clawd_provider::{NoSecrets, Redactor, Secrets};
