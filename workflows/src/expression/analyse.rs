//! Walks the parsed expression: which variables and functions it names, and whether it stays within the language.

use cel::common::ast::{ComprehensionExpr, EntryExpr, Expr, IdedExpr, LiteralValue};

use super::compile::Fault;
use super::functions;
use super::reference::{NotAReference, ROOTS, Reference, Root};
use crate::codes;
use crate::suggest;

/// Deeper expressions could exhaust the stack of whoever evaluates them.
const MAX_DEPTH: usize = 48;
/// Loops inside of loops multiply.
const MAX_LOOPS: usize = 2;
/// Variables that the expansion of loops makes up.
const INTERNAL: char = '@';

/// What an expression is made of.
#[derive(Default)]
pub(super) struct Analysis {
    pub(super) references: Vec<Reference>,
    pub(super) faults: Vec<Fault>,
    /// Whether the whole expression is one reference.
    pub(super) is_reference: bool,
    /// The type of the result, when the expression's form tells it: a word of JSON Schema.
    pub(super) result: Option<&'static str>,
}

/// Looks through an expression.
pub(super) fn analyse(root: &IdedExpr, source: &str, begin_of: &dyn Fn(u64) -> usize) -> Analysis {
    let mut walk = Walk {
        source,
        begin_of,
        bound: Vec::new(),
        loops: 0,
        analysis: Analysis::default(),
    };
    walk.visit(root, 0);
    let mut analysis = walk.analysis;
    analysis.result = result(root);
    analysis.is_reference =
        chain(root).is_some() && analysis.references.len() == 1 && analysis.faults.is_empty();
    let has_secret = analysis
        .references
        .iter()
        .find(|reference| matches!(reference.root, Root::Secret(_)));
    if let (Some(secret), false) = (has_secret, analysis.is_reference) {
        let message = format!("the secret `{}` can only be passed on as it is", secret.key);
        let hint = format!(
            "write `${{{{ {} }}}}` on its own; text may stand around it",
            secret.key
        );
        let range = secret.offset..secret.offset + secret.key.len();
        analysis.faults.push(Fault {
            code: &codes::SECRET_MISUSE,
            message,
            hint: Some(hint),
            range,
        });
    }
    analysis
}

struct Walk<'a> {
    source: &'a str,
    begin_of: &'a dyn Fn(u64) -> usize,
    /// Names that loops bind.
    bound: Vec<String>,
    loops: usize,
    analysis: Analysis,
}

impl Walk<'_> {
    fn fault(
        &mut self,
        code: &'static codes::Code,
        message: String,
        hint: Option<String>,
        at: usize,
        length: usize,
    ) {
        let end = (at + length).min(self.source.len());
        self.analysis.faults.push(Fault {
            code,
            message,
            hint,
            range: at.min(end)..end,
        });
    }

    fn visit(&mut self, expr: &IdedExpr, depth: usize) {
        if depth > MAX_DEPTH {
            if self
                .analysis
                .faults
                .iter()
                .all(|fault| fault.code != &codes::EXPRESSION_TOO_LARGE)
            {
                let message = format!("the expression is nested more than {MAX_DEPTH} levels deep");
                self.fault(&codes::EXPRESSION_TOO_LARGE, message, None, 0, self.source.len());
            }
            return;
        }
        let below = depth + 1;
        match &expr.expr {
            Expr::Unspecified | Expr::Literal(_) => {}
            Expr::Ident(_) => self.name(expr, false, None),
            Expr::Select(select) if select.test && chain(&select.operand).is_some() => {
                self.name(&select.operand, true, None);
            }
            Expr::Select(select) if select.test || chain(expr).is_none() => {
                self.visit(&select.operand, below)
            }
            Expr::Select(_) => self.name(expr, false, None),
            Expr::Call(call) => {
                let begin = (self.begin_of)(expr.id);
                self.function(&call.func_name, call.target.is_some(), begin);
                if let Some(target) = &call.target {
                    self.visit(target, below);
                }
                match call.args.as_slice() {
                    [indexed, index] if call.func_name == "_[_]" && chain(indexed).is_some() => {
                        self.name(indexed, false, literal_text(index));
                        self.visit(index, below);
                    }
                    args => args.iter().for_each(|arg| self.visit(arg, below)),
                }
            }
            Expr::List(list) => list
                .elements
                .iter()
                .for_each(|element| self.visit(element, below)),
            Expr::Map(map) => {
                let begin = (self.begin_of)(expr.id);
                let hint = "write the mapping in YAML, with an expression for each value".to_owned();
                let message = "an expression cannot make a mapping".to_owned();
                self.fault(&codes::EXPRESSION_SYNTAX, message, Some(hint), begin, 1);
                for entry in &map.entries {
                    if let EntryExpr::MapEntry(entry) = &entry.expr {
                        self.visit(&entry.key, below);
                        self.visit(&entry.value, below);
                    }
                }
            }
            Expr::Struct(made) => {
                let begin = (self.begin_of)(expr.id);
                let message = format!("an expression cannot make a `{}`", made.type_name);
                self.fault(&codes::EXPRESSION_SYNTAX, message, None, begin, 1);
            }
            Expr::Comprehension(comprehension) => self.comprehension(comprehension, expr.id, below),
        }
    }

    /// A loop: its variables are bound in its body, and only there.
    fn comprehension(&mut self, comprehension: &ComprehensionExpr, id: u64, depth: usize) {
        self.visit(&comprehension.iter_range, depth);
        self.visit(&comprehension.accu_init, depth);
        self.loops += 1;
        if self.loops == MAX_LOOPS + 1 {
            let message = format!("loops are nested more than {MAX_LOOPS} levels deep");
            self.fault(
                &codes::EXPRESSION_TOO_LARGE,
                message,
                None,
                (self.begin_of)(id),
                1,
            );
        }
        let outer = self.bound.len();
        self.bound.push(comprehension.iter_var.clone());
        self.bound.extend(comprehension.iter_var2.clone());
        for part in [
            &comprehension.loop_cond,
            &comprehension.loop_step,
            &comprehension.result,
        ] {
            self.visit(part, depth);
        }
        self.bound.truncate(outer);
        self.loops -= 1;
    }

    /// Takes note of a variable with the fields that are selected on it.
    fn name(&mut self, expr: &IdedExpr, tested: bool, index: Option<String>) {
        let Some((names, root)) = chain(expr) else { return };
        let first = names.first().copied().unwrap_or("");
        if first.starts_with(INTERNAL) || self.bound.iter().any(|bound| bound == first) {
            return;
        }
        if names.len() == 1 && functions::TYPES.contains(&first) {
            return;
        }
        let offset = (self.begin_of)(root);
        let length = names.join(".").len();
        match Reference::read(&names, offset, tested) {
            Ok(reference) => self.refer(Reference { index, ..reference }),
            Err(NotAReference::Unknown(name)) => {
                let hint = suggest::hint(&name, ROOTS);
                let message = format!("there is no variable `{}`", crate::parse::shortened(&name));
                self.fault(&codes::UNKNOWN_VARIABLE, message, hint, offset, name.len());
            }
            Err(NotAReference::Incomplete(name, hint)) => {
                let message = format!("`{name}` is not a value");
                self.fault(
                    &codes::UNKNOWN_VARIABLE,
                    message,
                    Some(hint.to_owned()),
                    offset,
                    length,
                );
            }
        }
    }

    /// Keeps each variable once: it is looked up once.
    fn refer(&mut self, reference: Reference) {
        let known = self
            .analysis
            .references
            .iter_mut()
            .find(|known| known.key == reference.key);
        match known {
            Some(known) if reference.index.is_none() || known.index == reference.index => {
                known.tested |= reference.tested;
            }
            _ => self.analysis.references.push(reference),
        }
    }

    fn function(&mut self, name: &str, is_member: bool, begin: usize) {
        let is_operator = !name.starts_with(|first: char| first.is_ascii_alphabetic());
        let known = if is_member {
            functions::MEMBER.as_slice()
        } else {
            functions::GLOBAL.as_slice()
        };
        if is_operator || known.contains(&name) {
            return;
        }
        let all = known.iter().chain(&functions::MACROS).copied();
        let hint = suggest::hint(name, all);
        // The parser places a call at its bracket; the name stands before it.
        let at = self
            .source
            .get(..begin)
            .and_then(|before| before.rfind(name))
            .unwrap_or(begin);
        self.fault(
            &codes::UNKNOWN_FUNCTION,
            format!("there is no function `{name}`"),
            hint,
            at,
            name.len(),
        );
    }
}

fn result(root: &IdedExpr) -> Option<&'static str> {
    match &root.expr {
        Expr::Select(select) if select.test => Some("boolean"),
        Expr::List(_) => Some("array"),
        Expr::Literal(LiteralValue::Boolean(_)) => Some("boolean"),
        Expr::Literal(LiteralValue::String(_)) => Some("string"),
        Expr::Literal(LiteralValue::Int(_) | LiteralValue::UInt(_)) => Some("integer"),
        Expr::Literal(LiteralValue::Double(_)) => Some("number"),
        Expr::Call(call) => match call.func_name.as_str() {
            "_==_" | "_!=_" | "_<_" | "_<=_" | "_>_" | "_>=_" | "_&&_" | "_||_" | "!_" | "@in" => {
                Some("boolean")
            }
            "contains" | "startsWith" | "endsWith" | "bool" => Some("boolean"),
            "size" | "int" | "uint" => Some("integer"),
            "string" | "join" => Some("string"),
            "double" => Some("number"),
            _ => None,
        },
        _ => None,
    }
}

fn literal_text(expr: &IdedExpr) -> Option<String> {
    match &expr.expr {
        Expr::Literal(LiteralValue::String(text)) => Some(text.inner().to_owned()),
        _ => None,
    }
}

/// The names of `a.b.c`, and the node of `a`. Anything else is no chain.
fn chain(expr: &IdedExpr) -> Option<(Vec<&str>, u64)> {
    let mut names = Vec::new();
    let mut at = expr;
    loop {
        match &at.expr {
            Expr::Ident(name) => {
                names.push(name.as_str());
                names.reverse();
                return Some((names, at.id));
            }
            Expr::Select(select) if !select.test => {
                names.push(select.field.as_str());
                at = &select.operand;
            }
            _ => return None,
        }
    }
}
