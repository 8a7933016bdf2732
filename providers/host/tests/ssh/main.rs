//! The SSH transport, and jobs over it, against a real sshd.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test may fail"
)]

mod conformance;
mod jobs;
mod sign_in;
mod sshd;
mod stream;
