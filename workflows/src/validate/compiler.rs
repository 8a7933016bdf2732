//! Compiles the expressions of a document, each in its place: what it may name depends on where it stands.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};

use clawd_model::{OperationName, OperationSpec, StepName};
use serde_json::Value;

use super::graph::Graph;
use super::place::Written;
use crate::expression::{self, Evaluated, Expression, Fault, Lookup, Scope};
use crate::parse::{Kind, Lines, Node};
use crate::problems::Problems;
use crate::runbook::{DeclaredTarget, Runbook};
use crate::template::{OPENING, Part, Segment, split};
use crate::{Template, codes, inputs, secret};

/// A document with more is generated to keep the checker busy.
const MAX_EXPRESSIONS: usize = 2000;

/// Where an expression stands.
pub(super) struct Place {
    /// The job, unless it is the whole runbook.
    pub(super) job: Option<usize>,
    /// Steps of the job before this one have outputs that it can use.
    pub(super) steps_before: usize,
    /// Whether it is evaluated in a lane. The condition of a job is not: it is evaluated once.
    pub(super) in_lane: bool,
    /// Whether secrets may be passed on here.
    pub(super) secrets: bool,
    /// Whether the outputs that other jobs declare can be used.
    pub(super) outputs: bool,
}

impl Place {
    pub(super) const fn lock() -> Self {
        Self {
            job: None,
            steps_before: 0,
            in_lane: false,
            secrets: false,
            outputs: false,
        }
    }

    pub(super) const fn job(job: usize) -> Self {
        Self {
            job: Some(job),
            steps_before: 0,
            in_lane: false,
            secrets: false,
            outputs: true,
        }
    }

    pub(super) const fn step(job: usize, steps_before: usize) -> Self {
        Self {
            job: Some(job),
            steps_before,
            in_lane: true,
            secrets: false,
            outputs: true,
        }
    }

    /// The outputs of a job; they cannot use other outputs, so that evaluating one never leads far.
    pub(super) const fn output(job: usize, steps: usize) -> Self {
        Self {
            job: Some(job),
            steps_before: steps,
            in_lane: true,
            secrets: false,
            outputs: false,
        }
    }

    pub(super) const fn with_secrets(self) -> Self {
        Self {
            secrets: true,
            ..self
        }
    }
}

/// Where a job works, as far as that could be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lanes {
    Controller,
    Servers,
    Unknown,
}

/// The type of a text with expressions, by where the text begins.
pub(super) type Types = BTreeMap<usize, Option<&'static str>>;

/// An output that a job declares.
#[derive(Clone)]
pub(super) struct Output {
    pub(super) template: Template,
    /// Its type, if that is known.
    pub(super) known: Option<&'static str>,
}

/// Everything that is known while expressions are compiled.
pub(super) struct Compiler<'a> {
    pub(super) runbook: &'a Runbook,
    pub(super) specs: &'a BTreeMap<OperationName, OperationSpec>,
    pub(super) graph: &'a Graph,
    pub(super) names: &'a [Vec<StepName>],
    pub(super) lines: &'a Lines<'a>,
    pub(super) problems: &'a Problems,
    /// The outputs of jobs that were compiled already.
    outputs: RefCell<BTreeMap<(usize, String), Output>>,
    used_inputs: RefCell<BTreeSet<String>>,
    uses_all_inputs: Cell<bool>,
    expressions: Cell<usize>,
}

impl<'a> Compiler<'a> {
    pub(super) fn new(
        runbook: &'a Runbook,
        specs: &'a BTreeMap<OperationName, OperationSpec>,
        graph: &'a Graph,
        names: &'a [Vec<StepName>],
        lines: &'a Lines<'a>,
        problems: &'a Problems,
    ) -> Self {
        Self {
            runbook,
            specs,
            graph,
            names,
            lines,
            problems,
            outputs: RefCell::default(),
            used_inputs: RefCell::default(),
            uses_all_inputs: Cell::new(false),
            expressions: Cell::new(0),
        }
    }

    /// Where a job works: its own targets, else the runbook's.
    pub(super) fn lanes(&self, job: usize) -> Lanes {
        let own = self.runbook.jobs.get(job).and_then(|job| job.targets.as_ref());
        match own
            .or(self.runbook.targets.as_ref())
            .map(|targets| &targets.value)
        {
            Some(DeclaredTarget::Controller) => Lanes::Controller,
            Some(DeclaredTarget::Servers(_)) => Lanes::Servers,
            Some(DeclaredTarget::Broken) | None => Lanes::Unknown,
        }
    }

    pub(super) fn use_input(&self, name: &str) {
        self.used_inputs.borrow_mut().insert(name.to_owned());
    }

    pub(super) fn use_all_inputs(&self) {
        self.uses_all_inputs.set(true);
    }

    pub(super) fn uses_input(&self, name: &str) -> bool {
        self.uses_all_inputs.get() || self.used_inputs.borrow().contains(name)
    }

    pub(super) fn put_output(&self, job: usize, name: &str, output: Output) {
        self.outputs.borrow_mut().insert((job, name.to_owned()), output);
    }

    pub(super) fn output(&self, job: usize, name: &str) -> Option<Output> {
        self.outputs.borrow().get(&(job, name.to_owned())).cloned()
    }

    /// Compiles a value with expressions inside. The types of texts that hold expressions are noted in `types`.
    pub(super) fn template(&self, node: &Node, place: &Place, types: &mut Types) -> Part {
        match &node.kind {
            Kind::Text(text) if text.contains(OPENING) => self.text(node, text, place, types),
            Kind::List(items) => {
                let parts = items
                    .iter()
                    .map(|item| self.template(item, place, types))
                    .collect();
                flatten(Part::List(parts))
            }
            Kind::Map(entries) => {
                let mut parts = Vec::with_capacity(entries.len());
                for entry in entries {
                    if secret::is_reserved(&entry.key.value) {
                        let message = format!("`{}` is written by the engine only", entry.key.value);
                        let hint = "a secret is written `${{ secrets.NAME }}`".to_owned();
                        self.problems
                            .error_with_hint(&codes::RESERVED_MARKER, entry.key.span, message, hint);
                    }
                    parts.push((entry.key.value.clone(), self.template(&entry.value, place, types)));
                }
                flatten(Part::Map(parts))
            }
            _ => Part::Constant(node.to_value()),
        }
    }

    fn text(&self, node: &Node, text: &str, place: &Place, types: &mut Types) -> Part {
        let written = Written::new(self.lines, node.span, text);
        types.insert(node.span.start, None);
        let pieces = match split(text) {
            Ok(pieces) => pieces,
            Err(unclosed) => {
                let range = unclosed.0..unclosed.0 + OPENING.len();
                let message = "the expression does not end: there is no `}}`".to_owned();
                let hint = "look for a missing quote; a literal `${{` is written `${{ '${{' }}`".to_owned();
                self.problems
                    .error_with_hint(&codes::UNCLOSED, written.place(&range, &range), message, hint);
                return Part::Constant(Value::Null);
            }
        };
        if let [only] = pieces.as_slice() {
            let compiled = self.expression(only.text, only.begin, &written, place);
            types.insert(node.span.start, compiled.as_ref().and_then(|(_, known)| *known));
            return compiled.map_or(Part::Constant(Value::Null), |(expression, _)| {
                Part::Whole(expression)
            });
        }
        types.insert(node.span.start, Some("string"));
        let segment = |piece: &crate::template::Piece<'_>| {
            if !piece.is_expression {
                return Some(Segment::Text(piece.text.to_owned()));
            }
            let (expression, _) = self.expression(piece.text, piece.begin, &written, place)?;
            Some(Segment::Expression(expression))
        };
        Part::Text(pieces.iter().filter_map(segment).collect())
    }

    /// Compiles one expression and checks what it names; gives its type too, if that is known.
    pub(super) fn expression(
        &self,
        source: &str,
        begin: usize,
        written: &Written<'_>,
        place: &Place,
    ) -> Option<(Expression, Option<&'static str>)> {
        self.expressions.set(self.expressions.get() + 1);
        let whole = begin..begin + source.len();
        let report = |fault: Fault| {
            let part = begin + fault.range.start..begin + fault.range.end;
            self.problems.error_with_hint(
                fault.code,
                written.place(&whole, &part),
                fault.message,
                fault.hint,
            );
        };
        if self.expressions.get() > MAX_EXPRESSIONS {
            if self.expressions.get() == MAX_EXPRESSIONS + 1 {
                let message = format!("the runbook has more than {MAX_EXPRESSIONS} expressions");
                report(Fault {
                    code: &codes::TOO_DEEP,
                    message,
                    hint: None,
                    range: expression::trimmed(source),
                });
            }
            return None;
        }
        let mut expression = match expression::compile(source) {
            Ok(expression) => expression,
            Err(faults) => {
                faults.into_iter().for_each(report);
                return None;
            }
        };
        let mut known = expression.result();
        let mut sound = true;
        for reference in expression.references() {
            match self.check_reference(reference, place) {
                Ok(kind) if expression.sole_reference().is_some() => known = kind,
                Ok(_) => {}
                Err(fault) => {
                    sound = false;
                    report(*fault);
                }
            }
        }
        if sound
            && expression.references().is_empty()
            && let Err(error) = constant(&expression).map(|value| known = Some(value))
        {
            sound = false;
            let range = expression::trimmed(source);
            report(Fault {
                code: &codes::EXPRESSION_SYNTAX,
                message: error,
                hint: None,
                range,
            });
        }
        expression.link(&|job, output| {
            self.output(self.job_index(job)?, output)
                .map(|output| output.template)
        });
        sound.then_some((expression, known))
    }

    pub(super) fn job_index(&self, name: &str) -> Option<usize> {
        self.runbook
            .jobs
            .iter()
            .position(|job| job.name.value.as_str() == name)
    }
}

/// A constant is evaluated while checking: what is wrong with it is wrong in every run.
fn constant(expression: &Expression) -> Result<&'static str, String> {
    match expression.evaluate(&Nothing) {
        Ok(Evaluated::Value(value)) => Ok(inputs::json_type(&value)),
        Ok(Evaluated::DependsOn(what)) => Err(format!("the value depends on {what}")),
        Err(error) => Err(error.to_string()),
    }
}

/// A scope without variables.
struct Nothing;

impl Scope for Nothing {
    fn inputs(&self) -> Lookup {
        Lookup::Missing
    }

    fn step(&self, _step: &str) -> Lookup {
        Lookup::Missing
    }

    fn job_step(&self, _job: &str, _step: &str) -> Lookup {
        Lookup::Missing
    }

    fn server(&self) -> Lookup {
        Lookup::Missing
    }

    fn run(&self) -> Lookup {
        Lookup::Missing
    }
}

/// A list or mapping of constants is a constant.
fn flatten(part: Part) -> Part {
    let is_constant = |part: &Part| matches!(part, Part::Constant(_));
    let value = |part: Part| {
        if let Part::Constant(value) = part {
            value
        } else {
            Value::Null
        }
    };
    match part {
        Part::List(parts) if parts.iter().all(is_constant) => {
            Part::Constant(Value::Array(parts.into_iter().map(value).collect()))
        }
        Part::Map(parts) if parts.iter().all(|(_, part)| is_constant(part)) => Part::Constant(Value::Object(
            parts.into_iter().map(|(key, part)| (key, value(part))).collect(),
        )),
        other => other,
    }
}
