//! What the last try of a step has printed: its last lines.

use clawd_control::{Permit, RunRead, RunRow, step_output};
use clawd_model::api::StepView;

use crate::door::Failure;
use crate::view::run::{OutputLine, OutputStream, OutputView};

/// So many lines are shown.
const LINES_MAX: usize = 400;
/// So many pieces of the store are read at most, for these lines.
const READS_MAX: usize = 40;

/// The end of what the last try has printed.
pub(super) async fn last_lines(
    permit: &Permit<RunRead, RunRow>,
    step: &StepView,
) -> Result<OutputView, Failure> {
    if step.attempt == 0 {
        return Ok(OutputView::default());
    }
    let mut lines = Lines::default();
    let mut from = 0;
    for _ in 0..READS_MAX {
        let part = step_output(permit, &step.path, None, from).await?;
        for chunk in &part.chunks {
            let stream = match chunk.stream.as_str() {
                "stderr" => OutputStream::Stderr,
                "note" => OutputStream::Note,
                _ => OutputStream::Stdout,
            };
            lines.take(stream, &chunk.text);
        }
        if part.next == from {
            break;
        }
        from = part.next;
    }
    Ok(lines.finish())
}

/// Puts pieces together to lines: a piece may end anywhere, and streams take turns.
#[derive(Default)]
struct Lines {
    done: Vec<OutputLine>,
    /// The begun line of each stream.
    begun: Vec<(OutputStream, String)>,
    dropped: usize,
}

impl Lines {
    fn take(&mut self, stream: OutputStream, text: &str) {
        let at = self.begun.iter().position(|(known, _)| *known == stream);
        let mut begun = at.map(|at| self.begun.swap_remove(at).1).unwrap_or_default();
        let mut rest = text;
        while let Some((line, after)) = rest.split_once('\n') {
            begun.push_str(line);
            self.push(stream, std::mem::take(&mut begun));
            rest = after;
        }
        begun.push_str(rest);
        if !begun.is_empty() {
            self.begun.push((stream, begun));
        }
    }

    fn push(&mut self, stream: OutputStream, mut text: String) {
        if text.ends_with('\r') {
            text.pop();
        }
        self.done.push(OutputLine { stream, text });
        if self.done.len() >= 2 * LINES_MAX {
            self.dropped += LINES_MAX;
            self.done.drain(..LINES_MAX);
        }
    }

    fn finish(mut self) -> OutputView {
        for (stream, text) in std::mem::take(&mut self.begun) {
            self.push(stream, text);
        }
        let over = self.done.len().saturating_sub(LINES_MAX);
        self.done.drain(..over);
        OutputView {
            before: self.dropped + over,
            lines: self.done,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_become_lines_whatever_their_borders() {
        let mut lines = Lines::default();
        lines.take(OutputStream::Stdout, "one\ntw");
        lines.take(OutputStream::Stderr, "bad");
        lines.take(OutputStream::Stdout, "o\r\nthree");
        lines.take(OutputStream::Stderr, " news\n");
        let view = lines.finish();
        let found: Vec<(&str, bool)> = view
            .lines
            .iter()
            .map(|line| (line.text.as_str(), line.stream == OutputStream::Stderr))
            .collect();
        assert_eq!(
            found,
            [
                ("one", false),
                ("two", false),
                ("bad news", true),
                ("three", false)
            ]
        );
    }

    #[test]
    fn long_output_shows_its_end() {
        let mut lines = Lines::default();
        for number in 0..2_345 {
            lines.take(OutputStream::Stdout, &format!("{number}\n"));
        }
        let view = lines.finish();
        assert_eq!(view.lines.len(), LINES_MAX);
        assert_eq!(view.before, 2_345 - LINES_MAX);
        assert_eq!(view.lines.last().unwrap().text, "2344");
    }
}
