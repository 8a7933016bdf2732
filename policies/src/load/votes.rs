//! How a policy uses votes: the thresholds it compares counts with, and whether more votes can only help.
//!
//! Votes may only be compared with numbers (`context.approvals.sre >= 2`), and only in the direction in which
//! another vote brings a request closer to being allowed. Both make "which votes are missing" a question with an
//! answer, and nobody's yes can ever turn into a no.

use std::collections::{BTreeMap, BTreeSet};

use cedar_policy::pst::{BinaryOp, Clause, Effect, Expr, Literal, Template, UnaryOp, Var};

use crate::names::BREAK_GLASS;

/// The largest number of votes that a policy can ask for.
pub(crate) const VOTES_MAX: i64 = 1000;

/// What a policy asks of votes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct VoteUse {
    /// Whether the policy mentions votes at all.
    pub(crate) asks: bool,
    /// Per count (`distinct` or a group): the numbers from which on it makes a difference.
    pub(crate) thresholds: BTreeMap<String, BTreeSet<u32>>,
}

/// A use of votes that is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Misuse {
    /// Anything but a comparison of one count with a number.
    NotCounted,
    /// A comparison in which another vote would stand in the way.
    Hurts(String),
    /// A comparison with a number that no count of votes is useful for.
    OutOfRange(String, i64),
    /// `context` as a whole.
    WholeContext,
}

/// Which way the truth of an expression moves the answer.
#[derive(Clone, Copy, PartialEq)]
enum Direction {
    /// True brings the request closer to being allowed.
    Helps,
    /// True brings it closer to being denied.
    Hurts,
    /// Either.
    Both,
}

impl Direction {
    fn flipped(self) -> Self {
        match self {
            Self::Helps => Self::Hurts,
            Self::Hurts => Self::Helps,
            Self::Both => Self::Both,
        }
    }
}

/// Reads how a policy uses votes.
pub(crate) fn read(policy: &Template) -> (VoteUse, Vec<Misuse>) {
    let mut reader = Reader {
        found: VoteUse::default(),
        misuses: Vec::new(),
    };
    for clause in policy.clauses() {
        let (condition, negated) = match clause {
            Clause::When(condition) => (condition, false),
            Clause::Unless(condition) => (condition, true),
        };
        let helps = (policy.effect == Effect::Permit) != negated;
        reader.read(condition, if helps { Direction::Helps } else { Direction::Hurts });
    }
    (reader.found, reader.misuses)
}

struct Reader {
    found: VoteUse,
    misuses: Vec<Misuse>,
}

impl Reader {
    fn read(&mut self, expression: &Expr, direction: Direction) {
        match expression {
            Expr::BinaryOp {
                op: BinaryOp::And | BinaryOp::Or,
                left,
                right,
            } => {
                self.read(left, direction);
                self.read(right, direction);
            }
            Expr::UnaryOp {
                op: UnaryOp::Not,
                expr,
            } => self.read(expr, direction.flipped()),
            Expr::IfThenElse {
                cond,
                then_expr,
                else_expr,
            } => {
                self.read(cond, Direction::Both);
                self.read(then_expr, direction);
                self.read(else_expr, direction);
            }
            Expr::BinaryOp { op, left, right } => match comparison(*op, left, right) {
                Some(comparison) => self.compare(&comparison, direction),
                None => {
                    self.operand(left);
                    self.operand(right);
                }
            },
            _ if count(expression) == Some(BREAK_GLASS) => {
                self.found.asks = true;
                if direction != Direction::Helps {
                    self.misuses.push(Misuse::Hurts(BREAK_GLASS.to_owned()));
                }
            }
            _ => self.operand(expression),
        }
    }

    fn compare(&mut self, comparison: &Comparison<'_>, direction: Direction) {
        self.found.asks = true;
        let wanted = if comparison.at_least {
            Direction::Helps
        } else {
            Direction::Hurts
        };
        if direction != wanted {
            self.misuses.push(Misuse::Hurts(comparison.count.to_owned()));
        }
        match u32::try_from(comparison.from) {
            Ok(from) if from >= 1 && comparison.from <= VOTES_MAX => {
                self.found
                    .thresholds
                    .entry(comparison.count.to_owned())
                    .or_default()
                    .insert(from);
            }
            _ => self
                .misuses
                .push(Misuse::OutOfRange(comparison.count.to_owned(), comparison.from)),
        }
    }

    /// A place where votes have no business; looks for them all the same.
    fn operand(&mut self, expression: &Expr) {
        match expression {
            Expr::Var(Var::Context) => self.misuses.push(Misuse::WholeContext),
            Expr::GetAttr { expr, attr } if is_context(expr) => self.attribute(attr),
            Expr::HasAttr { expr, attrs } if is_context(expr) => self.attribute(attrs.first()),
            Expr::GetAttr { expr, .. }
            | Expr::HasAttr { expr, .. }
            | Expr::UnaryOp { expr, .. }
            | Expr::Like { expr, .. } => self.operand(expr),
            Expr::Is { expr, in_expr, .. } => {
                self.operand(expr);
                if let Some(parent) = in_expr {
                    self.operand(parent);
                }
            }
            Expr::BinaryOp { left, right, .. } => {
                self.operand(left);
                self.operand(right);
            }
            Expr::IfThenElse {
                cond,
                then_expr,
                else_expr,
            } => {
                self.operand(cond);
                self.operand(then_expr);
                self.operand(else_expr);
            }
            Expr::Set(items) => items.iter().for_each(|item| self.operand(item)),
            Expr::Record(fields) => fields.values().for_each(|field| self.operand(field)),
            Expr::Literal(Literal::EntityUID(uid)) if uid.ty.0.id.as_str() == "Approvals" => {
                self.misuse_votes();
            }
            _ => {}
        }
    }

    fn attribute(&mut self, name: &str) {
        if name == "approvals" {
            self.misuse_votes();
        }
    }

    fn misuse_votes(&mut self) {
        self.found.asks = true;
        self.misuses.push(Misuse::NotCounted);
    }
}

fn is_context(expression: &Expr) -> bool {
    matches!(expression, Expr::Var(Var::Context))
}

/// `context.approvals.X`: the name of the count.
fn count(expression: &Expr) -> Option<&str> {
    let Expr::GetAttr { expr, attr } = expression else {
        return None;
    };
    match &**expr {
        Expr::GetAttr {
            expr: base,
            attr: approvals,
        } if is_context(base) && approvals == "approvals" => Some(attr.as_str()),
        _ => None,
    }
}

/// A comparison of a count with a number: true from `from` on (`at_least`), or true below it.
struct Comparison<'a> {
    count: &'a str,
    at_least: bool,
    from: i64,
}

fn comparison<'a>(op: BinaryOp, left: &'a Expr, right: &'a Expr) -> Option<Comparison<'a>> {
    let (name, number, op) = match (left, right) {
        (name, Expr::Literal(Literal::Long(number))) => (count(name)?, *number, op),
        (Expr::Literal(Literal::Long(number)), name) => (count(name)?, *number, mirrored(op)?),
        _ => return None,
    };
    let (at_least, from) = match op {
        BinaryOp::GreaterEq => (true, number),
        BinaryOp::Greater => (true, number.saturating_add(1)),
        BinaryOp::Less => (false, number),
        BinaryOp::LessEq => (false, number.saturating_add(1)),
        _ => return None,
    };
    Some(Comparison {
        count: name,
        at_least,
        from,
    })
}

fn mirrored(op: BinaryOp) -> Option<BinaryOp> {
    match op {
        BinaryOp::GreaterEq => Some(BinaryOp::LessEq),
        BinaryOp::Greater => Some(BinaryOp::Less),
        BinaryOp::Less => Some(BinaryOp::Greater),
        BinaryOp::LessEq => Some(BinaryOp::GreaterEq),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
