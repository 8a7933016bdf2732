//! One file per noun or verb of the command line. Each parses, calls, and renders; the rules are elsewhere.

pub(crate) mod approvals;
pub(crate) mod audit;
pub(crate) mod bench;
pub(crate) mod completions;
pub(crate) mod demo;
pub(crate) mod patch;
pub(crate) mod people;
pub(crate) mod plan;
pub(crate) mod policy;
pub(crate) mod run;
pub(crate) mod runbook;
pub(crate) mod serve;
pub(crate) mod server;
pub(crate) mod watch;

use crate::cli::{Cli, Command};
use crate::exit::Outcome;

/// Runs a command.
pub(crate) async fn run(cli: Cli) -> Outcome {
    let globals = &cli.globals;
    match cli.command {
        Command::Serve(serve) => serve.run(globals).await,
        Command::Demo(demo) => demo.run(globals).await,
        Command::Server(server) => server.run(globals).await,
        Command::Plan(plan) => plan.run(globals).await,
        Command::Run(run) => run.run(globals).await,
        Command::Patch(patch) => patch.run(globals).await,
        Command::Approve(approve) => approve.run(globals).await,
        Command::Reject(reject) => reject.run(globals).await,
        Command::Approval(approval) => approval.run(globals).await,
        Command::Runbook(runbook) => runbook.run(globals).await,
        Command::Policy(policy) => policy.run(globals).await,
        Command::Audit(audit) => audit.run(globals).await,
        Command::Whoami => people::whoami(globals).await,
        Command::Principal(principal) => principal.run(globals).await,
        Command::Token(token) => token.run(globals).await,
        Command::Console(console) => console.run(globals).await,
        Command::Bench(bench) => bench.run(globals).await,
        Command::Completions(completions) => completions.run(),
    }
}
