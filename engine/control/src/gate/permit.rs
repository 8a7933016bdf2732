//! Permits: the only way to a tenant's store.
//!
//! ```text
//!   Caller ──permit::<RunCancel>()──▶ gate ──allow──▶ Permit<RunCancel, RunRow> ──▶ cancel_run(&permit, …)
//!                                       └──no──▶ audited, Refused
//! ```
//!
//! Every use case takes a permit for its action, and a permit is made here and nowhere else. It holds what it was
//! made for, already loaded, so that a permit for one run cannot be used on another. What is wrong does not compile:
//! reading where changing is asked for,
//!
//! ```compile_fail,E0308
//! # use clawd_control::{Permit, RunRead, RunRow, cancel_run};
//! async fn cancel(permit: &Permit<RunRead, RunRow>) {
//!     let _ = cancel_run(permit, "").await;
//! }
//! ```
//!
//! an action on something that it is never asked for on,
//!
//! ```compile_fail,E0277
//! # use clawd_control::{App, Caller, RunCancel};
//! async fn cancel_all(app: &App, caller: &Caller) {
//!     let _ = app.permit::<RunCancel>(caller).await;
//! }
//! ```
//!
//! and the store without a permit:
//!
//! ```compile_fail,E0616
//! # use clawd_control::App;
//! async fn peek(app: &App) {
//!     let _ = app.parts.store.tenants().await;
//! }
//! ```
//!
//! With the right permit it does:
//!
//! ```
//! # use clawd_control::{App, Caller, RunCancel, RunRow, cancel_run};
//! # use clawd_model::RunId;
//! async fn cancel(app: &App, caller: &Caller, run: &RunId) {
//!     if let Ok(permit) = app.permit_on::<RunCancel, RunRow>(caller, run).await {
//!         let _ = cancel_run(&permit, "wrong servers").await;
//!     }
//! }
//! ```

use std::fmt;
use std::marker::PhantomData;

use clawd_audit::Draft;
use clawd_model::{Decision, DecisionKind, Digest, Principal, RunbookName, TenantName};
use clawd_policy::{Action, Approvals, Bundle, ControlAction, Request};
use clawd_store::{ReadError, TenantStore};
use serde_json::json;

use super::Refused;
use super::act::{Act, ActsOn};
use super::app::App;
use super::caller::Caller;
use super::target::{RunbookOn, Target, Whole};

/// The gate allowed the caller the action `A` on `On`.
pub struct Permit<A, On = Whole> {
    app: App,
    caller: Caller,
    tenant: TenantStore,
    on: On,
    bundle: Digest,
    act: PhantomData<fn() -> A>,
}

impl<A: Act, On: Target> fmt::Debug for Permit<A, On> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Permit({} on {} for {})",
            A::ACTION.as_str(),
            self.on.subject(),
            self.caller.actor()
        )
    }
}

impl<A: Act, On: Target> Permit<A, On> {
    /// For whom.
    #[must_use]
    pub fn caller(&self) -> &Caller {
        &self.caller
    }

    /// On what.
    #[must_use]
    pub fn on(&self) -> &On {
        &self.on
    }

    /// Of which tenant.
    #[must_use]
    pub fn tenant(&self) -> &TenantName {
        self.caller.tenant()
    }

    /// Which bundle allowed it.
    #[must_use]
    pub fn bundle(&self) -> Digest {
        self.bundle
    }

    pub(crate) fn app(&self) -> &App {
        &self.app
    }

    pub(crate) fn store(&self) -> &TenantStore {
        &self.tenant
    }

    /// An audit record of what is done under this permit.
    pub(crate) fn record(
        &self,
        kind: &'static str,
        subject: impl Into<String>,
        data: serde_json::Value,
    ) -> Draft {
        Draft {
            kind,
            actor: self.caller.actor(),
            run: None,
            subject: subject.into(),
            data,
        }
    }

    /// Asks for another action on the same thing, for use cases that need two.
    ///
    /// # Errors
    /// When the gate refuses.
    pub async fn also<B: ActsOn<On>>(&self) -> Result<Permit<B, On>, Refused> {
        self.app.grant::<B, On>(&self.caller, self.on.clone()).await
    }

    /// Asks for an action on another thing, for use cases that learn only on the way what they are about.
    ///
    /// # Errors
    /// When the gate refuses.
    pub(crate) async fn on_other<B: ActsOn<Other>, Other: Target>(
        &self,
        other: Other,
    ) -> Result<Permit<B, Other>, Refused> {
        self.app.grant(&self.caller, other).await
    }

    /// Whether the gate would allow the same action on this one, quietly: what a list may show.
    pub(crate) fn covers<Other: Target>(&self, other: &Other) -> bool
    where
        A: ActsOn<Other>,
    {
        matches!(self.app.ask(&self.caller, A::ACTION, other), Ok(decision) if decision.is_allow())
    }

    /// Whether the gate would allow another action on the same thing, quietly.
    pub(crate) fn allows<B: ActsOn<On>>(&self) -> bool {
        matches!(self.app.ask(&self.caller, B::ACTION, &self.on), Ok(decision) if decision.is_allow())
    }

    /// Whether another bundle would allow what this permit allows.
    pub(crate) fn would_be_allowed_by(&self, bundle: &Bundle) -> bool {
        self.app
            .decide(bundle, self.caller.principal(), A::ACTION, &self.on)
            .is_allow()
    }

    /// Whether the caller would still be allowed it with another principal's groups and standing.
    pub(crate) fn would_be_allowed_as(&self, principal: &Principal) -> bool {
        let current = self.app.parts.policies.current(self.caller.tenant());
        !principal.disabled
            && current.is_some_and(|bundle| {
                self.app
                    .decide(&bundle, principal, A::ACTION, &self.on)
                    .is_allow()
            })
    }

    /// Why the gate would not allow the caller an action on this thing; empty when it would. Nothing is audited:
    /// it is a preview.
    pub(crate) fn why_not_on<B: ActsOn<Other>, Other: Target>(&self, other: &Other) -> Vec<String> {
        match self.app.ask(&self.caller, B::ACTION, other) {
            Ok(decision) => reasons(&decision),
            Err(reason) => vec![reason],
        }
    }
}

impl App {
    /// Asks the gate for an action on the tenant as a whole.
    ///
    /// # Errors
    /// When the gate refuses; the refusal is in the audit log.
    pub async fn permit<A: ActsOn<Whole>>(&self, caller: &Caller) -> Result<Permit<A>, Refused> {
        self.grant(caller, Whole(caller.tenant().clone())).await
    }

    /// Asks the gate for an action on one thing.
    ///
    /// # Errors
    /// When there is no such thing in the caller's tenant, or the gate refuses; a refusal is in the audit log.
    pub async fn permit_on<A: ActsOn<On>, On: Target>(
        &self,
        caller: &Caller,
        key: &On::Key,
    ) -> Result<Permit<A, On>, Refused> {
        let tenant = self.parts.store.tenant(caller.tenant().clone());
        match On::load(self, &tenant, key).await? {
            Some(on) => self.grant(caller, on).await,
            None => Err(Refused::NotFound {
                kind: On::KIND,
                key: key.to_string(),
            }),
        }
    }

    /// What the gate would say of an action on the tenant as a whole, without making use of it.
    pub(crate) fn may(&self, caller: &Caller, action: ControlAction) -> bool {
        let whole = Whole(caller.tenant().clone());
        matches!(self.ask(caller, action, &whole), Ok(decision) if decision.is_allow())
    }

    /// Which of these actions the gate would allow on each active runbook, without making use of it.
    pub(crate) async fn allowed_on_runbooks(
        &self,
        caller: &Caller,
        actions: impl Iterator<Item = ControlAction> + Clone,
    ) -> Result<Vec<(RunbookName, Vec<ControlAction>)>, ReadError> {
        let versions = self
            .parts
            .store
            .tenant(caller.tenant().clone())
            .runbooks()
            .await?;
        let allowed = versions.into_iter().map(|version| {
            let workflow = self.workflow(version.digest, &version.source);
            let runbook = RunbookOn::new(caller.tenant().clone(), version, workflow);
            let allows = |action: &ControlAction| {
                matches!(self.ask(caller, *action, &runbook), Ok(decision) if decision.is_allow())
            };
            (runbook.name().clone(), actions.clone().filter(allows).collect())
        });
        Ok(allowed.collect())
    }

    async fn grant<A: ActsOn<On>, On: Target>(
        &self,
        caller: &Caller,
        on: On,
    ) -> Result<Permit<A, On>, Refused> {
        let tenant = self.parts.store.tenant(caller.tenant().clone());
        let refusal = match self.ask(caller, A::ACTION, &on) {
            Ok(decision) if decision.is_allow() => {
                return Ok(Permit {
                    app: self.clone(),
                    caller: caller.clone(),
                    tenant,
                    on,
                    bundle: decision.bundle,
                    act: PhantomData,
                });
            }
            Ok(decision) => Refused::Denied {
                action: A::ACTION,
                reasons: reasons(&decision),
                policies: decision.policies,
                bundle: Some(decision.bundle),
            },
            Err(reason) => Refused::Denied {
                action: A::ACTION,
                reasons: vec![reason],
                policies: Vec::new(),
                bundle: None,
            },
        };
        self.record_refusal(&tenant, caller, A::ACTION, &on.subject(), &refusal)
            .await?;
        Err(refusal)
    }

    /// The gate's answer; `Err` when it cannot even be asked.
    fn ask<On: Target>(&self, caller: &Caller, action: ControlAction, on: &On) -> Result<Decision, String> {
        if !caller.in_scope(action) {
            return Err(format!("the token's scopes do not include `{}`", action.as_str()));
        }
        if let Some(objection) = on.objection(action, caller) {
            return Err(objection);
        }
        let Some(bundle) = self.parts.policies.current(caller.tenant()) else {
            return Err(format!(
                "tenant `{}` has no policies, and without policies nothing is allowed",
                caller.tenant()
            ));
        };
        Ok(self.decide(&bundle, caller.principal(), action, on))
    }

    fn decide<On: Target>(
        &self,
        bundle: &Bundle,
        principal: &Principal,
        action: ControlAction,
        on: &On,
    ) -> Decision {
        let approvals = Approvals::none();
        let request = Request {
            principal,
            action: Action::Control(action),
            resource: on.resource(),
            run: None,
            approvals: &approvals,
            now: self.now(),
        };
        bundle.decide(&request, &[])
    }

    async fn record_refusal(
        &self,
        tenant: &TenantStore,
        caller: &Caller,
        action: ControlAction,
        subject: &str,
        refusal: &Refused,
    ) -> Result<(), Refused> {
        let Refused::Denied {
            reasons,
            policies,
            bundle,
            ..
        } = refusal
        else {
            return Ok(());
        };
        let draft = Draft {
            kind: "access.refused",
            actor: caller.actor(),
            run: None,
            subject: subject.to_owned(),
            data: json!({"action": action.as_str(), "policies": policies, "reasons": reasons, "bundle": bundle}),
        };
        tenant.record(&[draft]).await?;
        Ok(())
    }
}

/// Why the answer is not an allow, in the policies' words; empty for an allow.
fn reasons(decision: &Decision) -> Vec<String> {
    match &decision.kind {
        DecisionKind::Allow => Vec::new(),
        DecisionKind::Deny if decision.reasons.is_empty() => vec!["no policy permits it".to_owned()],
        DecisionKind::NeedsApproval { .. } if decision.reasons.is_empty() => {
            vec!["it needs votes, and votes are cast on runs only".to_owned()]
        }
        _ => decision.reasons.clone(),
    }
}
