//! What a provider implements, and what the engine may expect of it.
//!
//! An [`Operation`] has a description ([`clawd_model::OperationSpec`]) and up to four verbs: `check`, `apply`,
//! `verify`, `recover`. The [`Registry`] finds the implementation of an operation for a server. The contracts of
//! the operations that ship (names, inputs, outputs) stand in [`contract`], so that every provider that carries
//! out `pkg.apply@v1` means the same by it. [`conformance`] is the suite that every implementation passes, and
//! [`egress`] the guard of everything that connects from the controller.

pub mod conformance;
mod context;
pub mod contract;
pub mod egress;
mod noop;
mod operation;
mod redactor;
mod registry;
pub mod secrets;

pub use context::{Context, DiscardOutput, OutputSink, Stream};
pub use noop::Noop;
pub use operation::{Applied, Checked, Operation, ProviderError, Recovered};
pub use redactor::{Redactor, STRUCK};
pub use registry::{Registry, RegistryError, Serves};
pub use secrets::{NoSecrets, SecretError, Secrets};
