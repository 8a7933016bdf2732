//! The vocabulary of the shipped operations.

use clawd_policy::{Vocabulary, library};

/// The operations that ship, and the groups of the shipped packs.
pub(crate) fn vocabulary() -> Vocabulary {
    library::vocabulary(clawd_provider::contract::all())
}
