//! The API in process, over a real store: who may do what, what errors look like, events, idempotency.

mod authorization;
mod document;
mod errors;
mod events;
mod idempotency;
mod support;
