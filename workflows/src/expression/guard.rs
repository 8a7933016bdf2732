//! Limits on the text of an expression. They are checked before the parser runs, so that neither the parser nor the
//! evaluation can be made to use up the stack or the time of the process.

use super::scan::{Lexeme, lexemes};

pub(crate) const MAX_BYTES: usize = 2048;
const MAX_OPERATORS: usize = 128;
const MAX_BRACKETS: usize = 16;
const MAX_CHOICES: usize = 16;

/// What is too much, if anything is.
pub(crate) fn too_large(source: &str) -> Option<String> {
    if source.len() > MAX_BYTES {
        return Some(format!(
            "the expression has {} bytes; {MAX_BYTES} are possible",
            source.len()
        ));
    }
    let (mut operators, mut depth, mut deepest, mut choices) = (0, 0_usize, 0, 0);
    for (at, lexeme) in lexemes(source) {
        match lexeme {
            Lexeme::Operator => {
                operators += 1;
                choices += usize::from(source.get(at..).is_some_and(|rest| rest.starts_with('?')));
            }
            Lexeme::Opening => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            Lexeme::Closing => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    let limits = [
        (operators, MAX_OPERATORS, "operators"),
        (deepest, MAX_BRACKETS, "levels of brackets"),
        (choices, MAX_CHOICES, "choices with `?`"),
    ];
    let (count, limit, what) = limits.into_iter().find(|(count, limit, _)| count > limit)?;
    Some(format!("the expression has {count} {what}; {limit} are possible"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usual_expressions_pass_and_bombs_do_not() {
        assert_eq!(
            too_large("steps.apply.reboot_required && inputs.reboot == 'if-needed'"),
            None
        );
        assert_eq!(too_large(&format!("x in [{}]", "'a',".repeat(300))), None);
        for bomb in [
            "(".repeat(1000),
            "[".repeat(17),
            "-".repeat(129),
            "a+".repeat(200),
            "a?b:".repeat(17),
            "x".repeat(MAX_BYTES + 1),
        ] {
            assert!(too_large(&bomb).is_some(), "{bomb:.20}");
        }
    }
}
