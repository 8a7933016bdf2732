//! Who the caller is, and what they may do. Everybody may ask that about themselves, so it needs no permit.

use std::collections::BTreeMap;

use clawd_model::RunbookName;
use clawd_model::api::Whoami;
use clawd_policy::{ControlAction, ResourceKind};

use crate::error::StoreFailed;
use crate::gate::{App, Caller};

/// Who the caller is, and what they may do.
///
/// # Errors
/// When the store fails.
pub async fn whoami(app: &App, caller: &Caller) -> Result<Whoami, StoreFailed> {
    let may_on_runbooks: BTreeMap<RunbookName, Vec<String>> = app
        .allowed_on_runbooks(caller, of(ResourceKind::Runbook))
        .await?
        .into_iter()
        .filter(|(_, allowed)| !allowed.is_empty())
        .map(|(name, allowed)| (name, words(allowed)))
        .collect();
    Ok(Whoami {
        principal: caller.principal().clone(),
        via: caller.via_word().to_owned(),
        scopes: caller.scopes().iter().cloned().collect(),
        expires_at: caller.expires_at(),
        issued_by: caller.origin().issued_by.iter().cloned().collect(),
        may: may_on_tenant(app, caller),
        may_on_runbooks,
    })
}

/// The actions that the caller may do on the tenant as a whole.
#[must_use]
pub fn may_on_tenant(app: &App, caller: &Caller) -> Vec<String> {
    words(of(ResourceKind::Tenant).filter(|action| app.may(caller, *action)))
}

/// The actions that can be asked for on such a thing.
fn of(kind: ResourceKind) -> impl Iterator<Item = ControlAction> + Clone {
    let all = ControlAction::ALL.iter().copied();
    all.filter(move |action| action.resources().contains(&kind))
}

fn words(actions: impl IntoIterator<Item = ControlAction>) -> Vec<String> {
    let words = actions.into_iter().map(|action| action.as_str().to_owned());
    words.collect()
}
