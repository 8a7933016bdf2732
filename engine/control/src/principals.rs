//! People, agents and programs: lists them, adds them, changes them. Nobody is ever removed, since what they did stays
//! on record; somebody who leaves is disabled.

use std::collections::BTreeSet;
use std::sync::Arc;

use clawd_model::api::{Page, PutPrincipal};
use clawd_model::{GroupName, Principal, PrincipalKind, PrincipalName, Problem};
use clawd_policy::Bundle;
use clawd_store::{ReadError, WriteError};
use serde_json::json;

use crate::error::{Class, Explained, StoreFailed};
use crate::gate::{Permit, PrincipalRead, PrincipalWrite};

/// A principal was not changed.
#[derive(Debug, thiserror::Error)]
pub enum PutPrincipalError {
    /// An agent needs somebody who answers for it, and nobody else has one.
    #[error("{0}")]
    Invalid(String),
    /// The policies name a group that nobody would be in.
    #[error("the policies in force do not fit the groups that would be left")]
    GroupInUse(Vec<Problem>),
    /// Somebody cannot disable themselves, or take their own permission to change principals.
    #[error("you would lock yourself out")]
    LocksOut,
    /// The store could not be read.
    #[error("the store could not be read")]
    Read(#[from] ReadError),
    /// The store could not be written.
    #[error("the store could not be written")]
    Write(#[from] WriteError),
}

impl Explained for PutPrincipalError {
    fn class(&self) -> Class {
        match self {
            Self::Invalid(_) => Class::Invalid,
            Self::GroupInUse(_) | Self::LocksOut => Class::Conflict,
            Self::Read(_) | Self::Write(_) => Class::Internal,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Invalid(_) => "invalid-principal",
            Self::GroupInUse(_) => "group-in-use",
            Self::LocksOut => "locks-out",
            Self::Read(_) | Self::Write(_) => "store",
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::GroupInUse(_) => {
                Some("publish policies without the group first, or leave somebody in it".to_owned())
            }
            Self::LocksOut => Some("somebody else who may change principals has to do it".to_owned()),
            _ => None,
        }
    }

    fn problems(&self) -> &[Problem] {
        match self {
            Self::GroupInUse(problems) => problems,
            _ => &[],
        }
    }
}

/// All principals of the tenant, by name.
///
/// # Errors
/// When the store fails.
pub async fn list_principals(permit: &Permit<PrincipalRead>) -> Result<Page<Principal>, StoreFailed> {
    Ok(Page {
        items: permit.store().principals().await?,
        next: None,
    })
}

/// Adds a principal, or changes the one of that name.
///
/// # Errors
/// When it makes no sense, would lock the caller out, or would leave the policies without a group that they name.
pub async fn put_principal(
    permit: &Permit<PrincipalWrite>,
    name: PrincipalName,
    wanted: PutPrincipal,
) -> Result<Principal, PutPrincipalError> {
    let groups: BTreeSet<GroupName> = wanted.groups.into_iter().collect();
    let principal = Principal {
        tenant: permit.tenant().clone(),
        kind: wanted.kind,
        name,
        display_name: wanted.display_name,
        groups: groups.into_iter().collect(),
        operator: wanted.operator,
        disabled: wanted.disabled,
    };
    let others = permit.store().principals().await?;
    validate(&principal, &others)?;
    let before = others.iter().find(|other| other.name == principal.name);
    if principal.name == permit.caller().principal().name && !permit.would_be_allowed_as(&principal) {
        return Err(PutPrincipalError::LocksOut);
    }
    // The policies are loaded anew with the groups that there will be, before anything is kept.
    let app = permit.app();
    let _turn = app.publishing().await;
    let known: BTreeSet<GroupName> = others
        .iter()
        .flat_map(|other| other.groups.iter().cloned())
        .collect();
    let left: BTreeSet<GroupName> = others
        .iter()
        .filter(|other| other.name != principal.name)
        .chain([&principal])
        .flat_map(|other| other.groups.iter().cloned())
        .collect();
    let bundle = match app.policies().current(permit.tenant()) {
        Some(bundle) if known != left => {
            Some(Bundle::load(bundle.files(), &app.vocabulary(left)).map_err(PutPrincipalError::GroupInUse)?)
        }
        _ => None,
    };
    let kind = if before.is_some() {
        "principal.changed"
    } else {
        "principal.created"
    };
    let data = json!({
        "kind": principal.kind, "groups": principal.groups, "operator": principal.operator,
        "disabled": principal.disabled,
        "before": before.map(|before| json!({"groups": before.groups, "disabled": before.disabled})),
    });
    let record = permit.record(kind, format!("principal/{}", principal.name), data);
    permit.store().put_principal(&principal, &[record]).await?;
    if let Some(bundle) = bundle {
        app.policies().put(permit.tenant().clone(), Arc::new(bundle));
    }
    app.driver().policies_changed(permit.tenant());
    Ok(principal)
}

fn validate(principal: &Principal, others: &[Principal]) -> Result<(), PutPrincipalError> {
    let invalid = |text: String| Err(PutPrincipalError::Invalid(text));
    if principal.display_name.chars().count() > 200 || principal.display_name.chars().any(char::is_control) {
        return invalid("a name to show has at most 200 characters, and no control characters".to_owned());
    }
    if principal.groups.len() > 64 {
        return invalid("a principal is in at most 64 groups".to_owned());
    }
    match (&principal.operator, principal.kind) {
        (None, PrincipalKind::Agent) => {
            invalid("an agent needs an `operator`, who answers for it".to_owned())
        }
        (Some(_), PrincipalKind::User | PrincipalKind::Trigger | PrincipalKind::Service) => {
            invalid("only an agent has an `operator`".to_owned())
        }
        (Some(operator), PrincipalKind::Agent) => {
            let person = |other: &Principal| other.name == *operator && other.kind == PrincipalKind::User;
            match others.iter().any(person) {
                true => Ok(()),
                false => invalid(format!("`{operator}` is no person of this tenant")),
            }
        }
        (None, _) => Ok(()),
    }
}

#[cfg(test)]
mod tests;
