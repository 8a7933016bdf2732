//! The Merkle log from outside: known answers, properties, tampering, and somebody else's implementation.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test fails by panicking; helpers outside of test functions are not recognised as tests"
)]

mod checkpoint;
mod export;
mod interop;
mod proof;
mod vectors;

use clawd_audit::{Hash, leaf_hash};

/// Leaves that differ.
fn leaves(count: u64) -> Vec<Hash> {
    (0..count)
        .map(|number| leaf_hash(&number.to_be_bytes()))
        .collect()
}
