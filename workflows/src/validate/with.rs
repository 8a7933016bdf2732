//! `uses` and `with`: the operation exists, can run where the job runs, and is given what its schema asks for.

use clawd_model::{OperationSpec, Scope, SourceSpan};

use super::compiler::{Compiler, Lanes, Place, Types};
use super::place::Written;
use crate::codes;
use crate::expression;
use crate::parse::{Kind, Node, beginning, wrong};
use crate::runbook::DeclaredStep;
use crate::schema_check::{Checker, Dynamic, MisfitKind};
use crate::suggest;
use crate::template::{OPENING, Template, split};

impl Compiler<'_> {
    /// The description of a step's operation; reports why there is none.
    pub(super) fn operation(&self, step: &DeclaredStep, job: usize) -> Option<&OperationSpec> {
        let uses = step.uses.as_ref()?;
        let Some(spec) = self.specs.get(&uses.value) else {
            let message = format!("there is no operation `{}`", uses.value);
            let hint = self.operation_hint(uses.value.as_str(), uses.value.action());
            self.problems
                .error_with_hint(&codes::UNKNOWN_OPERATION, uses.span, message, hint);
            return None;
        };
        if spec.scope == Scope::Server && self.lanes(job) == Lanes::Controller {
            let message = format!(
                "`{}` takes place on a server, and this job works from the controller",
                spec.name
            );
            let hint = "put the step into a job with servers".to_owned();
            self.problems
                .error_with_hint(&codes::NEEDS_SERVER, uses.span, message, hint);
        }
        Some(spec)
    }

    fn operation_hint(&self, name: &str, action: &str) -> Option<String> {
        let versions: Vec<&str> = self
            .specs
            .keys()
            .filter(|known| known.action() == action)
            .map(|known| known.as_str())
            .collect();
        suggest::listed(&versions)
            .or_else(|| suggest::hint(name, self.specs.keys().map(|known| known.as_str())))
    }

    /// Compiles `with`, and checks it against the operation's schema.
    pub(super) fn with(&self, step: &DeclaredStep, spec: Option<&OperationSpec>, place: &Place) -> Template {
        let head = step.uses.as_ref().map_or(beginning(step.span), |uses| uses.span);
        let nothing = Node {
            kind: Kind::Map(Vec::new()),
            span: head,
        };
        let node = match &step.with {
            Some(
                node @ Node {
                    kind: Kind::Map(_), ..
                },
            ) => node,
            Some(other) => {
                wrong::<()>(other, "`with` is a mapping", None, self.problems);
                return Template::default();
            }
            None => &nothing,
        };
        let mut types = Types::new();
        let template = Template::new(self.template(node, place, &mut types));
        if let Some(spec) = spec {
            self.check_input(node, spec, &types, step.with.is_none().then_some(head));
            self.check_secrets(node, spec);
        }
        template
    }

    /// Secrets stand only in the fields that the operation opens to them.
    fn check_secrets(&self, node: &Node, spec: &OperationSpec) {
        let Kind::Map(entries) = &node.kind else { return };
        for entry in entries
            .iter()
            .filter(|entry| !spec.takes_secret(&entry.key.value))
        {
            self.refuse_secrets(&entry.value, &entry.key.value, spec);
        }
    }

    fn refuse_secrets(&self, node: &Node, field: &str, spec: &OperationSpec) {
        match &node.kind {
            Kind::Text(text) => {
                // What cannot be split or compiled was reported where it stands.
                let pieces = split(text).unwrap_or_default();
                let written = Written::new(self.lines, node.span, text);
                for piece in pieces.iter().filter(|piece| piece.is_expression) {
                    let whole = piece.begin..piece.begin + piece.text.len();
                    let Ok(expression) = expression::compile(piece.text) else {
                        continue;
                    };
                    let Some(secret) = expression.secret() else {
                        continue;
                    };
                    let message = format!(
                        "`{}` takes no secret in `{field}`, and `secrets.{secret}` is one",
                        spec.name
                    );
                    let hint = match taken(spec) {
                        Some(fields) => format!("it takes secrets in {fields} only"),
                        None => {
                            "it takes no secrets at all: what it is given can be seen by others".to_owned()
                        }
                    };
                    let inner = expression::trimmed(piece.text);
                    let part = piece.begin + inner.start..piece.begin + inner.end;
                    self.problems.error_with_hint(
                        &codes::SECRET_NOT_TAKEN,
                        written.place(&whole, &part),
                        message,
                        hint,
                    );
                }
            }
            Kind::List(items) => items
                .iter()
                .for_each(|item| self.refuse_secrets(item, field, spec)),
            Kind::Map(entries) => {
                for entry in entries {
                    self.refuse_secrets(&entry.value, field, spec);
                }
            }
            _ => {}
        }
    }

    fn check_input(&self, node: &Node, spec: &OperationSpec, types: &Types, instead: Option<SourceSpan>) {
        let dynamic = |node: &Node| match &node.kind {
            Kind::Text(text) if text.contains(OPENING) => {
                Dynamic::Yes(types.get(&node.span.start).copied().flatten())
            }
            _ => Dynamic::No,
        };
        for misfit in Checker::new(&spec.input, &dynamic).check(node, &format!("`{}`", spec.name)) {
            let code = match misfit.kind {
                MisfitKind::Missing => &codes::MISSING_PROPERTY,
                MisfitKind::Unknown => &codes::UNKNOWN_PROPERTY,
                MisfitKind::Value => &codes::MISFIT,
                MisfitKind::Expression => &codes::EXPRESSION_MISFIT,
            };
            let span = instead.unwrap_or(misfit.span);
            self.problems
                .error_with_hint(code, span, misfit.message, misfit.hint);
        }
    }
}

/// The fields that take secrets, for people.
fn taken(spec: &OperationSpec) -> Option<String> {
    let shapes = spec
        .input
        .get("properties")
        .and_then(serde_json::Value::as_object)?;
    let fields: Vec<String> = shapes
        .keys()
        .filter(|field| spec.takes_secret(field))
        .map(|field| format!("`{field}`"))
        .collect();
    (!fields.is_empty()).then(|| fields.join(" and "))
}
