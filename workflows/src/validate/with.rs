//! `uses` and `with`: the operation exists, can run where the job runs, and is given what its schema asks for.

use clawd_model::{OperationSpec, Scope, SourceSpan};

use super::compiler::{Compiler, Lanes, Place, Types};
use crate::codes;
use crate::parse::{Kind, Node, beginning, wrong};
use crate::runbook::DeclaredStep;
use crate::schema_check::{Checker, Dynamic, MisfitKind};
use crate::suggest;
use crate::template::{OPENING, Template};

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
        }
        template
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
