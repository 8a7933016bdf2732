//! Commands that outlive the connection and the controller: started at most once for an attempt, their output and
//! exit status kept on the host until they are collected.
//!
//! ```text
//! drive ── start(key, epoch, generation, digest) ──▶ job.sh on the host ── systemd-run, or setsid ──▶ run(key)
//!   │                                                                                        `started`, effect, `exit`
//!   └── follow(key, offsets) ──▶ output as it appears, then the state; after a lost connection from where it was
//!       settle(key, epoch)   ──▶ done | running | indeterminate | none: and then nobody can start it any more with
//!                                what was sent before
//! ```

mod answer;
mod client;
mod collect;
mod drive;
mod frames;
mod spec;

pub(crate) use collect::Ended;
pub(crate) use drive::{AtLimit, Begun, JobRecovered, begin, begun, recover, run};
pub(crate) use spec::JobSpec;

#[cfg(test)]
mod tests;
