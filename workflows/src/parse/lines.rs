//! Turns places in the source into spans that people can find: bytes, lines, columns.

use clawd_model::SourceSpan;

/// Knows where each line begins.
pub(crate) struct Lines<'s> {
    source: &'s str,
    /// The byte at which each line begins.
    starts: Vec<usize>,
    /// The byte of every character; absent when all characters are single bytes.
    bytes: Option<Vec<usize>>,
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
        let column = self
            .source
            .get(begin..start)
            .map_or(0, |before| before.chars().count())
            + 1;
        SourceSpan {
            start,
            end,
            line,
            column,
        }
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
    fn places_past_the_end_are_the_end() {
        let lines = Lines::new("a");
        assert_eq!(lines.between(10, 20).start, 1);
        assert_eq!(lines.between_chars(10, 5).end, 1);
        assert_eq!(Lines::new("").between(0, 0).line, 1);
    }
}
