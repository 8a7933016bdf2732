//! The scope of a policy (`principal in Group::"sre", action, resource is Server`), and whether a request could
//! match it.
//!
//! Used to leave policies out, never to let one apply: Cedar evaluates the whole scope of what is left. So a
//! scope may be taken for wider than it is, but never for narrower.

use cedar_policy::pst::{
    ActionConstraint, EntityOrSlot, EntityUID, PrincipalConstraint, ResourceConstraint, Template,
};

/// An entity that a scope names, with the type's name.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Named {
    pub(crate) kind: String,
    pub(crate) id: String,
}

impl Named {
    fn of(entity: &EntityUID) -> Self {
        Self {
            kind: entity.ty.to_string(),
            id: entity.eid.to_string(),
        }
    }
}

/// One side of a scope: of which type, and which entity it is or is in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Side {
    pub(crate) kind: Option<String>,
    pub(crate) named: Option<Named>,
}

/// A scope.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Scope {
    pub(crate) principal: Side,
    /// Names of actions or groups of actions; `None`: any action.
    pub(crate) actions: Option<Vec<String>>,
    pub(crate) resource: Side,
}

impl Scope {
    pub(crate) fn of(policy: &Template) -> Self {
        Self {
            principal: principal(&policy.principal),
            actions: match &policy.action {
                ActionConstraint::Any => None,
                ActionConstraint::Eq(action) => Some(vec![action.eid.to_string()]),
                ActionConstraint::In(actions) => {
                    Some(actions.iter().map(|action| action.eid.to_string()).collect())
                }
            },
            resource: resource(&policy.resource),
        }
    }
}

fn side(kind: Option<String>, entity: Option<&EntityOrSlot>) -> Side {
    let named = match entity {
        Some(EntityOrSlot::Entity(entity)) => Some(Named::of(entity)),
        Some(EntityOrSlot::Slot(_)) | None => None,
    };
    Side { kind, named }
}

fn principal(constraint: &PrincipalConstraint) -> Side {
    match constraint {
        PrincipalConstraint::Any => Side::default(),
        PrincipalConstraint::Eq(entity) | PrincipalConstraint::In(entity) => side(None, Some(entity)),
        PrincipalConstraint::Is(kind) => side(Some(kind.to_string()), None),
        PrincipalConstraint::IsIn(kind, entity) => side(Some(kind.to_string()), Some(entity)),
    }
}

fn resource(constraint: &ResourceConstraint) -> Side {
    match constraint {
        ResourceConstraint::Any => Side::default(),
        ResourceConstraint::Eq(entity) | ResourceConstraint::In(entity) => side(None, Some(entity)),
        ResourceConstraint::Is(kind) => side(Some(kind.to_string()), None),
        ResourceConstraint::IsIn(kind, entity) => side(Some(kind.to_string()), Some(entity)),
    }
}
