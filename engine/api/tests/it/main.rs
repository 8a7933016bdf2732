//! The API in process, over a real store: who may do what, what errors look like, events, idempotency.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "everything in here is a test, which ends at the first surprise"
)]

mod authorization;
mod document;
mod errors;
mod events;
mod idempotency;
mod support;
