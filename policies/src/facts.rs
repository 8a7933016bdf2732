//! Which facts of a request a policy can observe, so that a decision builds only those.
//!
//! Sound because of three things: Cedar has no computed attribute names, so that an attribute that no policy of a
//! slice names cannot be observed; names are collected wherever they occur, whatever they are attributes of; and
//! `context` can only be read by attribute (the loader refuses anything else).

use cedar_policy::pst::{ActionConstraint, BinaryOp, Clause, Expr, PrincipalConstraint, Template, Var};

/// A set of facts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Facts(u32);

macro_rules! facts {
    ($($name:ident = $bit:literal $(, $attribute:literal)*;)*) => {
        impl Facts {
            $(pub(crate) const $name: Self = Self(1 << $bit);)*

            /// The fact that an attribute of this name observes.
            fn named(attribute: &str) -> Self {
                match attribute {
                    $($($attribute => Self::$name,)*)*
                    // Counts of votes and record fields that belong to a fact with a name of its own.
                    _ => Self::NONE,
                }
            }
        }
    };
}

facts! {
    TENANT = 0, "tenant";
    NAME = 1, "name";
    DISABLED = 2, "disabled";
    OPERATOR = 3, "operator";
    ENV = 4, "env";
    PROVIDER = 5, "provider";
    PROTECTED = 6, "protected";
    REQUESTER = 7, "requester";
    RUNBOOK = 8, "runbook";
    RUN = 9, "run";
    NOW = 10, "now";
    APPROVALS = 11, "approvals";
    TAGS = 12;
    // `in`: the groups of the principal and of the action.
    GROUPS = 13;
}

impl Facts {
    pub(crate) const NONE: Self = Self(0);
    pub(crate) const ALL: Self = Self(u32::MAX);

    pub(crate) const fn has(self, fact: Self) -> bool {
        self.0 & fact.0 != 0
    }

    pub(crate) const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// What this policy can observe.
    pub(crate) fn of(policy: &Template) -> Self {
        let mut facts = Self::NONE;
        if !matches!(
            policy.principal,
            PrincipalConstraint::Any | PrincipalConstraint::Is(_)
        ) || matches!(policy.action, ActionConstraint::In(_))
        {
            facts = facts.and(Self::GROUPS);
        }
        for clause in policy.clauses() {
            match clause {
                Clause::When(condition) | Clause::Unless(condition) => facts = facts.and(observed(condition)),
            }
        }
        facts
    }
}

fn observed(expression: &Expr) -> Facts {
    match expression {
        Expr::Literal(_) | Expr::Var(Var::Principal | Var::Action | Var::Resource) => Facts::NONE,
        Expr::UnaryOp { expr, .. } | Expr::Like { expr, .. } => observed(expr),
        Expr::BinaryOp { op, left, right } => {
            let own = match op {
                BinaryOp::In => Facts::GROUPS,
                BinaryOp::GetTag | BinaryOp::HasTag => Facts::TAGS,
                _ => Facts::NONE,
            };
            own.and(observed(left)).and(observed(right))
        }
        Expr::GetAttr { expr, attr } => Facts::named(attr).and(below(expr)),
        Expr::HasAttr { expr, attrs } => attrs
            .iter()
            .fold(below(expr), |facts, attr| facts.and(Facts::named(attr))),
        Expr::Is { expr, in_expr, .. } => in_expr
            .as_ref()
            .map_or(Facts::NONE, |parent| Facts::GROUPS.and(observed(parent)))
            .and(observed(expr)),
        Expr::IfThenElse {
            cond,
            then_expr,
            else_expr,
        } => observed(cond).and(observed(then_expr)).and(observed(else_expr)),
        Expr::Set(items) => items
            .iter()
            .fold(Facts::NONE, |facts, item| facts.and(observed(item))),
        Expr::Record(fields) => fields
            .values()
            .fold(Facts::NONE, |facts, field| facts.and(observed(field))),
        // `context` as a whole, and whatever a later Cedar adds.
        _ => Facts::ALL,
    }
}

/// What reading an attribute of this expression observes besides the attribute.
fn below(expression: &Expr) -> Facts {
    match expression {
        Expr::Var(Var::Context) => Facts::NONE,
        other => observed(other),
    }
}

#[cfg(test)]
mod tests {
    use cedar_policy::Policy;

    use super::*;

    fn facts(policy: &str) -> Facts {
        let policy = Policy::parse(None, policy).unwrap().to_pst().unwrap();
        Facts::of(policy.body())
    }

    #[test]
    fn what_is_named_is_observed() {
        for (policy, expected) in [
            ("permit(principal, action, resource);", Facts::NONE),
            (
                "permit(principal is User, action == Action::\"x\", resource);",
                Facts::NONE,
            ),
            (
                "permit(principal in Group::\"a\", action, resource);",
                Facts::GROUPS,
            ),
            (
                "permit(principal, action in [Action::\"x\"], resource);",
                Facts::GROUPS,
            ),
            (
                "permit(principal, action, resource) when { resource is Server && resource.env == \"prod\" };",
                Facts::ENV,
            ),
            (
                "forbid(principal, action, resource) unless { context.approvals.sre >= 2 };",
                Facts::APPROVALS,
            ),
            (
                "permit(principal, action, resource) when { context has run.runbook && context.run.runbook.hasTag(\"x\") };",
                Facts::RUN.and(Facts::RUNBOOK).and(Facts::TAGS),
            ),
            (
                "permit(principal, action, resource) when { if principal has operator then principal.name like \"a*\" else [context.now].contains(context.now) };",
                Facts::OPERATOR.and(Facts::NAME).and(Facts::NOW),
            ),
            (
                "permit(principal, action, resource) when { principal is User in Group::\"a\" && !({\"a\": resource.protected}.a) };",
                Facts::GROUPS.and(Facts::PROTECTED),
            ),
        ] {
            assert_eq!(facts(policy), expected, "{policy}");
        }
    }

    #[test]
    fn the_whole_context_observes_everything() {
        assert_eq!(
            facts("permit(principal, action, resource) when { context == context };"),
            Facts::ALL
        );
    }
}
