//! Checks a value against the subset of JSON Schema that operations use: `type`, `properties`, `required`, `enum`,
//! `items`, `additionalProperties`, `anyOf`, `const`, `minimum`, `maximum` and `$ref` within the schema. Other keywords
//! are ignored: they describe, or are the operation's own to check.
//!
//! Expressions stand for values that are not known; of them only the type is checked, if it is known.

use clawd_model::SourceSpan;
use serde_json::Value;

use crate::parse::{Kind, Node, shortened};
use crate::suggest;

/// All ways in which a value does not fit a schema, in words; empty when it fits. For values that come from outside,
/// such as the output of an operation.
#[must_use]
pub fn schema_misfits(schema: &Value, value: &Value) -> Vec<String> {
    let node = Node::from_value(value);
    let misfits = Checker::new(schema, &|_| Dynamic::No).check(&node, "the value");
    misfits.into_iter().map(|misfit| misfit.message).collect()
}

/// What is known of a node that is an expression.
pub(crate) enum Dynamic {
    /// It is no expression.
    No,
    /// Its value has this type, if that is known: a word of JSON Schema.
    Yes(Option<&'static str>),
}

/// One way in which a value does not fit.
#[derive(Debug)]
pub(crate) struct Misfit {
    pub(crate) kind: MisfitKind,
    pub(crate) span: SourceSpan,
    pub(crate) message: String,
    pub(crate) hint: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MisfitKind {
    Missing,
    Unknown,
    Value,
    Expression,
}

/// A checker for one schema.
pub(crate) struct Checker<'a> {
    /// Where `$ref` leads.
    root: &'a Value,
    dynamic: &'a dyn Fn(&Node) -> Dynamic,
}

/// Nobody reads more of them.
const MAX_MISFITS: usize = 200;
/// References that lead to references; a circle would never end.
const MAX_REFERENCES: usize = 16;

impl<'a> Checker<'a> {
    pub(crate) fn new(root: &'a Value, dynamic: &'a dyn Fn(&Node) -> Dynamic) -> Self {
        Self { root, dynamic }
    }

    /// All misfits of a value. `what` names it in messages.
    pub(crate) fn check(&self, node: &Node, what: &str) -> Vec<Misfit> {
        let mut misfits = Vec::new();
        self.visit(node, self.root, what, &mut misfits);
        misfits
    }

    fn follow<'s>(&'s self, mut schema: &'s Value) -> &'s Value {
        for _ in 0..MAX_REFERENCES {
            let Some(path) = schema
                .get("$ref")
                .and_then(Value::as_str)
                .and_then(|path| path.strip_prefix('#'))
            else {
                break;
            };
            schema = self.root.pointer(path).unwrap_or(&Value::Null);
        }
        schema
    }

    fn visit(&self, node: &Node, schema: &Value, what: &str, misfits: &mut Vec<Misfit>) {
        let schema = self.follow(schema);
        if matches!(node.kind, Kind::Broken) || misfits.len() >= MAX_MISFITS {
            return;
        }
        if let Dynamic::Yes(known) = (self.dynamic)(node) {
            if let Some(message) = known.and_then(|known| dynamic_misfit(known, &types(schema), what)) {
                let kind = MisfitKind::Expression;
                misfits.push(Misfit {
                    kind,
                    span: node.head(),
                    message,
                    hint: None,
                });
            }
            return;
        }
        if let Some(branches) = schema.get("anyOf").and_then(Value::as_array) {
            self.any_of(node, branches, what, misfits);
        }
        if let Some(misfit) = self.own(node, schema, what) {
            misfits.push(misfit);
            return;
        }
        match &node.kind {
            Kind::Map(_) => self.object(node, schema, what, misfits),
            Kind::List(items) => {
                if let Some(schema) = schema.get("items") {
                    for item in items {
                        self.visit(item, schema, &format!("an item of {what}"), misfits);
                    }
                }
            }
            _ => {}
        }
    }

    /// The branch with the fewest misfits is the one that was meant.
    fn any_of(&self, node: &Node, branches: &[Value], what: &str, misfits: &mut Vec<Misfit>) {
        let tried = branches.iter().map(|branch| {
            let mut misfits = Vec::new();
            self.visit(node, branch, what, &mut misfits);
            misfits
        });
        if let Some(best) = tried.min_by_key(|misfits| (misfits.iter().any(is_type_misfit), misfits.len())) {
            misfits.extend(best);
        }
    }

    /// Whether the value itself fits, whatever it holds.
    fn own(&self, node: &Node, schema: &Value, what: &str) -> Option<Misfit> {
        let misfit = |message: String, hint: Option<String>| {
            Some(Misfit {
                kind: MisfitKind::Value,
                span: node.head(),
                message,
                hint,
            })
        };
        let types = types(schema);
        if !types.is_empty() && !types.iter().any(|wanted| has_type(node, wanted)) {
            let hint = type_hint(node, &types);
            return misfit(
                format!("{what} is {}; this is {}", described(&types), node.what()),
                hint,
            );
        }
        let allowed = schema.get("enum").and_then(Value::as_array).map(Vec::as_slice);
        let allowed = allowed.or_else(|| schema.get("const").map(std::slice::from_ref));
        if let Some(allowed) = allowed {
            let value = node.to_value();
            if !allowed.contains(&value) {
                let words: Vec<String> = allowed.iter().map(plain).collect();
                let hint = suggest::hint(&plain(&value), words.iter().map(String::as_str));
                return misfit(format!("{what} cannot be `{}`", shortened(&plain(&value))), hint);
            }
        }
        if let Kind::Number(number) = &node.kind {
            let value = number.as_f64().unwrap_or(f64::NAN);
            let bound = |key: &str| schema.get(key).and_then(Value::as_f64);
            if let Some(low) = bound("minimum").filter(|low| value < *low) {
                return misfit(format!("{what} is at least {low}, not {number}"), None);
            }
            if let Some(high) = bound("maximum").filter(|high| value > *high) {
                return misfit(format!("{what} is at most {high}, not {number}"), None);
            }
        }
        None
    }

    fn object(&self, node: &Node, schema: &Value, what: &str, misfits: &mut Vec<Misfit>) {
        let Kind::Map(entries) = &node.kind else { return };
        let known = schema.get("properties").and_then(Value::as_object);
        for name in schema
            .get("required")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
        {
            if entries.iter().all(|entry| entry.key.value != name) {
                let description = known.and_then(|known| known.get(name)?.get("description")?.as_str());
                misfits.push(Misfit {
                    kind: MisfitKind::Missing,
                    span: node.head(),
                    message: format!("{what} needs `{name}`"),
                    hint: description.map(|description| format!("`{name}` is {description}")),
                });
            }
        }
        for entry in entries {
            if misfits.len() >= MAX_MISFITS {
                return;
            }
            let name = entry.key.value.as_str();
            let of_key = format!("`{}`", shortened(name));
            match (
                known.and_then(|known| known.get(name)),
                schema.get("additionalProperties"),
            ) {
                (Some(schema), _) | (None, Some(schema @ Value::Object(_))) => {
                    self.visit(&entry.value, schema, &of_key, misfits);
                }
                (None, Some(Value::Bool(false))) => misfits.push(Misfit {
                    kind: MisfitKind::Unknown,
                    span: entry.key.span,
                    message: format!("{what} has no {of_key}"),
                    hint: suggest::hint(
                        name,
                        known
                            .into_iter()
                            .flat_map(|known| known.keys().map(String::as_str)),
                    ),
                }),
                (None, _) => {}
            }
        }
    }
}

fn is_type_misfit(misfit: &Misfit) -> bool {
    misfit.kind == MisfitKind::Value
}

fn types(schema: &Value) -> Vec<&str> {
    match schema.get("type") {
        Some(Value::String(one)) => vec![one],
        Some(Value::Array(several)) => several.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

fn has_type(node: &Node, wanted: &str) -> bool {
    match (wanted, &node.kind) {
        ("null", Kind::Null)
        | ("boolean", Kind::Bool(_))
        | ("number", Kind::Number(_))
        | ("string", Kind::Text(_))
        | ("array", Kind::List(_))
        | ("object", Kind::Map(_)) => true,
        ("integer", Kind::Number(number)) => !number.is_f64(),
        _ => false,
    }
}

/// `null` fits everything: whether it may be there is only known when it runs.
fn dynamic_misfit(known: &str, wanted: &[&str], what: &str) -> Option<String> {
    let fits = wanted.is_empty()
        || wanted.contains(&known)
        || (known == "integer" && wanted.contains(&"number"))
        || (known == "number" && wanted.contains(&"integer"));
    (!fits).then(|| {
        format!(
            "{what} is {}; the expression is {}",
            described(wanted),
            described(&[known])
        )
    })
}

fn described(types: &[&str]) -> String {
    let words: Vec<&str> = types
        .iter()
        .map(|word| match *word {
            "null" => "nothing",
            "boolean" => "true or false",
            "integer" => "a whole number",
            "number" => "a number",
            "array" => "a list",
            "object" => "a mapping",
            _ => "a text",
        })
        .collect();
    words.join(", or ")
}

fn type_hint(node: &Node, types: &[&str]) -> Option<String> {
    match &node.kind {
        Kind::Text(text) if types.contains(&"boolean") => match text.to_lowercase().as_str() {
            "yes" | "on" => Some("write `true`; in YAML 1.2, `yes` and `on` are texts".to_owned()),
            "true" | "false" => Some("remove the quotes".to_owned()),
            "no" | "off" => Some("write `false`; in YAML 1.2, `no` and `off` are texts".to_owned()),
            _ => None,
        },
        Kind::Text(text) if text.parse::<f64>().is_ok() => Some("remove the quotes".to_owned()),
        Kind::Number(_) | Kind::Bool(_) if types.contains(&"string") => Some("put it in quotes".to_owned()),
        Kind::Text(_) if types.contains(&"array") => Some("write a list: `[…]`".to_owned()),
        _ => None,
    }
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests;
