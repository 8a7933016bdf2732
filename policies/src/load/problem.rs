//! The problems that a bundle can have: stable codes, and where in which file.

use std::ops::Range;

use clawd_model::{Problem, Severity, SourceSpan};

macro_rules! codes {
    ($($name:ident $code:literal $meaning:literal;)*) => {
        /// A kind of problem.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Code { $(#[doc = $meaning] $name,)* }

        impl Code {
            pub(crate) const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $code,)* }
            }
        }

        /// Every code of a problem in a bundle or its tests, with what it means.
        pub const CODES: &[(&str, &str)] = &[$(($code, $meaning),)*];
    };
}

codes! {
    Syntax "PL001" "the file is not Cedar";
    UnknownType "PL002" "an entity type that does not exist";
    UnknownAction "PL003" "an action that does not exist";
    UnknownAttribute "PL004" "an attribute that the entity does not have";
    Unchecked "PL005" "an optional attribute or a tag that is read without asking for it first (`has`, `hasTag`)";
    Type "PL006" "values of the wrong type";
    UnknownGroup "PL007" "a group that does not exist";
    Never "PL008" "a policy that can never apply";
    Misleading "PL009" "text that reads otherwise than it looks";
    NoId "PL010" "a policy without `@id`";
    DuplicateId "PL011" "an `@id` that another policy of the bundle has";
    UnknownAnnotation "PL012" "an annotation other than `@id @reason @approval_ttl @notify`";
    Annotation "PL013" "an annotation whose value cannot be used";
    Template "PL014" "a template: `?principal` or `?resource`";
    Excess "PL015" "a policy that is nested too deeply, or has too many conditions";
    NotCounted "PL020" "votes used in any other way than comparing a count with a number";
    VotesHurt "PL021" "a condition in which another vote would stand in the way";
    VotesRange "PL022" "a number of votes that is not from 1 to 1000";
    WholeContext "PL023" "`context` used as a whole";
    File "PL030" "a file that is neither `.cedar`, `_test.yaml` nor `.md`";
    NameTaken "PL031" "an operation or a group whose name means something else";
    Schema "PL032" "a vocabulary that gives no schema";
    Empty "PL033" "a bundle without policies, which denies everything";
    TestSyntax "PL040" "a test file that is not YAML";
    TestShape "PL041" "a test file that does not say what a test file says";
    Advice "PL050" "advice of Cedar's validator";
}

/// A problem in the making.
#[derive(Clone, Debug)]
pub(crate) struct Draft(Problem);

/// A problem that refuses the bundle.
pub(crate) fn error(code: Code, message: impl Into<String>) -> Draft {
    Draft(Problem {
        code: code.as_str().to_owned(),
        severity: Severity::Error,
        message: message.into(),
        file: None,
        span: None,
        hint: None,
    })
}

impl Draft {
    /// The bundle works, but perhaps not as meant.
    pub(crate) fn warning(mut self) -> Self {
        self.0.severity = Severity::Warning;
        self
    }

    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.0.hint = Some(hint.into());
        self
    }

    pub(crate) fn maybe_hint(mut self, hint: Option<String>) -> Self {
        self.0.hint = hint.or(self.0.hint);
        self
    }

    pub(crate) fn file(mut self, file: &str) -> Self {
        self.0.file = Some(file.to_owned());
        self
    }

    /// At this place of this file.
    pub(crate) fn at(self, source: &Source<'_>, place: Range<usize>) -> Self {
        let mut draft = self.file(source.file);
        draft.0.span = Some(source.span(place));
        draft
    }
}

impl From<Draft> for Problem {
    fn from(draft: Draft) -> Self {
        draft.0
    }
}

/// A file's text, with where its lines begin.
pub(crate) struct Source<'a> {
    pub(crate) file: &'a str,
    pub(crate) text: &'a str,
    starts: Vec<usize>,
}

impl<'a> Source<'a> {
    pub(crate) fn new(file: &'a str, text: &'a str) -> Self {
        let after = text.bytes().zip(1..).filter(|(byte, _)| *byte == b'\n');
        let starts = std::iter::once(0).chain(after.map(|(_, next)| next)).collect();
        Self { file, text, starts }
    }

    /// Lines and columns of a place, in characters from 1.
    pub(crate) fn span(&self, place: Range<usize>) -> SourceSpan {
        let start = floor(self.text, place.start);
        let line = self.starts.partition_point(|begin| *begin <= start);
        let begin = self.starts.get(line.saturating_sub(1)).copied().unwrap_or(0);
        SourceSpan {
            start,
            end: floor(self.text, place.end.max(start)),
            line,
            column: self.text.get(begin..start).unwrap_or_default().chars().count() + 1,
        }
    }

    /// What stands in a place.
    pub(crate) fn get(&self, place: Range<usize>) -> &'a str {
        self.text.get(place).unwrap_or_default()
    }
}

fn floor(text: &str, mut at: usize) -> usize {
    at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// The name that was probably meant: the nearest one, if it is near enough.
pub(crate) fn nearest<'a>(wrong: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let limit = 1 + wrong.chars().count() / 4;
    names
        .into_iter()
        .map(|name| (distance(wrong, name), name))
        .filter(|(distance, _)| *distance <= limit)
        .min()
        .map(|(_, name)| name)
}

/// How many letters have to be added, removed or replaced.
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (above, letter) in one.chars().enumerate() {
        let mut diagonal = above;
        let mut left = above + 1;
        for (cell, candidate) in row.iter_mut().skip(1).zip(&other) {
            let replaced = diagonal + usize::from(letter != *candidate);
            diagonal = *cell;
            *cell = replaced.min(*cell + 1).min(left + 1);
            left = *cell;
        }
        if let Some(first) = row.first_mut() {
            *first = above + 1;
        }
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_count_from_one_in_characters() {
        let text = "permit\nä x";
        let source = Source::new("a", text);
        let place = source.span(text.find('x').unwrap()..text.len());
        assert_eq!((place.line, place.column, place.end), (2, 3, text.len()));
        assert_eq!((source.span(0..1).line, source.span(0..1).column), (1, 1));
        assert_eq!((source.span(6..7).line, source.span(6..7).column), (1, 7));
        assert_eq!((source.span(7..8).line, source.span(7..8).column), (2, 1));
        assert_eq!(source.span(900..901).line, 2);
    }

    #[test]
    fn the_nearest_name_is_near() {
        let names = ["sre", "security", "operator"];
        assert_eq!(nearest("sr", names), Some("sre"));
        assert_eq!(nearest("securty", names), Some("security"));
        assert_eq!(nearest("oprator", names), Some("operator"));
        assert_eq!(nearest("finance", names), None);
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("kitten", "sitting"), 3);
    }

    #[test]
    fn codes_are_unique_and_sorted() {
        let codes: Vec<&str> = CODES.iter().map(|(code, _)| *code).collect();
        let mut sorted = codes.clone();
        sorted.sort_unstable();
        sorted.dedup();
        assert_eq!(codes, sorted);
    }
}
