//! Who the caller is, and what they may do. Everybody may ask that about themselves, so it needs no permit.

use clawd_model::api::Whoami;
use clawd_policy::{ControlAction, ResourceKind};

use crate::gate::{App, Caller};

/// Who the caller is.
#[must_use]
pub fn whoami(app: &App, caller: &Caller) -> Whoami {
    let on_tenant = |action: &&ControlAction| action.resources().contains(&ResourceKind::Tenant);
    Whoami {
        principal: caller.principal().clone(),
        via: caller.via_word().to_owned(),
        scopes: caller.scopes().iter().cloned().collect(),
        expires_at: caller.expires_at(),
        issued_by: caller.origin().issued_by.iter().cloned().collect(),
        may: ControlAction::ALL
            .iter()
            .filter(on_tenant)
            .filter(|action| app.may(caller, **action))
            .map(|action| action.as_str().to_owned())
            .collect(),
    }
}
