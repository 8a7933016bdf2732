//! Wrong command lines: told like every other error, and ended with the code for usage. Exit code 2 means that changes
//! are pending, so it must not come from a typo.

use std::process::ExitCode;

use clap::error::{ContextKind, ContextValue, ErrorKind};

use crate::exit::{Exit, Failure};

/// Ends the process as the command line asked for: help and version on standard output, what is wrong on standard
/// error.
pub(crate) fn end(error: &clap::Error) -> ExitCode {
    let exit = match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
            if let Err(failed) = error.print() {
                crate::render::out::end(&failed);
            }
            Exit::Ok
        }
        _ => {
            let failure = failure(error);
            eprintln!("{failure}");
            failure.exit
        }
    };
    ExitCode::from(exit as u8)
}

/// The error in the house's form. Clap writes what is wrong, then tips, then the usage, with blank lines between them.
fn failure(error: &clap::Error) -> Failure {
    let text = error.render().to_string();
    let missing = || Failure::usage("a command is missing");
    match (error.kind(), error.get(ContextKind::ValidSubcommand)) {
        (ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand, _) => {
            return missing().with_hint(format!("one of these\n\n{}", text.trim_end()));
        }
        (ErrorKind::MissingSubcommand, Some(ContextValue::Strings(commands))) => {
            return missing().with_hint(format!("one of these: {}", commands.join(", ")));
        }
        _ => {}
    }
    let mut parts = text.split("\n\n").map(one_line);
    let first = parts.next().unwrap_or_default();
    let first = first.strip_prefix("error: ").unwrap_or(&first);
    let rest: Vec<String> = parts.collect();
    let of = |start: &str| rest.iter().find_map(|part| part.strip_prefix(start)).map(quoted);
    // Which values are possible stands at the end of what is wrong.
    let (message, values) = match first.split_once(" [possible values: ") {
        Some((message, values)) => (message, values.strip_suffix(']')),
        None => (first, None),
    };
    let failure = Failure::usage(quoted(message));
    let hint = values
        .map(|values| format!("possible values: {values}"))
        .or_else(|| of("tip: "))
        .or_else(|| of("Usage: ").map(|usage| format!("usage: {usage}")))
        .or_else(|| of("For more information, ").map(|more| more.trim_end_matches('.').to_owned()));
    match hint {
        Some(hint) => failure.with_hint(hint),
        None => failure,
    }
}

fn one_line(part: &str) -> String {
    part.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Clap quotes with apostrophes; we quote with backticks.
fn quoted(text: &str) -> String {
    if text.matches('\'').count().is_multiple_of(2) {
        text.replace('\'', "`")
    } else {
        text.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;
    use clawd_model::product::BINARY;

    use super::*;
    use crate::cli::Cli;

    fn said(args: &[&str]) -> String {
        let error = Cli::try_parse_from([BINARY].iter().chain(args)).unwrap_err();
        failure(&error).to_string()
    }

    #[test]
    fn a_wrong_command_line_is_told_like_every_other_error() {
        assert_eq!(
            said(&["plan", "patch-security", "--onn", "role=web"]),
            "error: unexpected argument `--onn` found\nhint: a similar argument exists: `--on`"
        );
        assert_eq!(
            said(&["run", "ls", "-o", "xml"]),
            "error: invalid value `xml` for `--output <OUTPUT>`\nhint: possible values: table, json, ndjson, yaml"
        );
        assert_eq!(
            said(&["run", "show"]),
            "error: the following required arguments were not provided: <RUN>\nhint: usage: clawd run show <RUN>"
        );
        assert_eq!(
            said(&["server", "-o", "json"]),
            "error: a command is missing\nhint: one of these: add, ls, show, facts, rm, help"
        );
        let nothing = said(&["server"]);
        assert!(
            nothing.starts_with("error: a command is missing\nhint: one of these"),
            "{nothing}"
        );
    }
}
