//! A problem as people read it in a terminal: what, where, the lines of the source with the place marked, and a hint.
//!
//! ```text
//! error[RB010]: `stesp` is not a key of a job
//!   --> patch.yaml:12:5
//!    |
//! 11 |   plan:
//! 12 |     stesp:
//!    |     ^^^^^
//! hint: did you mean `steps`?
//! ```
//!
//! Texts of the document are shown without control characters, so that a document cannot write to the terminal.

use std::fmt::Write as _;

use clawd_model::{Problem, Severity, SourceSpan};

/// The longest part of a line that is shown.
const WIDTH: usize = 160;

/// A problem in plain text.
#[must_use]
pub fn render_problem(source: &str, problem: &Problem) -> String {
    render(source, problem, &Paint { on: false })
}

/// A problem with colours for a terminal.
#[must_use]
pub fn render_problem_in_colour(source: &str, problem: &Problem) -> String {
    render(source, problem, &Paint { on: true })
}

struct Paint {
    on: bool,
}

const RED: &str = "1;31";
const YELLOW: &str = "1;33";
const BLUE: &str = "1;34";
const BOLD: &str = "1";

impl Paint {
    fn with(&self, colour: &str, text: &str) -> String {
        if self.on {
            format!("\u{1b}[{colour}m{text}\u{1b}[0m")
        } else {
            text.to_owned()
        }
    }
}

fn render(source: &str, problem: &Problem, paint: &Paint) -> String {
    let (word, colour) = match problem.severity {
        Severity::Error => ("error", RED),
        Severity::Warning => ("warning", YELLOW),
    };
    let head = paint.with(colour, &format!("{word}[{}]", problem.code));
    let mut out = format!("{head}: {}\n", paint.with(BOLD, &visible(&problem.message)));
    if let Some(span) = problem.span {
        let file = problem
            .file
            .as_deref()
            .map_or_else(|| "line ".to_owned(), |file| format!("{}:", visible(file)));
        let margin = span.line.to_string().len();
        let arrow = paint.with(BLUE, &format!("{:margin$}-->", ""));
        let _ = writeln!(out, "{arrow} {file}{}:{}", span.line, span.column);
        excerpt(source, span, margin, colour, paint, &mut out);
    }
    if let Some(hint) = &problem.hint {
        let _ = writeln!(out, "{}: {}", paint.with(BLUE, "hint"), visible(hint));
    }
    out
}

/// The line before the place, the line of the place, and a mark below it.
fn excerpt(source: &str, span: SourceSpan, margin: usize, colour: &str, paint: &Paint, out: &mut String) {
    let Some(line) = source.lines().nth(span.line.saturating_sub(1)) else {
        return;
    };
    let bar = |number: &str| paint.with(BLUE, &format!("{number:>margin$} |"));
    let _ = writeln!(out, "{}", bar(""));
    let before = span
        .line
        .checked_sub(2)
        .and_then(|index| source.lines().nth(index));
    if let Some(before) = before.filter(|before| !before.trim().is_empty()) {
        let _ = writeln!(out, "{} {}", bar(&(span.line - 1).to_string()), clipped(before));
    }
    let _ = writeln!(out, "{} {}", bar(&span.line.to_string()), clipped(line));
    let column = span.column.saturating_sub(1);
    if column < WIDTH {
        let length = source
            .get(span.start..span.end)
            .map_or(1, |text| text.lines().next().unwrap_or("").chars().count());
        let length = length.clamp(
            1,
            line.chars()
                .count()
                .saturating_sub(column)
                .clamp(1, WIDTH - column),
        );
        // A tab before the place is kept, so that the mark stands below it whatever a tab is worth.
        let indent: String = line
            .chars()
            .take(column)
            .map(|next| if next == '\t' { '\t' } else { ' ' })
            .collect();
        let indent = format!("{indent:column$}");
        let _ = writeln!(
            out,
            "{} {indent}{}",
            bar(""),
            paint.with(colour, &"^".repeat(length))
        );
    }
}

fn clipped(line: &str) -> String {
    let mut text: String = line.chars().take(WIDTH).map(replaced).collect();
    if line.chars().nth(WIDTH).is_some() {
        text.push('…');
    }
    text
}

fn visible(text: &str) -> String {
    text.chars()
        .map(|next| {
            if next == '\n' || next == '\t' {
                ' '
            } else {
                replaced(next)
            }
        })
        .collect()
}

/// Control characters, and those that turn the direction of a text around, become a sign that stands for them.
fn replaced(next: char) -> char {
    match next {
        '\t' => '\t',
        '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}' => '\u{fffd}',
        control if control.is_control() => '\u{fffd}',
        other => other,
    }
}

#[cfg(test)]
mod tests;
