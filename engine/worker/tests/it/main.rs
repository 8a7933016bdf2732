//! Runs driven by the real worker against a real store, with operations that count their effects.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test fails by panicking; helpers outside of test functions are not recognised as tests"
)]

mod admit;
mod announce;
mod crash;
mod ears;
mod fenced;
mod fixture;
mod known;
mod large;
mod locks;
mod lost;
mod outputs;
mod refused;
mod room;
mod spans;
mod stuck;
mod votes;
mod world;
