//! The command line: nouns and verbs, and a few hot verbs. The doc comments are the help texts.

use std::path::{Path, PathBuf};

use clap::{Args, Parser, Subcommand};
use clawd_model::env_name;
use clawd_model::product::{BINARY, DATA_DIR, PRODUCT};

use crate::commands::{
    approvals, audit, bench, completions, demo, patch, people, plan, policy, run, runbook, serve, server,
};
use crate::exit::Exit;

/// Runs servers by runbooks that people can trust with root: plan, gate, apply, prove.
#[derive(Debug, Parser)]
#[command(name = BINARY, version, about, long_about = None, display_name = PRODUCT, propagate_version = true)]
#[command(after_help = Exit::sentence())]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) globals: Globals,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Options of every command.
#[derive(Clone, Debug, Args)]
pub(crate) struct Globals {
    /// The folder that holds the store, the keys and the profiles of this machine.
    #[arg(
        long,
        global = true,
        env = env_name!("DATA_DIR"),
        default_value = DATA_DIR,
        value_name = "DIR"
    )]
    pub(crate) data_dir: PathBuf,
    /// Which profile of `profiles.toml` to sign in with.
    #[arg(long, short = 'p', global = true, env = env_name!("PROFILE"), value_name = "NAME")]
    pub(crate) profile: Option<String>,
    /// The server's address, in place of the profile's.
    #[arg(long, global = true, env = env_name!("URL"), value_name = "URL")]
    pub(crate) url: Option<String>,
    /// The token to sign in with, in place of the profile's. Better given by its variable than on the command line.
    #[arg(
        long,
        global = true,
        env = env_name!("TOKEN"),
        hide_env_values = true,
        value_name = "TOKEN"
    )]
    pub(crate) token: Option<String>,
    /// How data is printed on standard output.
    #[arg(long, short = 'o', global = true, value_enum, default_value = "table")]
    pub(crate) output: Format,
}

impl Globals {
    /// What has to be added to a command that is to use the same folder; nothing for the usual one.
    pub(crate) fn data_dir_flag(&self) -> String {
        if self.data_dir == Path::new(DATA_DIR) {
            return String::new();
        }
        format!(" --data-dir {}", self.data_dir.display())
    }
}

/// How data is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Format {
    /// For people.
    Table,
    /// One JSON document.
    Json,
    /// One JSON document a line.
    Ndjson,
    /// YAML; what comes piece by piece is one document a piece.
    Yaml,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Start the server: engine, API and console.
    Serve(serve::Serve),
    /// Start the server with a demo tenant: simulated servers, people, policies, and a run that waits for votes.
    Demo(demo::Demo),
    /// Servers: add, list, show, refresh, remove.
    #[command(subcommand)]
    Server(server::Server),
    /// Show what a run would change on which server, and what the policies say.
    ///
    /// Exit code 2: there are changes, and the plan can be started as it is shown. Without changes: 4 when servers could
    /// not be reached, 3 when steps could not be predicted for another reason, 5 when steps are denied, 0 otherwise.
    Plan(plan::PlanArgs),
    /// Runs: start, list, show, watch, cancel, resolve, output.
    #[command(subcommand)]
    Run(run::Run),
    /// Patch servers: start a run of `patch-security`, and watch it.
    Patch(patch::Patch),
    /// Vote yes on a request.
    Approve(approvals::Approve),
    /// Vote no on a request.
    Reject(approvals::Reject),
    /// Requests for votes: list, show.
    #[command(subcommand)]
    Approval(approvals::Approval),
    /// Runbooks: check a file, list, show, publish.
    #[command(subcommand)]
    Runbook(runbook::Runbook),
    /// Policies: check, test, explain, show, publish.
    #[command(subcommand)]
    Policy(policy::Policy),
    /// The audit log: list, show, export, verify.
    #[command(subcommand)]
    Audit(audit::Audit),
    /// Who you are, and what you may do.
    Whoami,
    /// People, programs and their tokens.
    #[command(subcommand)]
    Principal(people::Principal),
    /// Tokens: create, list, revoke.
    #[command(subcommand)]
    Token(people::Token),
    /// Print a one-time link that signs you in to the console.
    Console(people::Console),
    /// Measure the engine: real workflows on a store of their own.
    Bench(bench::Bench),
    /// Print the completion script of a shell.
    Completions(completions::Completions),
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    fn own_arguments(command: &clap::Command, found: &mut Vec<(String, String)>) {
        for sub in command.get_subcommands() {
            let ids = sub.get_arguments().map(|arg| arg.get_id().to_string());
            found.extend(ids.map(|id| (sub.get_name().to_owned(), id)));
            own_arguments(sub, found);
        }
    }

    /// Clap finds both under one name, and gives a command the value of the option, of another type.
    #[test]
    fn no_argument_is_called_like_an_option_of_every_command() {
        let root = Cli::command();
        let of_all: Vec<&str> = root.get_arguments().map(|arg| arg.get_id().as_str()).collect();
        let mut own = Vec::new();
        own_arguments(&root, &mut own);
        own.retain(|(_, id)| of_all.contains(&id.as_str()));
        assert_eq!(own, [], "rename these");
        Cli::command().debug_assert();
    }
}
