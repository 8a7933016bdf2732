//! Values with expressions inside: what a step's `with` is. Parts without expressions are kept as they are, so that
//! a template without any costs one copy.

use std::sync::Arc;

use clawd_model::SecretName;
use serde_json::{Map, Value};

use crate::expression::{Evaluated, Expression, ExpressionError, Scope, end};
use crate::secret;

/// A value with expressions inside. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Template {
    part: Arc<Part>,
}

#[derive(Debug)]
pub(crate) enum Part {
    Constant(Value),
    /// A text that is one expression: the value keeps its type.
    Whole(Expression),
    /// Texts and expressions in turn: always a text.
    Text(Vec<Segment>),
    List(Vec<Part>),
    Map(Vec<(String, Part)>),
}

#[derive(Debug)]
pub(crate) enum Segment {
    Text(String),
    Expression(Expression),
}

impl Default for Template {
    /// An empty mapping.
    fn default() -> Self {
        Self::new(Part::Constant(Value::Object(Map::new())))
    }
}

impl Template {
    pub(crate) fn new(part: Part) -> Self {
        Self { part: Arc::new(part) }
    }

    /// The value, when no expression stands in it.
    #[must_use]
    pub fn as_constant(&self) -> Option<&Value> {
        match &*self.part {
            Part::Constant(value) => Some(value),
            _ => None,
        }
    }

    /// The value with all expressions evaluated, as far as it is known. Secrets become markers ([`crate::secret`]).
    ///
    /// # Errors
    /// When an expression has no value.
    pub fn render(&self, scope: &dyn Scope) -> Result<Evaluated, ExpressionError> {
        self.part.render(scope)
    }

    /// The secrets that it passes on.
    #[must_use]
    pub fn secrets(&self) -> Vec<SecretName> {
        let mut names = Vec::new();
        self.part
            .each_expression(&mut |expression| names.extend(expression.secret().cloned()));
        names
    }
}

impl Part {
    /// Calls `visit` with each expression.
    pub(crate) fn each_expression(&self, visit: &mut dyn FnMut(&Expression)) {
        match self {
            Self::Constant(_) => {}
            Self::Whole(expression) => visit(expression),
            Self::Text(segments) => {
                for segment in segments {
                    if let Segment::Expression(expression) = segment {
                        visit(expression);
                    }
                }
            }
            Self::List(parts) => parts.iter().for_each(|part| part.each_expression(visit)),
            Self::Map(parts) => parts.iter().for_each(|(_, part)| part.each_expression(visit)),
        }
    }

    fn render(&self, scope: &dyn Scope) -> Result<Evaluated, ExpressionError> {
        let value = match self {
            Self::Constant(value) => value.clone(),
            Self::Whole(expression) => return expression.evaluate(scope),
            Self::Text(segments) => return text(segments, scope),
            Self::List(parts) => {
                let mut items = Vec::with_capacity(parts.len());
                for part in parts {
                    match part.render(scope)? {
                        Evaluated::Value(value) => items.push(value),
                        depends => return Ok(depends),
                    }
                }
                Value::Array(items)
            }
            Self::Map(parts) => {
                let mut fields = Map::new();
                for (key, part) in parts {
                    match part.render(scope)? {
                        Evaluated::Value(value) => fields.insert(key.clone(), value),
                        depends => return Ok(depends),
                    };
                }
                Value::Object(fields)
            }
        };
        Ok(Evaluated::Value(value))
    }
}

/// Joins texts and values; with a secret among them, the result is a list for the worker to join.
fn text(segments: &[Segment], scope: &dyn Scope) -> Result<Evaluated, ExpressionError> {
    let mut parts: Vec<Value> = Vec::new();
    let mut text = String::new();
    for segment in segments {
        let expression = match segment {
            Segment::Text(constant) => {
                text.push_str(constant);
                continue;
            }
            Segment::Expression(expression) => expression,
        };
        match expression.evaluate(scope)? {
            Evaluated::DependsOn(what) => return Ok(Evaluated::DependsOn(what)),
            Evaluated::Value(value) if expression.secret().is_some() => {
                if !text.is_empty() {
                    parts.push(Value::String(std::mem::take(&mut text)));
                }
                parts.push(value);
            }
            Evaluated::Value(Value::String(value)) => text.push_str(&value),
            Evaluated::Value(value @ (Value::Bool(_) | Value::Number(_))) => {
                text.push_str(&value.to_string())
            }
            Evaluated::Value(other) => {
                let expression = expression.source().to_owned();
                return Err(ExpressionError::NotText {
                    expression,
                    found: crate::inputs::what(&other),
                });
            }
        }
    }
    if parts.is_empty() {
        return Ok(Evaluated::Value(Value::String(text)));
    }
    if !text.is_empty() {
        parts.push(Value::String(text));
    }
    Ok(Evaluated::Value(serde_json::json!({secret::CONCAT: parts})))
}

/// One piece of a text: `begin` is the byte at which it stands in it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Piece<'t> {
    pub(crate) begin: usize,
    pub(crate) text: &'t str,
    pub(crate) is_expression: bool,
}

/// Where a `${{` stands that nothing ends.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Unclosed(pub(crate) usize);

pub(crate) const OPENING: &str = "${{";
pub(crate) const CLOSING: &str = "}}";

/// Splits a text at its expressions.
pub(crate) fn split(text: &str) -> Result<Vec<Piece<'_>>, Unclosed> {
    let mut pieces = Vec::new();
    let mut at = 0;
    while let Some(found) = text.get(at..).and_then(|rest| rest.find(OPENING)) {
        let opening = at + found;
        let begin = opening + OPENING.len();
        let inner = text.get(begin..).unwrap_or("");
        let length = end(inner).ok_or(Unclosed(opening))?;
        if let Some(before) = text.get(at..opening).filter(|before| !before.is_empty()) {
            pieces.push(Piece {
                begin: at,
                text: before,
                is_expression: false,
            });
        }
        pieces.push(Piece {
            begin,
            text: inner.get(..length).unwrap_or(""),
            is_expression: true,
        });
        at = begin + length + CLOSING.len();
    }
    if let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        pieces.push(Piece {
            begin: at,
            text: rest,
            is_expression: false,
        });
    }
    Ok(pieces)
}
