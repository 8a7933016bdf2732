//! YAML becomes JSON, with the place where each item of a list begins.
//!
//! Whoever may check policies may send any text, so it is guarded before a tree is made of it: depth, the number of
//! values, and aliases, which could expand. The guard folds the parser's events and never recurses; what it lets
//! through can be read, walked and dropped by functions that do.

use std::ops::Range;

use saphyr::{LoadableYamlNode, MarkedYaml, Scalar, YamlData};
use saphyr_parser::{Event, Marker, Parser, ScanError};
use serde_json::{Map, Value};

const MAX_DEPTH: usize = 32;
const MAX_NODES: usize = 50_000;

/// A YAML text that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub(super) struct YamlError {
    pub(super) message: String,
    pub(super) place: Range<usize>,
}

/// A text, with where each of its characters begins: the parser counts characters.
pub(super) struct Text<'a> {
    source: &'a str,
    starts: Vec<usize>,
}

/// A value of a YAML document.
pub(super) struct Node<'t, 'a> {
    yaml: MarkedYaml<'a>,
    text: &'t Text<'a>,
}

impl<'a> Text<'a> {
    pub(super) fn new(source: &'a str) -> Self {
        Self {
            source,
            starts: source.char_indices().map(|(at, _)| at).collect(),
        }
    }

    /// The first document; `None` for an empty text.
    pub(super) fn read<'t>(&'t self) -> Result<Option<Node<'t, 'a>>, YamlError> {
        self.guard()?;
        let mut documents =
            MarkedYaml::load_from_str(self.source).map_err(|problem| self.broken(&problem))?;
        Ok((!documents.is_empty()).then(|| Node {
            yaml: documents.swap_remove(0),
            text: self,
        }))
    }

    /// Reads the text without keeping anything, and refuses what a tree must not be made of.
    fn guard(&self) -> Result<(), YamlError> {
        let (mut depth, mut nodes) = (0_usize, 0_usize);
        let mut parser = Parser::new_from_str(self.source);
        while let Some(event) = parser.next_event() {
            let (event, span) = event.map_err(|problem| self.broken(&problem))?;
            let refuse = |message: String| {
                Err(YamlError {
                    message,
                    place: self.byte(&span.start)..self.byte(&span.end),
                })
            };
            match event {
                Event::Alias(_) => {
                    return refuse("aliases cannot be used here: write the value out".to_owned());
                }
                Event::SequenceStart(..) | Event::MappingStart(..) => {
                    depth += 1;
                    nodes += 1;
                }
                Event::SequenceEnd | Event::MappingEnd => depth = depth.saturating_sub(1),
                Event::Scalar(..) => nodes += 1,
                _ => {}
            }
            if depth > MAX_DEPTH {
                return refuse(format!("values are nested more than {MAX_DEPTH} levels deep"));
            }
            if nodes > MAX_NODES {
                return refuse(format!("the file holds more than {MAX_NODES} values"));
            }
        }
        Ok(())
    }

    fn broken(&self, problem: &ScanError) -> YamlError {
        YamlError {
            message: problem.info().to_owned(),
            place: self.byte(problem.marker())..self.source.len(),
        }
    }

    fn byte(&self, marker: &Marker) -> usize {
        self.starts
            .get(marker.index())
            .copied()
            .unwrap_or(self.source.len())
    }
}

impl<'t, 'a> Node<'t, 'a> {
    /// Where it stands.
    pub(super) fn place(&self) -> Range<usize> {
        let span = &self.yaml.span;
        self.text.byte(&span.start)..self.text.byte(&span.end)
    }

    /// Its entries, when it is a mapping.
    pub(super) fn entries(self) -> Option<Vec<(String, Self)>> {
        let text = self.text;
        let YamlData::Mapping(mapping) = self.yaml.data else {
            return None;
        };
        mapping
            .into_iter()
            .map(|(key, yaml)| Some((key_of(&key)?, Node { yaml, text })))
            .collect()
    }

    /// Its items, when it is a list.
    pub(super) fn items(self) -> Option<Vec<Self>> {
        let text = self.text;
        let YamlData::Sequence(items) = self.yaml.data else {
            return None;
        };
        Some(items.into_iter().map(|yaml| Node { yaml, text }).collect())
    }

    /// Its value.
    pub(super) fn value(&self) -> Result<Value, YamlError> {
        value(&self.yaml).ok_or_else(|| YamlError {
            message: "only mappings, lists, texts, numbers and truth values can be used here".to_owned(),
            place: self.place(),
        })
    }
}

fn value(yaml: &MarkedYaml<'_>) -> Option<Value> {
    Some(match &yaml.data {
        YamlData::Value(Scalar::Null) => Value::Null,
        YamlData::Value(Scalar::Boolean(value)) => Value::Bool(*value),
        YamlData::Value(Scalar::Integer(value)) => Value::from(*value),
        YamlData::Value(Scalar::FloatingPoint(value)) => Value::from(value.into_inner()),
        YamlData::Value(Scalar::String(text)) => Value::String(text.clone().into_owned()),
        YamlData::Sequence(items) => Value::Array(items.iter().map(value).collect::<Option<_>>()?),
        YamlData::Mapping(mapping) => {
            let mut entries = Map::new();
            for (key, item) in mapping {
                entries.insert(key_of(key)?, value(item)?);
            }
            Value::Object(entries)
        }
        _ => return None,
    })
}

fn key_of(key: &MarkedYaml<'_>) -> Option<String> {
    match &key.data {
        YamlData::Value(Scalar::String(text)) => Some(text.clone().into_owned()),
        YamlData::Value(Scalar::Integer(number)) => Some(number.to_string()),
        _ => None,
    }
}
