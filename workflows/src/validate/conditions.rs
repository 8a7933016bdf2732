//! `if`: one expression that is true or false.

use super::compiler::{Compiler, Place};
use super::place::Written;
use crate::codes;
use crate::expression::Expression;
use crate::parse::{Kind, Node, shortened};
use crate::template::{OPENING, split};

impl Compiler<'_> {
    /// Compiles a condition.
    pub(super) fn condition(&self, node: &Node, place: &Place) -> Option<Expression> {
        let text = match &node.kind {
            Kind::Text(text) => text.as_str(),
            Kind::Bool(true) => "${{ true }}",
            Kind::Bool(false) => "${{ false }}",
            Kind::Broken => return None,
            _ => {
                let message = format!("a condition is an expression; this is {}", node.what());
                let hint = "write `if: \"${{ … }}\"`".to_owned();
                self.problems
                    .error_with_hint(&codes::NOT_A_CONDITION, node.head(), message, hint);
                return None;
            }
        };
        let written = Written::new(self.lines, node.span, text);
        let pieces = match split(text) {
            Ok(pieces) => pieces,
            Err(unclosed) => {
                let range = unclosed.0..unclosed.0 + OPENING.len();
                let message = "the expression does not end: there is no `}}`";
                let hint = "look for a missing quote".to_owned();
                self.problems
                    .error_with_hint(&codes::UNCLOSED, written.place(&range, &range), message, hint);
                return None;
            }
        };
        let mut meant = pieces
            .iter()
            .filter(|piece| piece.is_expression || !piece.text.trim().is_empty());
        let (first, second) = (meant.next(), meant.next());
        let Some(only) = first.filter(|only| only.is_expression && second.is_none()) else {
            let message = format!("`{}` is a text, not a condition", shortened(text.trim()));
            let hint = match first {
                Some(piece) if !piece.is_expression && second.is_none() => {
                    format!("write `if: \"${{{{ {} }}}}\"`", shortened(piece.text.trim()))
                }
                _ => "put all of it into one `${{ … }}`".to_owned(),
            };
            self.problems
                .error_with_hint(&codes::NOT_A_CONDITION, node.span, message, hint);
            return None;
        };
        let (expression, known) = self.expression(only.text, only.begin, &written, place)?;
        if let Some(known) = known.filter(|known| *known != "boolean") {
            let message = format!(
                "`{}` is of type `{known}`, not true or false",
                shortened(expression.source())
            );
            let hint = "compare it with something: `… == 'yes'`".to_owned();
            self.problems
                .error_with_hint(&codes::NOT_A_CONDITION, node.span, message, hint);
            return None;
        }
        Some(expression)
    }
}
