//! `clawd patch`: the hot verb for `patch-security`.

use clap::Args;

use crate::cli::Globals;
use crate::commands::plan::What;
use crate::commands::run::Start;
use crate::exit::{Failure, Outcome};

/// Patch servers: start a run of `patch-security`, and watch it.
#[derive(Debug, Args)]
pub(crate) struct Patch {
    #[command(flatten)]
    what: What,
    /// Only start it; do not watch.
    #[arg(long)]
    detach: bool,
}

impl Patch {
    pub(crate) async fn run(self, globals: &Globals) -> Outcome {
        let runbook = "patch-security"
            .parse()
            .map_err(|_| Failure::usage("`patch-security` is no runbook name"))?;
        Start::of(runbook, self.what, !self.detach).run(globals).await
    }
}
