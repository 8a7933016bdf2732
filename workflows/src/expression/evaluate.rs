//! Expression + variables → value.
//!
//! 1. Only the variables that the expression names are looked up, each once.
//! 2. CEL evaluates with `&&` and `||` that absorb what cannot be evaluated: `false && unknown` is false. So when a
//!    value comes out, it does not depend on anything unknown; when none comes out and an unknown variable was
//!    asked for, the answer is that the value depends on it.
//! 3. What CEL hands out to loops is counted, so that no expression multiplies large lists with each other.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use cel::common::value::CowVal;
use cel::context::VariableResolver;
use cel::{Context, ExecutionError, Program};
use serde_json::{Map, Value};

use super::functions::environment;
use super::reference::{Reference, Root};
use super::scope::{Evaluated, Lookup, Scope};
use super::value::{NoValue, to_cel, to_json, weight};
use super::{Code, Expression, ExpressionError};
use crate::parse::shortened;
use crate::secret;

/// What the variables of one evaluation may weigh.
const MAX_VARIABLES: usize = 1024 * 1024;
/// What a result may weigh.
const MAX_RESULT: usize = 1024 * 1024;
/// What may be handed to the interpreter, counted each time.
const MAX_WORK: usize = 4 * 1024 * 1024;

/// See [`Expression::evaluate`].
pub(super) fn evaluate(expression: &Expression, scope: &dyn Scope) -> Result<Evaluated, ExpressionError> {
    let value = match &expression.code {
        Code::Secret(name) => return Ok(Evaluated::Value(secret::marker(name))),
        Code::Reference => {
            let Some(reference) = expression.references.first() else {
                return Err(ExpressionError::Missing(expression.source().to_owned()));
            };
            match look_up(reference, scope) {
                Found::Value(value) => value,
                Found::Unknown(what) => return Ok(Evaluated::DependsOn(what)),
                Found::NoOutputs => return Err(ExpressionError::NoOutputs(reference.key.clone())),
                Found::Missing => return Err(ExpressionError::Missing(reference.key.clone())),
                Found::Failed(error) => return Err(error),
            }
        }
        Code::Program(program) => match run(program, expression, scope)? {
            Evaluated::Value(value) => value,
            depends => return Ok(depends),
        },
    };
    match secret::reserved_key(&value) {
        None => Ok(Evaluated::Value(value)),
        Some(key) => {
            let (expression, key) = (expression.source().to_owned(), key.to_owned());
            Err(ExpressionError::Reserved { expression, key })
        }
    }
}

enum Found {
    Value(Value),
    Unknown(String),
    /// The step was skipped or failed.
    NoOutputs,
    Missing,
    Failed(ExpressionError),
}

fn look_up(reference: &Reference, scope: &dyn Scope) -> Found {
    let root = match &reference.root {
        Root::Inputs => scope.inputs(),
        Root::Step(step) => scope.step(step),
        Root::JobStep { job, step } => scope.job_step(job, step),
        Root::Server => scope.server(),
        Root::Run => scope.run(),
        Root::JobOutput {
            job,
            template: Some(template),
            ..
        } => match template.render(&JobScope { scope, job }) {
            Ok(Evaluated::Value(value)) => Lookup::Value(value),
            Ok(Evaluated::DependsOn(what)) => Lookup::Unknown(what),
            Err(error) => return Found::Failed(error),
        },
        Root::JobOutput { template: None, .. } | Root::Secret(_) => Lookup::Missing,
    };
    match root {
        Lookup::Unknown(what) => Found::Unknown(what),
        Lookup::Missing => Found::Missing,
        Lookup::Value(Value::Null) if !reference.path.is_empty() => Found::NoOutputs,
        Lookup::Value(value) => select(value, &reference.path),
    }
}

fn select(mut value: Value, path: &[String]) -> Found {
    for field in path {
        let found = match &mut value {
            Value::Object(fields) => fields.remove(field),
            _ => None,
        };
        match found {
            Some(found) => value = found,
            None => return Found::Missing,
        }
    }
    Found::Value(value)
}

/// The view from inside of another job, for the outputs that it declares.
struct JobScope<'a> {
    scope: &'a dyn Scope,
    job: &'a str,
}

impl Scope for JobScope<'_> {
    fn inputs(&self) -> Lookup {
        self.scope.inputs()
    }

    fn step(&self, step: &str) -> Lookup {
        self.scope.job_step(self.job, step)
    }

    fn job_step(&self, job: &str, step: &str) -> Lookup {
        self.scope.job_step(job, step)
    }

    fn server(&self) -> Lookup {
        self.scope.server()
    }

    fn run(&self) -> Lookup {
        self.scope.run()
    }
}

fn run(program: &Program, expression: &Expression, scope: &dyn Scope) -> Result<Evaluated, ExpressionError> {
    let too_large = || ExpressionError::TooLarge(shortened(expression.source()));
    let bindings = Bindings::new(&expression.references, scope);
    if bindings.bound.iter().map(|bound| bound.weight).sum::<usize>() > MAX_VARIABLES {
        return Err(too_large());
    }
    let mut context = Context::with_env(Arc::clone(environment()));
    context.set_variable_resolver(&bindings);
    // A panic of the interpreter must not take a worker down with all its other runs.
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        let value = cel::Value::resolve_val(program.expression(), &context)?;
        Ok(to_json(&*value, &mut MAX_RESULT.clone()))
    }));
    let outcome = outcome.unwrap_or_else(|_| {
        Err(ExecutionError::InternalError(
            "the interpreter gave up".to_owned(),
        ))
    });
    if bindings.exhausted.load(Ordering::Relaxed) {
        return Err(too_large());
    }
    match outcome {
        Ok(Ok(value)) => Ok(Evaluated::Value(value)),
        Ok(Err(NoValue::TooLarge)) => Err(too_large()),
        Ok(Err(NoValue::Type(kind))) => Err(ExpressionError::Failed {
            expression: shortened(expression.source()),
            why: format!("a value of type `{kind}` cannot be used outside of expressions"),
        }),
        Err(error) => bindings.explain(expression, &error),
    }
}

/// The variables of one evaluation, in the order of the expression's references.
struct Bindings<'a> {
    references: &'a [Reference],
    bound: Vec<Bound>,
    /// What may still be handed out.
    work: AtomicUsize,
    exhausted: AtomicBool,
}

struct Bound {
    found: Found,
    weight: usize,
    /// Whether the interpreter asked for it.
    asked: AtomicBool,
}

impl<'a> Bindings<'a> {
    fn new(references: &'a [Reference], scope: &dyn Scope) -> Self {
        let bind = |reference: &Reference| {
            let mut found = look_up(reference, scope);
            let is_null = matches!(found, Found::NoOutputs | Found::Value(Value::Null));
            if reference.tested && is_null {
                found = Found::Value(Value::Object(Map::new()));
            }
            let weight = if let Found::Value(value) = &found {
                weight(value)
            } else {
                0
            };
            Bound {
                found,
                weight,
                asked: AtomicBool::new(false),
            }
        };
        Self {
            references,
            bound: references.iter().map(bind).collect(),
            work: AtomicUsize::new(MAX_WORK),
            exhausted: AtomicBool::new(false),
        }
    }

    /// Why there is no value: because of the first variable that has none, else because of the interpreter's error.
    fn explain(&self, expression: &Expression, error: &ExecutionError) -> Result<Evaluated, ExpressionError> {
        let asked = || {
            let all = self.references.iter().zip(&self.bound);
            all.filter(|(_, bound)| bound.asked.load(Ordering::Relaxed))
        };
        for (_, bound) in asked() {
            if let Found::Unknown(what) = &bound.found {
                return Ok(Evaluated::DependsOn(what.clone()));
            }
        }
        for (reference, bound) in asked() {
            match &bound.found {
                Found::Failed(error) => return Err(error.clone()),
                Found::Missing => return Err(ExpressionError::Missing(reference.key.clone())),
                Found::NoOutputs => return Err(ExpressionError::NoOutputs(reference.key.clone())),
                Found::Value(_) | Found::Unknown(_) => {}
            }
        }
        Err(ExpressionError::Failed {
            expression: shortened(expression.source()),
            why: describe(error),
        })
    }
}

static NULL: Value = Value::Null;

impl VariableResolver for Bindings<'_> {
    fn resolve<'b>(&'b self, variable: &str) -> Option<CowVal<'b, 'b>> {
        let at = self
            .references
            .iter()
            .position(|reference| reference.key == variable)?;
        let bound = self.bound.get(at)?;
        bound.asked.store(true, Ordering::Relaxed);
        let spend = |left: usize| left.checked_sub(bound.weight);
        if self
            .work
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, spend)
            .is_err()
        {
            self.exhausted.store(true, Ordering::Relaxed);
            return None;
        }
        match &bound.found {
            Found::Value(value) => Some(CowVal::Owned(to_cel(value))),
            Found::NoOutputs => Some(CowVal::Owned(to_cel(&NULL))),
            Found::Unknown(_) | Found::Missing | Found::Failed(_) => None,
        }
    }
}

/// The interpreter's error for people; never longer than a line, since it may quote values.
fn describe(error: &ExecutionError) -> String {
    let text = match error {
        ExecutionError::NoSuchKey(key) => format!("there is no `{key}`"),
        ExecutionError::DivisionByZero(_) | ExecutionError::RemainderByZero(_) => {
            "division by zero".to_owned()
        }
        ExecutionError::IndexOutOfBounds(_) => "the index is out of bounds".to_owned(),
        ExecutionError::Overflow(..) => "the number is too large".to_owned(),
        ExecutionError::FunctionError { function, message } => format!("`{function}`: {message}"),
        ExecutionError::NoSuchOverload(error) => {
            let operator = error.function().trim_matches('_').replace("[_]", "[ ]");
            format!(
                "`{operator}` does not work on {}",
                error.argument_types().join(" and ")
            )
        }
        ExecutionError::UnsupportedBinaryOperator(operator, ..) => {
            format!("`{operator}` does not work on such values")
        }
        other => other.to_string(),
    };
    shortened(&text)
}
