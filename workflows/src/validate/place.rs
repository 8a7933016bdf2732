//! Where an expression stands in the source: expressions are parsed from texts whose quotes, escapes and line breaks
//! are gone, and people look at the source.

use std::cell::Cell;
use std::ops::Range;

use clawd_model::SourceSpan;

use crate::parse::Lines;

/// A text of the document, with the way back to its source.
pub(super) struct Written<'a> {
    lines: &'a Lines<'a>,
    span: SourceSpan,
    raw: &'a str,
    /// Where the text begins in the source, when it stands there as it is.
    verbatim: Option<usize>,
    /// The expression that was found last. Expressions are placed in their order, so that the next one is after it.
    last: Cell<Found>,
    text: &'a str,
}

/// Where an expression was found.
#[derive(Clone, Copy, Default)]
struct Found {
    /// Its beginning in the text.
    start: usize,
    /// Its beginning in the source of the text.
    at: usize,
    /// Its end in the source of the text; 0 as long as nothing was found.
    end: usize,
}

impl<'a> Written<'a> {
    pub(super) fn new(lines: &'a Lines<'a>, span: SourceSpan, text: &'a str) -> Self {
        let raw = lines.text(span);
        let verbatim = raw.find(text).map(|at| span.start + at);
        Self {
            lines,
            span,
            raw,
            verbatim,
            last: Cell::default(),
            text,
        }
    }

    /// Where a part of the text stands. `within` is the expression around it, which helps to find it.
    pub(super) fn place(&self, within: &Range<usize>, part: &Range<usize>) -> SourceSpan {
        if let Some(begin) = self.verbatim {
            return self.lines.between(begin + part.start, begin + part.end);
        }
        let expression = self.text.get(within.clone()).unwrap_or("");
        let mut last = self.last.get();
        if last.end == 0 || last.start != within.start {
            let Some(found) = self.raw.get(last.end..).and_then(|rest| rest.find(expression)) else {
                return self.span;
            };
            let at = last.end + found;
            last = Found {
                start: within.start,
                at,
                end: at + expression.len(),
            };
            self.last.set(last);
        }
        let begin = self.span.start + last.at;
        let offset = part.start.saturating_sub(within.start);
        self.lines.between(begin + offset, begin + offset + part.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_found_in_quotes_and_in_blocks() {
        let source = "a: \"x ${{ inputs.b }}\"\nc: |\n  one\n  ${{ d }} ${{ d }}\n";
        let lines = Lines::new(source);
        let quoted = Written::new(&lines, lines.between(3, 22), "x ${{ inputs.b }}");
        let place = quoted.place(&(5..15), &(6..14));
        assert_eq!((lines.text(place), place.line, place.column), ("inputs.b", 1, 11));

        let text = "one\n${{ d }} ${{ d }}\n";
        let block = Written::new(&lines, lines.between(26, source.len()), text);
        for (within, column) in [(7..10, 7), (7..10, 7), (16..19, 16)] {
            let place = block.place(&within, &(within.start + 1..within.start + 2));
            assert_eq!((lines.text(place), place.line, place.column), ("d", 4, column));
        }
    }

    #[test]
    fn what_cannot_be_found_is_somewhere_in_the_text() {
        let lines = Lines::new("a: \"\\x24{{ b }}\"\n");
        let span = lines.between(3, 16);
        assert_eq!(
            Written::new(&lines, span, "${{ b }}")
                .place(&(3..6), &(4..5))
                .line,
            1
        );
    }
}
