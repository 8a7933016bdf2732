//! `docs/reference/cli.md` is made from the command line's own help, and this test says when it is stale.

use std::fmt::Write as _;
use std::path::Path;

use clap::{Command, CommandFactory as _};

use crate::cli::Cli;

/// The widest line of the page.
const WIDTH: usize = 110;

fn page() -> String {
    let mut root = without_values(Cli::command()).term_width(WIDTH);
    root.build();
    let name = root.get_name().to_owned();
    let mut page = format!(
        "# Command line\n\nMade from the help texts of `{name}`; [exit codes](exit-codes.md) have a page of their own. Options \
         of the first block\nbelong to every command.\n"
    );
    describe(&root, &name, &mut page);
    page
}

/// What somebody's environment says is not part of the page.
fn without_values(command: Command) -> Command {
    command
        .mut_args(|arg| arg.hide_env_values(true))
        .mut_subcommands(without_values)
}

fn describe(command: &Command, path: &str, page: &mut String) {
    let help = command.clone().render_long_help().to_string();
    // Writing into a string cannot fail.
    let _ = write!(page, "\n## `{path}`\n\n```text\n");
    for line in help.trim_end().lines() {
        let _ = writeln!(page, "{}", line.trim_end());
    }
    page.push_str("```\n");
    for sub in command.get_subcommands().filter(|sub| sub.get_name() != "help") {
        let own = sub.clone().mut_args(|arg| {
            let of_all = arg.is_global_set() || ["help", "version"].contains(&arg.get_id().as_str());
            arg.hide(of_all)
        });
        describe(&own, &format!("{path} {}", sub.get_name()), page);
    }
}

#[test]
fn the_page_of_the_command_line_is_fresh() {
    let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference/cli.md");
    let fresh = page();
    if std::env::var_os("CLAWD_UPDATE_REFERENCE").is_some() {
        std::fs::write(&kept, &fresh).unwrap();
    }
    let kept = std::fs::read_to_string(&kept).unwrap_or_default();
    assert!(
        kept == fresh,
        "docs/reference/cli.md is stale: run the tests with CLAWD_UPDATE_REFERENCE=1"
    );
}
