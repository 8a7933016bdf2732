//! Typed reading of nodes: each function gives the value, or reports why there is none. Whoever calls goes on with
//! the next key either way, so that all problems are found in one pass.

use std::ops::RangeInclusive;
use std::str::FromStr;

use clawd_model::{DurationMs, InvalidName, SourceSpan};

use super::keys::Shape;
use super::node::{Entry, Kind, Node, Spanned, beginning};
use crate::codes;
use crate::problems::Problems;
use crate::selector::Selector;
use crate::suggest;

/// A mapping whose keys were compared with its shape.
pub(crate) struct Fields<'n> {
    entries: &'n [Entry],
    what: &'static str,
    pub(crate) span: SourceSpan,
}

/// Opens a mapping and reports keys that do not belong there.
pub(crate) fn fields<'n>(node: &'n Node, shape: &Shape, problems: &Problems) -> Option<Fields<'n>> {
    let entries = map(node, shape.what, problems)?;
    for entry in entries {
        let key = entry.key.value.as_str();
        if shape.keys.contains(&key) || problems.is_full() {
            continue;
        }
        let foreign = shape
            .foreign
            .iter()
            .find(|(word, _)| *word == key)
            .map(|(_, hint)| (*hint).to_owned());
        let hint = foreign.or_else(|| suggest::hint(key, shape.keys.iter().copied()));
        let message = format!("`{}` is not a key of {}", shortened(key), shape.what);
        problems.error_with_hint(&codes::UNKNOWN_KEY, entry.key.span, message, hint);
    }
    Some(Fields {
        entries,
        what: shape.what,
        span: node.span,
    })
}

impl<'n> Fields<'n> {
    /// The value of a key.
    pub(crate) fn get(&self, key: &str) -> Option<&'n Node> {
        self.entries
            .iter()
            .find(|entry| entry.key.value == key)
            .map(|entry| &entry.value)
    }

    /// The value of a key that must be there.
    pub(crate) fn require(&self, key: &str, problems: &Problems) -> Option<&'n Node> {
        let found = self.get(key);
        if found.is_none() {
            let message = format!("`{key}` is missing in {}", self.what);
            problems.error(&codes::MISSING_KEY, beginning(self.span), message);
        }
        found
    }
}

/// The entries of a mapping.
pub(crate) fn map<'n>(node: &'n Node, what: &str, problems: &Problems) -> Option<&'n [Entry]> {
    match &node.kind {
        Kind::Map(entries) => Some(entries),
        _ => wrong(node, &format!("{what} is a mapping"), None, problems),
    }
}

/// The items of a list.
pub(crate) fn list<'n>(node: &'n Node, what: &str, problems: &Problems) -> Option<&'n [Node]> {
    match &node.kind {
        Kind::List(items) => Some(items),
        _ => wrong(node, &format!("{what} is a list"), None, problems),
    }
}

/// The items of a list; a single value stands for a list of one.
pub(crate) fn one_or_more<'n>(node: &'n Node, what: &str, problems: &Problems) -> Option<&'n [Node]> {
    let items = match &node.kind {
        Kind::List(items) => items.as_slice(),
        Kind::Text(_) | Kind::Number(_) => std::slice::from_ref(node),
        _ => {
            return wrong(
                node,
                &format!("{what} is a value or a list of them"),
                None,
                problems,
            );
        }
    };
    if items.is_empty() {
        problems.error(&codes::EMPTY, node.span, format!("{what} is empty"));
    }
    Some(items)
}

/// A text.
pub(crate) fn text<'n>(node: &'n Node, what: &str, problems: &Problems) -> Option<Spanned<&'n str>> {
    match &node.kind {
        Kind::Text(text) => Some(Spanned::new(text.as_str(), node.span)),
        Kind::Bool(_) | Kind::Number(_) => wrong(
            node,
            &format!("{what} is a text"),
            Some("put it in quotes"),
            problems,
        ),
        _ => wrong(node, &format!("{what} is a text"), None, problems),
    }
}

/// A name of some kind.
pub(crate) fn name<T>(node: &Node, what: &str, problems: &Problems) -> Option<Spanned<T>>
where
    T: FromStr<Err = InvalidName>,
{
    let text = text(node, what, problems)?;
    parse_name(text.value, text.span, problems)
}

/// A name of some kind, from a text.
pub(crate) fn parse_name<T>(text: &str, span: SourceSpan, problems: &Problems) -> Option<Spanned<T>>
where
    T: FromStr<Err = InvalidName>,
{
    match text.parse() {
        Ok(name) => Some(Spanned::new(name, span)),
        Err(error) => {
            let message = format!(
                "`{}` is not a name of {} {}",
                shortened(text),
                article(error.kind),
                error.kind
            );
            let hint = name_hint::<T>(text, error.rule);
            problems.error_with_hint(&codes::INVALID_NAME, span, message, hint);
            None
        }
    }
}

/// What to write instead: the nearest thing to it that is a name.
fn name_hint<T: FromStr>(text: &str, rule: &str) -> String {
    let instead = mended(text);
    if instead.parse::<T>().is_ok() {
        format!("write `{instead}`: such a name is {rule}")
    } else {
        format!("such a name is {rule}")
    }
}

/// A text with everything replaced that no identifier holds.
pub(crate) fn mended(text: &str) -> String {
    let fits = |next: char| if next.is_ascii_alphanumeric() { next } else { '_' };
    text.chars().map(fits).take(63).collect()
}

fn article(noun: &str) -> &'static str {
    if noun.starts_with(['a', 'e', 'i', 'o', 'u']) {
        "an"
    } else {
        "a"
    }
}

/// One of a few words.
pub(crate) fn word<'n>(
    node: &'n Node,
    what: &str,
    words: &[&'static str],
    problems: &Problems,
) -> Option<Spanned<&'static str>> {
    let text: Spanned<&'n str> = text(node, what, problems)?;
    let found = words.iter().find(|word| **word == text.value);
    if found.is_none() {
        let message = format!("{what} cannot be `{}`", shortened(text.value));
        let hint = suggest::hint(text.value, words.iter().copied());
        problems.error_with_hint(&codes::UNKNOWN_VALUE, text.span, message, hint);
    }
    found.map(|word| Spanned::new(*word, text.span))
}

/// A whole number in a range.
pub(crate) fn integer(
    node: &Node,
    what: &str,
    range: RangeInclusive<u32>,
    problems: &Problems,
) -> Option<Spanned<u32>> {
    let Kind::Number(number) = &node.kind else {
        return wrong(node, &format!("{what} is a whole number"), None, problems);
    };
    let value = number
        .as_u64()
        .and_then(|value| u32::try_from(value).ok())
        .filter(|value| range.contains(value));
    if value.is_none() {
        let message = format!("{what} is {} to {}, not {number}", range.start(), range.end());
        problems.error(&codes::OUT_OF_RANGE, node.span, message);
    }
    value.map(|value| Spanned::new(value, node.span))
}

/// A duration, at most `longest`.
pub(crate) fn duration(
    node: &Node,
    what: &str,
    longest: DurationMs,
    problems: &Problems,
) -> Option<Spanned<DurationMs>> {
    let hint = "a number with a unit, such as `20s`, `15m` or `1h30m`";
    let text = match &node.kind {
        Kind::Text(text) => text,
        Kind::Number(number) => {
            let message = format!("{what} is a duration, and {number} has no unit");
            problems.error_with_hint(&codes::INVALID_DURATION, node.span, message, hint.to_owned());
            return None;
        }
        _ => return wrong(node, &format!("{what} is a duration"), Some(hint), problems),
    };
    let Some(value) = DurationMs::parse(text) else {
        let message = format!("`{}` is not a duration", shortened(text));
        problems.error_with_hint(&codes::INVALID_DURATION, node.span, message, hint.to_owned());
        return None;
    };
    if value > longest {
        let message = format!("{what} is at most {longest}, not {value}");
        problems.error(&codes::OUT_OF_RANGE, node.span, message);
        return None;
    }
    Some(Spanned::new(value, node.span))
}

/// A label selector.
pub(crate) fn selector(node: &Node, what: &str, problems: &Problems) -> Option<Spanned<Selector>> {
    let text = text(node, what, problems)?;
    match Selector::parse(text.value) {
        Ok(selector) => Some(Spanned::new(selector, text.span)),
        Err(error) => {
            let hint = error.hint().map(str::to_owned);
            problems.error_with_hint(&codes::INVALID_SELECTOR, text.span, error.to_string(), hint);
            None
        }
    }
}

/// Reports a value of the wrong type, and gives nothing.
pub(crate) fn wrong<T>(node: &Node, expected: &str, hint: Option<&str>, problems: &Problems) -> Option<T> {
    if !matches!(node.kind, Kind::Broken) {
        let message = format!("{expected}; this is {}", node.what());
        problems.error_with_hint(&codes::WRONG_TYPE, node.head(), message, hint.map(str::to_owned));
    }
    None
}

/// The beginning of a text, for messages.
pub(crate) fn shortened(text: &str) -> String {
    const LONGEST: usize = 60;
    if text.chars().count() <= LONGEST {
        return text.to_owned();
    }
    text.chars().take(LONGEST).chain(['…']).collect()
}
