//! The operator of this very machine: whoever can read the data folder owns everything in it anyway.
//!
//! The binary gets a [`LocalOperator`] when it makes the [`App`](super::App), and gives it to nobody: the API and the
//! console cannot reach what is here.

mod access;
mod bootstrap;
mod open;

pub use access::LocalAccessError;
pub use bootstrap::{Bootstrap, BootstrapError, Bootstrapped};
pub use open::Unusable;

use super::app::App;

/// The operator of this very machine.
#[derive(Debug)]
pub struct LocalOperator(pub(super) App);

/// What audit records call it.
pub(super) const ACTOR: &str = "local-operator";
