//! `inputs`: the declarations.

use clawd_model::SourceSpan;
use serde_json::Value;

use super::keys;
use super::node::{Entry, Kind, Node, beginning};
use super::read::{self, Fields, fields};
use crate::codes;
use crate::inputs::{InputKind, InputSpec};
use crate::problems::Problems;
use crate::runbook::DeclaredInput;

/// Reads all declarations; the second value is false when one could not be read.
pub(crate) fn inputs(node: &Node, problems: &Problems) -> (Vec<DeclaredInput>, bool) {
    let Some(entries) = read::map(node, "`inputs`", problems) else {
        return (Vec::new(), false);
    };
    let read: Vec<DeclaredInput> = entries
        .iter()
        .filter_map(|entry| input(entry, problems))
        .collect();
    let whole = read.len() == entries.len();
    (read, whole)
}

fn input(entry: &Entry, problems: &Problems) -> Option<DeclaredInput> {
    let name = &entry.key.value;
    if !is_identifier(name) {
        let message = format!("`{}` is not a name of an input", read::shortened(name));
        let hint = "such a name is 1 to 63 letters, digits or _ beginning with a letter".to_owned();
        problems.error_with_hint(&codes::INVALID_NAME, entry.key.span, message, hint);
    }
    let declared = fields(&entry.value, &keys::INPUT, problems)?;
    let word = declared.require("type", problems)?;
    let word = read::word(word, "the type of an input", &InputKind::WORDS, problems)?;
    let kind = kind(word.value, &declared, problems)?;
    let default = declared.get("default").map(|node| {
        let value = node.to_value();
        if let (Some(why), false) = (kind.misfit(&value), matches!(node.kind, Kind::Broken)) {
            let message = format!("the default of `{name}` does not fit: {why}");
            problems.error(&codes::INVALID_INPUT, node.span, message);
        }
        value
    });
    let description = declared
        .get("description")
        .and_then(|node| read::text(node, "a description", problems));
    let description = description
        .map(|text| text.value.trim().to_owned())
        .unwrap_or_default();
    Some(DeclaredInput {
        spec: InputSpec {
            name: name.clone(),
            description,
            kind,
            default,
        },
        span: entry.key.span,
    })
}

/// Names of inputs and outputs: what an expression can name without quotes.
pub(crate) fn is_identifier(name: &str) -> bool {
    name.parse::<clawd_model::SecretName>().is_ok()
}

fn kind(word: &str, declared: &Fields<'_>, problems: &Problems) -> Option<InputKind> {
    let (values, min, max) = (declared.get("values"), declared.get("min"), declared.get("max"));
    let kind = match word {
        "integer" => {
            let (low, high) = (bound(min, problems), bound(max, problems));
            if let (Some(low), Some(high), Some(node)) = (low, high, min)
                && low > high
            {
                let message = format!("`min` {low} is larger than `max` {high}");
                problems.error(&codes::INVALID_INPUT, node.span, message);
            }
            InputKind::Integer { min: low, max: high }
        }
        "enum" => InputKind::Enum(enum_values(values, declared.span, problems)?),
        "number" => InputKind::Number,
        "boolean" => InputKind::Boolean,
        "list" => InputKind::List,
        _ => InputKind::Text,
    };
    for (key, node, applies) in [
        ("values", values, matches!(kind, InputKind::Enum(_))),
        ("min", min, matches!(kind, InputKind::Integer { .. })),
        ("max", max, matches!(kind, InputKind::Integer { .. })),
    ] {
        if let (Some(node), false) = (node, applies) {
            let message = format!("`{key}` means nothing for an input of type `{word}`");
            problems.error(&codes::INVALID_INPUT, node.span, message);
        }
    }
    Some(kind)
}

fn bound(node: Option<&Node>, problems: &Problems) -> Option<i64> {
    let node = node?;
    match node.to_value() {
        Value::Number(number) if number.is_i64() => number.as_i64(),
        _ => read::wrong(node, "a bound is a whole number", None, problems),
    }
}

fn enum_values(node: Option<&Node>, span: SourceSpan, problems: &Problems) -> Option<Vec<String>> {
    let Some(node) = node else {
        problems.error(
            &codes::INVALID_INPUT,
            beginning(span),
            "an enum needs `values: […]`",
        );
        return None;
    };
    let items = read::list(node, "`values`", problems)?;
    if items.is_empty() {
        problems.error(&codes::EMPTY, node.span, "`values` is empty");
        return None;
    }
    let values: Vec<String> = items
        .iter()
        .filter_map(|item| read::text(item, "a value of an enum", problems))
        .map(|text| text.value.to_owned())
        .collect();
    (values.len() == items.len()).then_some(values)
}
