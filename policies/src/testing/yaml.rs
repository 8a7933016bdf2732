//! YAML becomes JSON, with the place where each item of a list begins.

use std::ops::Range;

use saphyr::{LoadableYamlNode, MarkedYaml, Scalar, YamlData};
use serde_json::{Map, Value};

/// A YAML text that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub(super) struct YamlError {
    pub(super) message: String,
    pub(super) place: Range<usize>,
}

/// A value of a YAML document.
pub(super) struct Node<'a> {
    yaml: MarkedYaml<'a>,
    source: &'a str,
}

/// The first document of a text; `None` for an empty text.
pub(super) fn read(source: &str) -> Result<Option<Node<'_>>, YamlError> {
    let mut documents = MarkedYaml::load_from_str(source).map_err(|problem| YamlError {
        message: problem.info().to_owned(),
        place: byte(source, problem.marker().index())..source.len(),
    })?;
    Ok((!documents.is_empty()).then(|| Node {
        yaml: documents.swap_remove(0),
        source,
    }))
}

impl<'a> Node<'a> {
    /// Where it stands.
    pub(super) fn place(&self) -> Range<usize> {
        let span = &self.yaml.span;
        byte(self.source, span.start.index())..byte(self.source, span.end.index())
    }

    /// Its entries, when it is a mapping.
    pub(super) fn entries(self) -> Option<Vec<(String, Node<'a>)>> {
        let source = self.source;
        let YamlData::Mapping(mapping) = self.yaml.data else {
            return None;
        };
        mapping
            .into_iter()
            .map(|(key, yaml)| Some((key_of(&key)?, Node { yaml, source })))
            .collect()
    }

    /// Its items, when it is a list.
    pub(super) fn items(self) -> Option<Vec<Node<'a>>> {
        let source = self.source;
        let YamlData::Sequence(items) = self.yaml.data else {
            return None;
        };
        Some(items.into_iter().map(|yaml| Node { yaml, source }).collect())
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

/// Markers count characters.
fn byte(source: &str, characters: usize) -> usize {
    source
        .char_indices()
        .nth(characters)
        .map_or(source.len(), |(at, _)| at)
}
