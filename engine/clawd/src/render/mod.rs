//! What people read on a terminal.

#[macro_use]
pub(crate) mod out;

pub(crate) mod document;
pub(crate) mod plan;
pub(crate) mod simulated;
pub(crate) mod status;
pub(crate) mod table;

use std::io::IsTerminal as _;

use serde::Serialize;

use crate::cli::Format;
use crate::exit::Failure;

/// Prints a document for programs, or lets `human` print it for people.
pub(crate) fn print<T: Serialize>(format: Format, value: &T, human: impl FnOnce(&T)) -> Result<(), Failure> {
    if !document::print(format, value)? {
        human(value);
    }
    Ok(())
}

/// Prints a list: one document, or one line each.
pub(crate) fn print_list<T: Serialize>(
    format: Format,
    items: &[T],
    human: impl FnOnce(&[T]),
) -> Result<(), Failure> {
    match format {
        Format::Ndjson => items
            .iter()
            .try_for_each(|item| document::print(format, item).map(drop))?,
        _ if !document::print(format, items)? => human(items),
        _ => {}
    }
    Ok(())
}

/// Whether a terminal would do something else with it than to show it: control characters, and those that turn the
/// direction of the text around, so that it reads as something else.
fn obeyed(c: char) -> bool {
    let is_control = c.is_control() && c != '\n' && c != '\t';
    is_control || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Text of a host or a stranger, safe for a terminal: control characters are shown, not obeyed.
pub(crate) fn printable(text: &str) -> String {
    text.chars()
        .map(|c| if obeyed(c) { '\u{fffd}' } else { c })
        .collect()
}

/// A file of a stranger: as it is for a program, safe for a terminal.
pub(crate) fn file(text: &str) -> String {
    if std::io::stdout().is_terminal() {
        printable(text)
    } else {
        text.to_owned()
    }
}

/// Several texts of strangers in one line.
pub(crate) fn sentence(texts: &[String]) -> String {
    printable(&texts.join("; "))
}

/// How long ago, in one unit.
pub(crate) fn ago(now: clawd_model::Timestamp, at: clawd_model::Timestamp) -> String {
    let seconds = now.since(at).0 / 1000;
    match seconds {
        0..60 => format!("{seconds}s ago"),
        60..3600 => format!("{}m ago", seconds / 60),
        3600..86_400 => format!("{}h ago", seconds / 3600),
        _ => format!("{}d ago", seconds / 86_400),
    }
}

/// A problem of a document, with the lines that it is about.
pub(crate) fn problem(source: &str, problem: &clawd_model::Problem) -> String {
    if status::colours() {
        clawd_workflow::render_problem_in_colour(source, problem)
    } else {
        clawd_workflow::render_problem(source, problem)
    }
}

/// `1 record`, `2 records`.
pub(crate) fn counted(count: u64, noun: &str) -> String {
    let ending = if count == 1 { "" } else { "s" };
    format!("{count} {noun}{ending}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_would_obey_is_shown() {
        assert_eq!(
            printable("a\u{1b}[31mb\r\u{9b}2J \u{202e}gpj.exe\u{2069}\n\tč"),
            "a\u{fffd}[31mb\u{fffd}\u{fffd}2J \u{fffd}gpj.exe\u{fffd}\n\tč"
        );
    }
}
