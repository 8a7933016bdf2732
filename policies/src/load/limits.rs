//! Limits on the shape of a policy, checked before Cedar reads it.
//!
//! Cedar's parser and validator call themselves once per level of nesting, and do not count. Whoever may publish a
//! bundle must not be able to end the process by it.

use std::ops::Range;

use cedar_policy::pst::{Clause, Expr, Template};

/// How deeply `(`, `[`, `{` and `if` may be nested in a policy.
pub(super) const NESTING_MAX: usize = 24;
/// How many `&&`, `||`, `.`, `+`, `-`, `*` and `!` a policy may have.
pub(super) const OPERATORS_MAX: usize = 200;

/// What is too much, and where.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Excess {
    Nesting(Range<usize>),
    Operators(Range<usize>),
}

/// Finds the first policy of a text that is too much.
pub(super) fn excess(text: &str) -> Option<Excess> {
    let mut scan = Scan {
        bytes: text.as_bytes(),
        at: 0,
        nesting: 0,
        conditionals: 0,
        operators: 0,
    };
    while let Some(byte) = scan.next() {
        let place = scan.at - 1..scan.at;
        match byte {
            b'"' => scan.skip_string(),
            b'/' if scan.peek() == Some(b'/') => scan.skip_line(),
            b'(' | b'[' | b'{' => scan.nesting += 1,
            b')' | b']' | b'}' => scan.nesting = scan.nesting.saturating_sub(1),
            b'&' | b'|' | b'.' | b'+' | b'-' | b'*' | b'!' => scan.operators += 1,
            b'i' if scan.is_word_if() => scan.conditionals += 1,
            b';' => (scan.nesting, scan.conditionals, scan.operators) = (0, 0, 0),
            _ => {}
        }
        if scan.nesting + scan.conditionals > NESTING_MAX {
            return Some(Excess::Nesting(place));
        }
        // `&&` and `||` are two bytes each; counting them twice only makes the limit stricter for long chains.
        if scan.operators > 2 * OPERATORS_MAX {
            return Some(Excess::Operators(place));
        }
    }
    None
}

struct Scan<'a> {
    bytes: &'a [u8],
    at: usize,
    nesting: usize,
    conditionals: usize,
    operators: usize,
}

impl Scan<'_> {
    fn next(&mut self) -> Option<u8> {
        let byte = self.peek()?;
        self.at += 1;
        Some(byte)
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn skip_string(&mut self) {
        while let Some(byte) = self.next() {
            match byte {
                b'\\' => self.at += 1,
                b'"' => return,
                _ => {}
            }
        }
    }

    fn skip_line(&mut self) {
        while self.next().is_some_and(|byte| byte != b'\n') {}
    }

    /// Whether the `i` that was just read begins the word `if`.
    fn is_word_if(&self) -> bool {
        let is_word =
            |byte: Option<&u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_');
        let before = self.at.checked_sub(2).and_then(|at| self.bytes.get(at));
        self.peek() == Some(b'f') && !is_word(before) && !is_word(self.bytes.get(self.at + 1))
    }
}

/// Policies deeper than this are read and evaluated on a stack of their own.
const ORDINARY_DEPTH: usize = 32;

/// Whether a policy is deeper than an ordinary stack may have room for.
pub(crate) fn is_deep(policy: &Template) -> bool {
    let depths = policy.clauses().iter().map(|clause| match clause {
        Clause::When(condition) | Clause::Unless(condition) => depth(condition),
    });
    depths.max().unwrap_or(0) > ORDINARY_DEPTH
}

fn depth(expression: &Expr) -> usize {
    let below = match expression {
        Expr::UnaryOp { expr, .. }
        | Expr::Like { expr, .. }
        | Expr::GetAttr { expr, .. }
        | Expr::HasAttr { expr, .. } => depth(expr),
        Expr::BinaryOp { left, right, .. } => depth(left).max(depth(right)),
        Expr::Is { expr, in_expr, .. } => depth(expr).max(in_expr.as_deref().map_or(0, depth)),
        Expr::IfThenElse {
            cond,
            then_expr,
            else_expr,
        } => depth(cond).max(depth(then_expr)).max(depth(else_expr)),
        Expr::Set(items) => items.iter().map(|item| depth(item)).max().unwrap_or(0),
        Expr::Record(fields) => fields.values().map(|field| depth(field)).max().unwrap_or(0),
        Expr::Literal(_) | Expr::Var(_) => 0,
        // Whatever a later Cedar adds.
        _ => ORDINARY_DEPTH,
    };
    below + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(condition: &str) -> String {
        format!("permit(principal, action, resource) when {{ {condition} }};")
    }

    #[test]
    fn nesting_and_operators_are_counted_per_policy() {
        let deep = |times: usize| policy(&format!("{}true{}", "(".repeat(times), ")".repeat(times)));
        assert_eq!(excess(&deep(NESTING_MAX - 1)), None);
        assert!(matches!(excess(&deep(NESTING_MAX)), Some(Excess::Nesting(_))));
        assert_eq!(excess(&deep(NESTING_MAX - 1).repeat(50)), None);
        let ifs = policy(&"if true then true else ".repeat(NESTING_MAX));
        assert!(matches!(excess(&ifs), Some(Excess::Nesting(_))));
        let long = |times: usize| policy(&vec!["true"; times].join(" || "));
        assert_eq!(excess(&long(OPERATORS_MAX)), None);
        assert!(matches!(
            excess(&long(OPERATORS_MAX + 2)),
            Some(Excess::Operators(_))
        ));
        assert_eq!(excess(&long(OPERATORS_MAX).repeat(50)), None);
    }

    #[test]
    fn texts_and_comments_do_not_count() {
        let brackets = "([{".repeat(100);
        assert_eq!(
            excess(&policy(&format!("\"{brackets} \\\" {brackets}\" == \"\""))),
            None
        );
        assert_eq!(
            excess(&format!("// {brackets}\n{}", policy("notif || iffy || x.if_any"))),
            None
        );
        assert_eq!(excess("\"unclosed \\"), None);
        assert_eq!(excess(")))"), None);
    }
}
