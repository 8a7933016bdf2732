//! Hosts over SSH: agentless, host keys pinned, a small pool of connections per server.
//!
//! ```text
//! Request → pool (≤ 8 channels a connection) → channel: exec of one constant command (`bootstrap`)
//!                                             stdin:  the argument list, escaped; then the command's own input
//! ```
//! Nothing that comes from a runbook or a plan is ever part of the command that SSH hands to the login shell.

pub(crate) mod bootstrap;
mod connection;
mod exec;
mod handler;
mod identity;
mod pool;
mod probe;

pub use connection::SshOptions;
pub use pool::{SshPool, SshTransport};
pub use probe::{ProbedKey, probe_host_key};
