//! Text → tree of [`Node`]s. Guards against hostile documents: size, depth, number of values, and aliases (which are
//! refused, so that nothing can expand). Never recurses: the parser's events are folded with a stack of our own.

use std::borrow::Cow;
use std::collections::HashMap;

use clawd_model::SourceSpan;
use saphyr_parser::{Event, Parser, ScalarStyle, Span};

use super::lines::Lines;
use super::node::{Entry, Kind, Node, Spanned};
use super::read::shortened;
use super::scalar;
use crate::codes;
use crate::problems::Problems;

/// The largest source, in bytes.
pub(crate) const MAX_BYTES: usize = 1024 * 1024;
const MAX_DEPTH: usize = 64;
const MAX_NODES: usize = 50_000;

/// Reads one document; `None` when there is no tree at all.
pub(crate) fn read(source: &str, lines: &Lines<'_>, problems: &Problems) -> Option<Node> {
    if source.len() > MAX_BYTES {
        let message = format!("the runbook has {} bytes; {MAX_BYTES} are possible", source.len());
        problems.error(&codes::TOO_LARGE, lines.between(0, 0), message);
        return None;
    }
    // A byte order mark is no content; leaving it to us keeps the places right.
    let bom = usize::from(source.starts_with('\u{feff}'));
    let mut builder = Builder {
        lines,
        problems,
        bom,
        stack: Vec::new(),
        root: None,
        nodes: 0,
        documents: 0,
    };
    let mut parser = Parser::new_from_str(source.trim_start_matches('\u{feff}'));
    while let Some(event) = parser.next_event() {
        match event {
            Ok((event, span)) => {
                if !builder.take(event, span) {
                    return None;
                }
            }
            Err(error) => {
                let at = error.marker().index() + bom;
                let message = format!("this is not YAML: {}", error.info().to_lowercase());
                problems.error_with_hint(
                    &codes::SYNTAX,
                    lines.between_chars(at, at + 1),
                    message,
                    syntax_hint(error.info()),
                );
                return None;
            }
        }
    }
    builder.finish()
}

fn syntax_hint(info: &str) -> Option<String> {
    let info = info.to_lowercase();
    let hint = if info.contains("tab") {
        "YAML is indented with spaces, never with tabs"
    } else if info.contains("mapping values are not allowed") || info.contains("simple key") {
        "look for a missing quote, or a `: ` inside of a text without quotes"
    } else if info.contains("anchor") {
        "anchors and aliases are not part of the runbook language: write the value out"
    } else {
        "the mistake is here or shortly before it: look at quotes, brackets and indentation"
    };
    Some(hint.to_owned())
}

enum Frame {
    List {
        start: SourceSpan,
        items: Vec<Node>,
    },
    Map {
        start: SourceSpan,
        entries: Vec<Entry>,
        seen: HashMap<String, usize>,
        key: Pending,
    },
}

/// The key that waits for its value.
enum Pending {
    None,
    Key(Spanned<String>),
    /// A key that was reported: its value is read and dropped.
    Dropped,
}

struct Builder<'a, 's> {
    lines: &'a Lines<'s>,
    problems: &'a Problems,
    bom: usize,
    stack: Vec<Frame>,
    root: Option<Node>,
    nodes: usize,
    documents: usize,
}

impl Builder<'_, '_> {
    /// Takes one event; false when reading has to stop.
    fn take(&mut self, event: Event<'_>, span: Span) -> bool {
        let span = self
            .lines
            .between_chars(span.start.index() + self.bom, span.end.index() + self.bom);
        match event {
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => true,
            Event::DocumentStart(_) => self.begin_document(span),
            Event::Alias(_) => {
                self.unused(span, "an alias", "write the value out");
                self.add(Node {
                    kind: Kind::Broken,
                    span,
                })
            }
            Event::Scalar(text, style, anchor, tag) => {
                self.decorations(span, anchor, tag.is_some());
                let node = self.scalar(text, style, span);
                self.add(node)
            }
            Event::SequenceStart(anchor, tag) => {
                self.decorations(span, anchor, tag.is_some());
                self.push(
                    Frame::List {
                        start: span,
                        items: Vec::new(),
                    },
                    span,
                )
            }
            Event::MappingStart(anchor, tag) => {
                self.decorations(span, anchor, tag.is_some());
                let frame = Frame::Map {
                    start: span,
                    entries: Vec::new(),
                    seen: HashMap::new(),
                    key: Pending::None,
                };
                self.push(frame, span)
            }
            Event::SequenceEnd | Event::MappingEnd => self.pop(span),
        }
    }

    fn begin_document(&mut self, span: SourceSpan) -> bool {
        self.documents += 1;
        if self.documents > 1 {
            self.unused(span, "a second document", "one file holds one runbook");
            return false;
        }
        true
    }

    fn unused(&self, span: SourceSpan, what: &str, hint: &str) {
        let message = format!("{what} is not part of the runbook language");
        self.problems
            .error_with_hint(&codes::UNUSED_YAML, span, message, hint.to_owned());
    }

    fn decorations(&self, span: SourceSpan, anchor: usize, tagged: bool) {
        if anchor > 0 {
            self.unused(
                span,
                "an anchor",
                "remove the `&name`, and write the value out where it is used",
            );
        }
        if tagged {
            self.unused(span, "a tag", "remove the `!tag`; quotes make a text of anything");
        }
    }

    fn scalar(&self, text: Cow<'_, str>, style: ScalarStyle, span: SourceSpan) -> Node {
        if style != ScalarStyle::Plain {
            return Node {
                kind: Kind::Text(text.into_owned()),
                span,
            };
        }
        let kind = scalar::plain(&text).unwrap_or_else(|_| {
            let message = format!("the number `{text}` does not fit 64 bits");
            let hint = "put it in quotes if it is a text".to_owned();
            self.problems
                .error_with_hint(&codes::UNREPRESENTABLE, span, message, hint);
            Kind::Broken
        });
        Node { kind, span }
    }

    fn push(&mut self, frame: Frame, span: SourceSpan) -> bool {
        if self.stack.len() >= MAX_DEPTH {
            let message = format!("values are nested more than {MAX_DEPTH} levels deep");
            self.problems.error(&codes::TOO_DEEP, span, message);
            return false;
        }
        self.stack.push(frame);
        true
    }

    fn pop(&mut self, end: SourceSpan) -> bool {
        let (kind, start) = match self.stack.pop() {
            Some(Frame::List { start, items }) => (Kind::List(items), start),
            Some(Frame::Map { start, entries, .. }) => (Kind::Map(entries), start),
            None => return true,
        };
        let span = SourceSpan {
            end: end.end.max(start.end),
            ..start
        };
        self.add(Node { kind, span })
    }

    /// Puts a finished node where it belongs.
    fn add(&mut self, node: Node) -> bool {
        self.nodes += 1;
        if self.nodes > MAX_NODES {
            let message = format!("the document holds more than {MAX_NODES} values");
            self.problems.error(&codes::TOO_DEEP, node.span, message);
            return false;
        }
        let (lines, problems) = (self.lines, self.problems);
        match self.stack.last_mut() {
            None => self.root = Some(node),
            Some(Frame::List { items, .. }) => items.push(node),
            Some(Frame::Map {
                entries, seen, key, ..
            }) => match std::mem::replace(key, Pending::None) {
                Pending::None => *key = read_key(node, seen, lines, problems),
                Pending::Dropped => {}
                Pending::Key(key) => {
                    seen.insert(key.value.clone(), key.span.line);
                    entries.push(Entry { key, value: node });
                }
            },
        }
        true
    }

    fn finish(self) -> Option<Node> {
        let empty = matches!(self.root, None | Some(Node { kind: Kind::Null, .. }));
        if empty {
            let message = "the document is empty".to_owned();
            self.problems
                .error(&codes::EMPTY, self.lines.between(0, 0), message);
            return None;
        }
        self.root
    }
}

fn read_key(node: Node, seen: &HashMap<String, usize>, lines: &Lines<'_>, problems: &Problems) -> Pending {
    let span = node.span;
    let Kind::Text(text) = node.kind else {
        if !matches!(node.kind, Kind::Broken) {
            let written = shortened(lines.text(span).lines().next().unwrap_or("").trim());
            let message = format!("the key `{written}` is {}, not a text", node.what());
            let hint = match node.kind {
                Kind::Map(_) => "an expression is written in quotes: `\"${{ … }}\"`",
                _ => "put it in quotes",
            };
            problems.error_with_hint(&codes::UNREPRESENTABLE, span, message, hint.to_owned());
        }
        return Pending::Dropped;
    };
    if let Some(line) = seen.get(&text) {
        let message = format!("the key `{text}` stands twice; the first time in line {line}");
        problems.error_with_hint(
            &codes::DUPLICATE_KEY,
            span,
            message,
            "remove one of them".to_owned(),
        );
        return Pending::Dropped;
    }
    if text == "<<" {
        let message = "a merge key is not part of the runbook language".to_owned();
        problems.error_with_hint(
            &codes::UNUSED_YAML,
            span,
            message,
            "write the keys out".to_owned(),
        );
        return Pending::Dropped;
    }
    Pending::Key(Spanned::new(text, span))
}
