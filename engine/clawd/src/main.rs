//! The binary: command line, configuration, wiring. It owns no rules.

#![deny(
    clippy::print_stdout,
    reason = "`println!` panics when the reader has gone: use `outln!`"
)]

#[macro_use]
mod render;

mod channels;
mod cli;
mod commands;
mod config;
mod connect;
mod datadir;
mod driver;
mod exit;
mod fault;
mod files;
mod front;
mod http;
mod keys;
mod listen;
mod metrics;
mod profiles;
#[cfg(test)]
mod reference;
mod seed;
mod system;
mod telemetry;
mod usage;
mod wiring;

use std::process::ExitCode;

use clap::Parser as _;

use crate::cli::Cli;

/// The threads that drive runs and the one that writes hand memory to each other all the time, which the system's
/// allocator pays for with locks.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return usage::end(&error),
    };
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("error: the runtime cannot be started: {error}");
            return ExitCode::from(exit::Exit::Usage as u8);
        }
    };
    let exit = runtime.block_on(commands::run(cli)).unwrap_or_else(|failure| {
        eprintln!("{failure}");
        failure.exit
    });
    render::out::flush();
    // A command may leave a blocking read of standard input behind; the process need not wait for it.
    runtime.shutdown_background();
    ExitCode::from(exit as u8)
}
