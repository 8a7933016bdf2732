//! A cloud on this machine: servers that exist only as files, for the demo and for tests.
//!
//! A simulated server has packages with pending updates, services, files and a boot id, kept in a folder of its
//! own, so that it is still there after the process was killed. Operations on it take a while, print what the
//! real thing would print (each line begins with `[simulated]`), and keep the contract of jobs on hosts:
//!
//! 1. A job is known by its attempt id, and started at most once for it.
//! 2. A started job ends at its time, whether or not anybody still watches: the world moves on with the clock
//!    whenever somebody looks at it.
//! 3. Each effect stands exactly once in the server's append-only `effects.log`: the host's own record.
//! 4. After a power cut nobody knows, and the answer is `indeterminate`.
//!
//! ```text
//! DIR/TENANT/SERVER/world.json     replaced atomically, synced
//! DIR/TENANT/SERVER/effects.log    one JSON document per line, synced before the world that shows the effect
//! ```
//!
//! Labels of a server make it misbehave: see [`FAULT_LABELS`]. Nothing here ever runs a program or opens a
//! connection.

mod act;
mod acting;
mod boot;
mod catalog;
mod delays;
mod disk;
mod faults;
mod fleet;
mod follow;
mod initial;
mod job;
mod look;
mod looking;
mod settle;
mod simulation;
mod start;
mod world;

pub use delays::Delays;
pub use disk::DiskError;
pub use faults::FAULT_LABELS;
pub use fleet::{DemoServer, demo_fleet};
pub use settle::EffectRecord;
pub use simulation::Simulation;
pub use world::{Candidate, File, Package, Service, World};
