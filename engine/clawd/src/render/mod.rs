//! What people read on a terminal.

#[macro_use]
pub(crate) mod out;
pub(crate) mod plan;
pub(crate) mod status;
pub(crate) mod table;

use serde::Serialize;

use crate::cli::Format;
use crate::exit::Failure;

/// Prints a document as JSON, or lets `human` print it for people.
pub(crate) fn print<T: Serialize>(format: Format, value: &T, human: impl FnOnce(&T)) -> Result<(), Failure> {
    match format {
        Format::Table => human(value),
        Format::Json => outln!(
            "{}",
            serde_json::to_string_pretty(value).map_err(anyhow::Error::from)?
        ),
        Format::Ndjson => outln!("{}", serde_json::to_string(value).map_err(anyhow::Error::from)?),
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
        Format::Table => human(items),
        Format::Json => outln!(
            "{}",
            serde_json::to_string_pretty(items).map_err(anyhow::Error::from)?
        ),
        Format::Ndjson => {
            for item in items {
                outln!("{}", serde_json::to_string(item).map_err(anyhow::Error::from)?);
            }
        }
    }
    Ok(())
}

/// Text of a host or a stranger, safe for a terminal: control characters are shown, not obeyed.
pub(crate) fn printable(text: &str) -> String {
    text.chars()
        .map(|c| {
            if c.is_control() && c != '\n' && c != '\t' {
                '\u{fffd}'
            } else {
                c
            }
        })
        .collect()
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
