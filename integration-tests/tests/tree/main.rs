//! What the tree says about itself: the rows of the architecture, the versions that are locked, words, lengths,
//! links. Quick, and needs nothing but the sources, so that `make check` runs it too.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "everything in here is a test, which ends at the first surprise"
)]

mod locked;
mod rows;
mod tidy;
