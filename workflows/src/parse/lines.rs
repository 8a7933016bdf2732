//! Turns places in the source into spans that people can find: bytes, lines, columns.

use std::cell::Cell;

use clawd_model::SourceSpan;

/// Knows where each line begins.
pub(crate) struct Lines<'s> {
    source: &'s str,
    /// The byte at which each line begins.
    starts: Vec<usize>,
    /// The byte of every character; absent when all characters are single bytes.
    bytes: Option<Vec<usize>>,
    /// The last place, and the characters before it in its line.
    last: Cell<(usize, usize)>,
}

impl<'s> Lines<'s> {
    /// Reads the source once.
    pub(crate) fn new(source: &'s str) -> Self {
        let mut starts = vec![0];
        starts.extend(source.match_indices('\n').map(|(at, _)| at + 1));
        let bytes = (!source.is_ascii()).then(|| source.char_indices().map(|(at, _)| at).collect());
        Self {
            source,
            starts,
            bytes,
            last: Cell::new((0, 0)),
        }
    }

    /// The span between two characters, counted from 0.
    pub(crate) fn between_chars(&self, start: usize, end: usize) -> SourceSpan {
        let byte = |at: usize| match &self.bytes {
            Some(bytes) => bytes.get(at).copied().unwrap_or(self.source.len()),
            None => at.min(self.source.len()),
        };
        self.between(byte(start), byte(end.max(start)))
    }

    /// The span between two bytes. Bytes inside of a character are moved back to its beginning.
    pub(crate) fn between(&self, start: usize, end: usize) -> SourceSpan {
        let start = floor(self.source, start);
        let end = floor(self.source, end.max(start));
        let line = self.starts.partition_point(|begin| *begin <= start).max(1);
        let begin = self.starts.get(line - 1).copied().unwrap_or(0);
        let column = if self.bytes.is_none() {
            start - begin
        } else {
            self.count(begin, start)
        } + 1;
        SourceSpan {
            start,
            end,
            line,
            column,
        }
    }

    /// The characters between the beginning of a line and a place in it. Places come mostly in their order, and a
    /// document may be one long line, so that counting goes on from the last place.
    fn count(&self, begin: usize, at: usize) -> usize {
        let (last, counted) = self.last.get();
        let (from, before) = if begin <= last && last <= at {
            (last, counted)
        } else {
            (begin, 0)
        };
        let count = before + self.source.get(from..at).map_or(0, |text| text.chars().count());
        self.last.set((at, count));
        count
    }

    /// The text of a span.
    pub(crate) fn text(&self, span: SourceSpan) -> &'s str {
        self.source.get(span.start..span.end).unwrap_or("")
    }
}

/// The nearest character boundary at or before a byte.
pub(crate) fn floor(source: &str, at: usize) -> usize {
    let mut at = at.min(source.len());
    while !source.is_char_boundary(at) {
        at -= 1;
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_count_characters_and_spans_count_bytes() {
        let lines = Lines::new("a: ü\nbb: 'x'\n");
        let span = lines.between_chars(3, 4);
        assert_eq!((span.start, span.end, span.line, span.column), (3, 5, 1, 4));
        let span = lines.between_chars(9, 12);
        assert_eq!((span.line, span.column), (2, 5));
        assert_eq!(lines.text(span), "'x'");
    }

    #[test]
    fn columns_do_not_depend_on_the_order_of_questions() {
        let source = "äö: 1\nüüü: äää, x\n";
        let places: Vec<usize> = source.char_indices().map(|(at, _)| at).collect();
        let fresh = |at: usize| Lines::new(source).between(at, at);
        let lines = Lines::new(source);
        for at in places.iter().chain(places.iter().rev()).chain([&14, &3, &14]) {
            assert_eq!(lines.between(*at, *at), fresh(*at));
        }
    }

    #[test]
    fn places_past_the_end_are_the_end() {
        let lines = Lines::new("a");
        assert_eq!(lines.between(10, 20).start, 1);
        assert_eq!(lines.between_chars(10, 5).end, 1);
        assert_eq!(Lines::new("").between(0, 0).line, 1);
    }
}
