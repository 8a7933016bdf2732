//! The store on real SQLite files, one per test. Each file here is one promise.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test fails by panicking; helpers outside of test functions are not recognised as tests"
)]

mod audit;
mod commit;
mod crash;
mod fixture;
mod idempotency;
mod inbox;
mod isolation;
mod lease;
mod lock;
mod open;
mod output;
mod paging;
mod records;
mod rolled_back;
mod sign_in;
mod two_nodes;
