//! Expressions: CEL (the Common Expression Language) between `${{` and `}}`.
//!
//! They are compiled once, when a document is checked, and evaluated many times: only the variables that an
//! expression names are looked up, and one that is a bare variable never reaches the interpreter. Evaluation is
//! pure, bounded, and gives the same value for the same variables at all times. It never sees a secret.

mod analyse;
mod compile;
mod error;
mod evaluate;
mod functions;
mod guard;
mod object;
mod reference;
mod scan;
mod scope;
mod value;

use std::fmt;
use std::sync::Arc;

use cel::Program;
use clawd_model::SecretName;

pub(crate) use compile::{Fault, compile, trimmed};
pub use error::ExpressionError;
pub(crate) use reference::{Reference, Root};
pub(crate) use scan::end;
pub use scope::{Evaluated, Lookup, Scope, Truth};

use crate::Template;

/// A compiled expression. Cheap to clone.
#[derive(Clone)]
pub struct Expression {
    source: Arc<str>,
    code: Code,
    references: Arc<[Reference]>,
    /// The type of the value, when the form of the expression tells it: a word of JSON Schema.
    result: Option<&'static str>,
}

#[derive(Clone)]
enum Code {
    /// `secrets.NAME`.
    Secret(SecretName),
    /// Nothing but one variable.
    Reference,
    /// Anything else.
    Program(Arc<Program>),
}

impl Expression {
    /// The text between `${{` and `}}`, without the white space around it.
    #[must_use]
    pub fn source(&self) -> &str {
        self.source.trim()
    }

    /// The value, as far as it is known.
    ///
    /// # Errors
    /// When it has none; see [`ExpressionError`].
    pub fn evaluate(&self, scope: &dyn Scope) -> Result<Evaluated, ExpressionError> {
        evaluate::evaluate(self, scope)
    }

    /// Whether the condition holds, as far as that is known.
    ///
    /// # Errors
    /// When it has no value, or another one than true or false.
    pub fn holds(&self, scope: &dyn Scope) -> Result<Truth, ExpressionError> {
        match self.evaluate(scope)? {
            Evaluated::DependsOn(what) => Ok(Truth::DependsOn(what)),
            Evaluated::Value(serde_json::Value::Bool(true)) => Ok(Truth::True),
            Evaluated::Value(serde_json::Value::Bool(false)) => Ok(Truth::False),
            Evaluated::Value(other) => Err(ExpressionError::NotACondition {
                expression: self.source().to_owned(),
                found: crate::inputs::what(&other),
            }),
        }
    }

    /// The secret that it passes on, if it does.
    pub(crate) fn secret(&self) -> Option<&SecretName> {
        match &self.code {
            Code::Secret(name) => Some(name),
            Code::Reference | Code::Program(_) => None,
        }
    }

    /// The only variable, when the expression is nothing else.
    pub(crate) fn sole_reference(&self) -> Option<&Reference> {
        match &self.code {
            Code::Reference => self.references.first(),
            Code::Secret(_) | Code::Program(_) => None,
        }
    }

    /// The type of its value, when its form tells it.
    pub(crate) const fn result(&self) -> Option<&'static str> {
        self.result
    }

    /// All variables that it names.
    pub(crate) fn references(&self) -> &[Reference] {
        &self.references
    }

    /// Fills in the outputs of other jobs, once these are known.
    pub(crate) fn link(&mut self, output: &dyn Fn(&str, &str) -> Option<Template>) {
        let is_output = |reference: &Reference| matches!(reference.root, Root::JobOutput { .. });
        if !self.references.iter().any(is_output) {
            return;
        }
        let mut references = self.references.to_vec();
        for reference in &mut references {
            if let Root::JobOutput {
                job,
                output: name,
                template,
            } = &mut reference.root
            {
                *template = output(job, name);
            }
        }
        self.references = references.into();
    }
}

impl fmt::Debug for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "${{{{ {} }}}}", self.source())
    }
}

#[cfg(test)]
mod tests;
