//! `clawd completions`: the completion script of a shell.

use clap::{Args, CommandFactory as _};
use clap_complete::Shell;
use clawd_model::product::BINARY;

use crate::cli::Cli;
use crate::exit::{Exit, Outcome};
use crate::render::out::Stdout;

/// Print the completion script of a shell.
#[derive(Debug, Args)]
pub(crate) struct Completions {
    /// Which shell.
    shell: Shell,
}

impl Completions {
    pub(crate) fn run(self) -> Outcome {
        clap_complete::generate(self.shell, &mut Cli::command(), BINARY, &mut Stdout);
        Ok(Exit::Ok)
    }
}
