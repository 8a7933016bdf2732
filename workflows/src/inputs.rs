//! The typed inputs of a runbook: how they are declared, completed and read from texts.

use clawd_model::{Problem, Severity};
use serde_json::{Map, Value, json};

use crate::codes::{self, Code};
use crate::suggest;

/// The longest text that an input takes, in bytes.
pub(crate) const MAX_TEXT: usize = 64 * 1024;
/// The longest list that an input takes.
pub(crate) const MAX_ITEMS: usize = 1000;

/// One declared input.
#[derive(Clone, Debug, PartialEq)]
pub struct InputSpec {
    /// Its name: an identifier, since expressions name it (`inputs.reboot`).
    pub name: String,
    /// What it is for, in the author's words.
    pub description: String,
    /// What it holds.
    pub kind: InputKind,
    /// What it is when a run does not say; without one, each run has to say.
    pub default: Option<Value>,
}

/// What an input holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InputKind {
    /// A text.
    Text,
    /// A whole number.
    Integer {
        /// The smallest.
        min: Option<i64>,
        /// The largest.
        max: Option<i64>,
    },
    /// A number.
    Number,
    /// True or false.
    Boolean,
    /// One of these texts.
    Enum(Vec<String>),
    /// A list of texts.
    List,
}

impl InputKind {
    /// The words of the language, in the order of the variants.
    pub(crate) const WORDS: [&'static str; 6] = ["string", "integer", "number", "boolean", "enum", "list"];

    /// The word in `type: …`.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Text => "string",
            Self::Integer { .. } => "integer",
            Self::Number => "number",
            Self::Boolean => "boolean",
            Self::Enum(_) => "enum",
            Self::List => "list",
        }
    }

    /// The type in JSON Schema.
    pub(crate) const fn json_type(&self) -> &'static str {
        match self {
            Self::Text | Self::Enum(_) => "string",
            Self::Integer { .. } => "integer",
            Self::Number => "number",
            Self::Boolean => "boolean",
            Self::List => "array",
        }
    }

    /// Why a value does not fit, if it does not.
    pub(crate) fn misfit(&self, value: &Value) -> Option<String> {
        match (self, value) {
            (Self::Text, Value::String(text)) => too_long(text),
            (Self::Boolean, Value::Bool(_)) | (Self::Number, Value::Number(_)) => None,
            (Self::Integer { min, max }, Value::Number(number)) if !number.is_f64() => {
                let Some(number) = number.as_i64() else {
                    return Some(format!("{number} does not fit 64 bits"));
                };
                if min.is_some_and(|min| number < min) {
                    return Some(format!("{number} is smaller than {}", min.unwrap_or(i64::MIN)));
                }
                let too_large = max.is_some_and(|max| number > max);
                too_large.then(|| format!("{number} is larger than {}", max.unwrap_or(i64::MAX)))
            }
            (Self::Enum(values), Value::String(text)) => {
                let known = values.iter().any(|value| value == text);
                (!known).then(|| format!("`{}` is not one of its values", crate::parse::shortened(text)))
            }
            (Self::List, Value::Array(items)) if items.len() > MAX_ITEMS => {
                Some(format!("{} items are more than {MAX_ITEMS}", items.len()))
            }
            (Self::List, Value::Array(items)) => items.iter().find_map(|item| match item {
                Value::String(text) => too_long(text),
                other => Some(format!("its items are texts, not {}", what(other))),
            }),
            (_, value) => Some(format!("{} is wanted, not {}", self.wanted(), what(value))),
        }
    }

    fn wanted(&self) -> &'static str {
        match self {
            Self::Text | Self::Enum(_) => "a text",
            Self::Integer { .. } => "a whole number",
            Self::Number => "a number",
            Self::Boolean => "true or false",
            Self::List => "a list of texts",
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Enum(values) => suggest::listed(&values.iter().map(String::as_str).collect::<Vec<_>>()),
            _ => None,
        }
    }
}

fn too_long(text: &str) -> Option<String> {
    (text.len() > MAX_TEXT).then(|| format!("{} bytes are more than {MAX_TEXT}", text.len()))
}

/// The type of a value: a word of JSON Schema.
pub(crate) fn json_type(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// What a value is, for people.
pub(crate) fn what(value: &Value) -> &'static str {
    match value {
        Value::Null => "nothing",
        Value::Bool(_) => "true or false",
        Value::Number(number) if number.is_f64() => "a number",
        Value::Number(_) => "a whole number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "a mapping",
    }
}

impl InputSpec {
    /// Reads what a person typed on a command line or in a form: `22`, `true`, `prod`, `a,b`.
    ///
    /// # Errors
    /// When the text does not stand for such a value.
    pub fn read(&self, text: &str) -> Result<Value, Box<Problem>> {
        let value = match &self.kind {
            InputKind::Text | InputKind::Enum(_) => Value::String(text.to_owned()),
            InputKind::List => list(text),
            InputKind::Integer { .. } | InputKind::Number | InputKind::Boolean => {
                serde_json::from_str(text.trim()).unwrap_or_else(|_| Value::String(text.to_owned()))
            }
        };
        match self.kind.misfit(&value) {
            None => Ok(value),
            Some(why) => Err(Box::new(self.problem(&why))),
        }
    }

    fn problem(&self, why: &str) -> Problem {
        problem(
            &codes::MISFIT_GIVEN,
            format!("input `{}`: {why}", self.name),
            self.kind.hint(),
        )
    }

    fn schema(&self) -> Value {
        let mut schema = Map::new();
        schema.insert("type".to_owned(), json!(self.kind.json_type()));
        if !self.description.is_empty() {
            schema.insert("description".to_owned(), json!(self.description));
        }
        if let Some(default) = &self.default {
            schema.insert("default".to_owned(), default.clone());
        }
        match &self.kind {
            InputKind::Enum(values) => {
                schema.insert("enum".to_owned(), json!(values));
            }
            InputKind::List => {
                schema.insert("items".to_owned(), json!({"type": "string"}));
            }
            InputKind::Integer { min, max } => {
                for (key, bound) in [("minimum", min), ("maximum", max)] {
                    if let Some(bound) = bound {
                        schema.insert(key.to_owned(), json!(bound));
                    }
                }
            }
            InputKind::Text | InputKind::Number | InputKind::Boolean => {}
        }
        Value::Object(schema)
    }
}

/// A JSON list, or texts with commas between them.
fn list(text: &str) -> Value {
    if text.trim_start().starts_with('[')
        && let Ok(list) = serde_json::from_str(text)
    {
        return list;
    }
    let items = text.split(',').map(str::trim).filter(|item| !item.is_empty());
    Value::Array(items.map(|item| Value::String(item.to_owned())).collect())
}

fn problem(code: &Code, message: String, hint: Option<String>) -> Problem {
    Problem {
        code: code.id.to_owned(),
        severity: Severity::Error,
        message,
        file: None,
        span: None,
        hint,
    }
}

/// Checks given inputs and fills in defaults: the inputs of a run, complete.
pub(crate) fn complete(specs: &[InputSpec], given: &Value) -> Result<Value, Vec<Problem>> {
    let empty = Map::new();
    let given = match given {
        Value::Object(given) => given,
        Value::Null => &empty,
        other => {
            let message = format!("inputs are given as a mapping, not as {}", what(other));
            return Err(vec![problem(&codes::MISFIT_GIVEN, message, None)]);
        }
    };
    let mut problems = Vec::new();
    for name in given
        .keys()
        .filter(|name| specs.iter().all(|spec| spec.name != **name))
    {
        let message = format!("there is no input `{}`", crate::parse::shortened(name));
        let hint = suggest::hint(name, specs.iter().map(|spec| spec.name.as_str()));
        problems.push(problem(&codes::UNKNOWN_GIVEN, message, hint));
    }
    let mut complete = Map::new();
    for spec in specs {
        let value = match (given.get(&spec.name), &spec.default) {
            (Some(value), _) => value,
            (None, Some(default)) => default,
            (None, None) => {
                let message = format!("input `{}` was not given", spec.name);
                let hint = (!spec.description.is_empty()).then(|| spec.description.clone());
                problems.push(problem(&codes::MISSING_GIVEN, message, hint));
                continue;
            }
        };
        match spec.kind.misfit(value) {
            Some(why) => problems.push(spec.problem(&why)),
            None => {
                complete.insert(spec.name.clone(), value.clone());
            }
        }
    }
    if problems.is_empty() {
        Ok(Value::Object(complete))
    } else {
        Err(problems)
    }
}

/// The JSON Schema of the inputs, for forms and for the API.
pub(crate) fn schema(specs: &[InputSpec]) -> Value {
    let properties: Map<String, Value> = specs
        .iter()
        .map(|spec| (spec.name.clone(), spec.schema()))
        .collect();
    let required: Vec<&str> = specs
        .iter()
        .filter(|spec| spec.default.is_none())
        .map(|spec| spec.name.as_str())
        .collect();
    json!({"type": "object", "properties": properties, "required": required, "additionalProperties": false})
}

#[cfg(test)]
mod tests;
