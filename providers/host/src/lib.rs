//! Operations on hosts, over SSH and on this very machine.
//!
//! ```text
//! ops/*        one file per operation: check, apply, verify, recover
//!   job        commands that outlive us: started at most once per attempt, collected later
//!   host       one host: asks, runs, and words for what went wrong
//!     transport   SSH (russh) or this machine
//! ```
//! What a host answers is not trusted: sizes are capped, text is made harmless, anything unexpected is an error.

mod address;
mod apt;
mod enroll;
mod errors;
mod host;
mod hosts;
mod job;
mod keys;
mod local;
mod ops;
mod register;
mod ssh;
#[cfg(test)]
mod testing;
mod text;
mod transport;

pub use address::{Address, InvalidAddress};
pub use enroll::{Enrolled, enroll};
pub use host::Host;
pub use hosts::{Hosts, Reach};
pub use keys::{KeyFile, Keys};
pub use local::Local;
pub use ops::{FileWrite, HostFacts, HostReboot, PkgApply, PkgPlan, ServiceState, Shell};
pub use register::register;
pub use ssh::{ProbedKey, SshOptions, SshPool, SshTransport, probe_host_key};
pub use transport::{Captured, Exit, Receive, Request, Transport, TransportError};
