//! What the black-box tests are made of: a lab of real hosts, the real `clawd` process, a real browser.
//!
//! - [`Lab`] and [`Host`]: Debian hosts with systemd and sshd in containers, on a network of their own,
//!   that can be rebooted, cut off, frozen, filled up or lose their power.
//! - [`ClawdProcess`]: the built binary on a data directory of its own, killed and restarted at will.
//! - [`Terminal`]: a program on a pseudo-terminal, to read and to type on.
//! - [`Browser`]: headless Chromium, with screenshots, the console's messages and axe-core.
//!
//! Nothing in here knows what a runbook is: tests speak to the system as its users do. Nothing sleeps:
//! whoever has to wait, waits for a state, with a deadline ([`wait_for`]). And nothing skips: what is
//! missing on the machine is an error that names the command that installs it.

mod browser;
mod clawd;
mod command;
mod lab;
mod paths;
mod terminal;
mod wait;

pub use browser::{Browser, ColorScheme, ConsoleMessage, Violation};
pub use clawd::{ClawdOptions, ClawdProcess};
pub use command::Ran;
pub use lab::{CertifiedKey, Effect, Host, HostOptions, Lab};
pub use paths::workspace;
pub use terminal::Terminal;
pub use wait::wait_for;
