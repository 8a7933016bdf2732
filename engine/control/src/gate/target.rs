//! What an action is asked for on: loaded by its key in the caller's tenant, and kept in the permit.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use clawd_model::{
    Approval, ApprovalId, Digest, Labels, Plan, PrincipalName, RunId, RunbookName, Server, ServerName,
    TenantName,
};
use clawd_policy::{ControlAction, Resource, ResourceKind};
use clawd_store::{ReadError, RunRow, RunbookVersion, TenantStore};
use clawd_workflow::Workflow;

use super::app::App;
use super::caller::Caller;

/// What an action is asked for on.
#[async_trait]
pub trait Target: Clone + Send + Sync + Sized + 'static {
    /// What it is found by.
    type Key: fmt::Display + Send + Sync;
    /// What people call such a thing.
    const KIND: &'static str;
    /// What policies call it.
    const RESOURCE: ResourceKind;

    /// Finds it in the caller's tenant.
    ///
    /// # Errors
    /// When the store cannot be read.
    async fn load(app: &App, store: &TenantStore, key: &Self::Key) -> Result<Option<Self>, ReadError>;

    /// As the gate sees it.
    fn resource(&self) -> Resource<'_>;

    /// As audit records name it: `server/web-1`.
    fn subject(&self) -> String;

    /// Why the caller may not do this here, whatever the policies say.
    fn objection(&self, _action: ControlAction, _caller: &Caller) -> Option<String> {
        None
    }
}

/// The tenant as a whole: lists, and what belongs to nothing smaller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Whole(pub(super) TenantName);

#[async_trait]
impl Target for Whole {
    type Key = TenantName;
    const KIND: &'static str = "tenant";
    const RESOURCE: ResourceKind = ResourceKind::Tenant;

    async fn load(_app: &App, store: &TenantStore, key: &TenantName) -> Result<Option<Self>, ReadError> {
        Ok((store.name() == key).then(|| Self(key.clone())))
    }

    fn resource(&self) -> Resource<'_> {
        Resource::Tenant(&self.0)
    }

    fn subject(&self) -> String {
        format!("tenant/{}", self.0)
    }
}

#[async_trait]
impl Target for Server {
    type Key = ServerName;
    const KIND: &'static str = "server";
    const RESOURCE: ResourceKind = ResourceKind::Server;

    async fn load(_app: &App, store: &TenantStore, key: &ServerName) -> Result<Option<Self>, ReadError> {
        store.server_by_name(key).await
    }

    fn resource(&self) -> Resource<'_> {
        Resource::Server(self)
    }

    fn subject(&self) -> String {
        format!("server/{}", self.name)
    }
}

#[async_trait]
impl Target for RunRow {
    type Key = RunId;
    const KIND: &'static str = "run";
    const RESOURCE: ResourceKind = ResourceKind::Run;

    async fn load(_app: &App, store: &TenantStore, key: &RunId) -> Result<Option<Self>, ReadError> {
        store.run(*key).await
    }

    fn resource(&self) -> Resource<'_> {
        Resource::Run {
            tenant: &self.tenant,
            id: self.id,
            requester: &self.requester,
            runbook: &self.runbook,
        }
    }

    fn subject(&self) -> String {
        format!("run/{}", self.id)
    }
}

/// A request for votes, with who answers for the one who started the run.
#[derive(Clone, Debug)]
pub struct ApprovalOn {
    /// The request.
    pub approval: Approval,
    /// For an agent's run: the person who answers for the agent.
    pub operator: Option<PrincipalName>,
}

#[async_trait]
impl Target for ApprovalOn {
    type Key = ApprovalId;
    const KIND: &'static str = "approval";
    const RESOURCE: ResourceKind = ResourceKind::Approval;

    async fn load(_app: &App, store: &TenantStore, key: &ApprovalId) -> Result<Option<Self>, ReadError> {
        let Some(approval) = store.approval(*key).await? else {
            return Ok(None);
        };
        let requester = store.principal(&approval.requester).await?;
        Ok(Some(Self {
            approval,
            operator: requester.and_then(|requester| requester.operator),
        }))
    }

    fn resource(&self) -> Resource<'_> {
        Resource::Approval {
            tenant: &self.approval.subject.tenant,
            id: Some(self.approval.id),
            requester: &self.approval.requester,
            operator: self.operator.as_ref(),
            runbook: Some(&self.approval.subject.runbook),
        }
    }

    fn subject(&self) -> String {
        format!("approval/{}", self.approval.id)
    }

    /// Whoever made a token for somebody else may know its secret: what looks like the vote of a second person may be
    /// that of the first.
    fn objection(&self, action: ControlAction, caller: &Caller) -> Option<String> {
        if action != ControlAction::VoteCast {
            return None;
        }
        let asking = [Some(&self.approval.requester), self.operator.as_ref()];
        let issued_by = &caller.origin().issued_by;
        let issuer = asking
            .into_iter()
            .flatten()
            .find(|name| issued_by.contains(*name))?;
        Some(format!(
            "the {} that you signed in with was issued by `{issuer}`, who asks: vote with one that somebody else issued",
            caller.via_word()
        ))
    }
}

/// The active version of a runbook.
#[derive(Clone)]
pub struct RunbookOn {
    pub(crate) tenant: TenantName,
    pub(crate) version: RunbookVersion,
    /// Absent when it no longer fits the operations of this process.
    pub(crate) workflow: Option<Arc<Workflow>>,
    pub(crate) labels: Labels,
}

impl RunbookOn {
    pub(crate) fn new(tenant: TenantName, version: RunbookVersion, workflow: Option<Arc<Workflow>>) -> Self {
        let labels = workflow
            .as_ref()
            .map(|workflow| workflow.labels.clone())
            .unwrap_or_default();
        Self {
            tenant,
            version,
            workflow,
            labels,
        }
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &RunbookName {
        &self.version.name
    }

    /// The digest of the active version.
    #[must_use]
    pub fn digest(&self) -> Digest {
        self.version.digest
    }
}

#[async_trait]
impl Target for RunbookOn {
    type Key = RunbookName;
    const KIND: &'static str = "runbook";
    const RESOURCE: ResourceKind = ResourceKind::Runbook;

    async fn load(app: &App, store: &TenantStore, key: &RunbookName) -> Result<Option<Self>, ReadError> {
        let Some(version) = store.runbook(key).await? else {
            return Ok(None);
        };
        let workflow = app.workflow(version.digest, &version.source);
        Ok(Some(Self::new(store.name().clone(), version, workflow)))
    }

    fn resource(&self) -> Resource<'_> {
        Resource::Runbook {
            tenant: &self.tenant,
            name: &self.version.name,
            labels: &self.labels,
        }
    }

    fn subject(&self) -> String {
        format!("runbook/{}", self.version.name)
    }
}

/// A stored plan, as the run that it is the preview of: who asks for it and of which runbook is known, and a policy that
/// hides such a run hides its plan.
#[derive(Clone)]
pub struct PlannedRun {
    /// The plan.
    pub(crate) plan: Arc<Plan>,
    /// Its digest.
    pub(crate) digest: Digest,
    /// Of no run: there may be none yet, or several.
    id: RunId,
}

#[async_trait]
impl Target for PlannedRun {
    type Key = Digest;
    const KIND: &'static str = "plan";
    const RESOURCE: ResourceKind = ResourceKind::Run;

    async fn load(app: &App, store: &TenantStore, key: &Digest) -> Result<Option<Self>, ReadError> {
        Ok(store.plan(*key).await?.map(|plan| Self {
            plan: Arc::new(plan),
            digest: *key,
            id: RunId::derive(app.now(), key),
        }))
    }

    fn resource(&self) -> Resource<'_> {
        Resource::Run {
            tenant: &self.plan.tenant,
            id: self.id,
            requester: &self.plan.requester,
            runbook: &self.plan.runbook,
        }
    }

    fn subject(&self) -> String {
        format!("plan/{}", self.digest)
    }
}

/// A stored plan, with the active version of its runbook.
#[derive(Clone)]
pub struct PlanOn {
    /// The runbook.
    pub(crate) runbook: RunbookOn,
    /// The plan.
    pub(crate) plan: Arc<Plan>,
    /// Its digest.
    pub(crate) digest: Digest,
}

#[async_trait]
impl Target for PlanOn {
    type Key = Digest;
    const KIND: &'static str = "plan";
    const RESOURCE: ResourceKind = ResourceKind::Runbook;

    async fn load(app: &App, store: &TenantStore, key: &Digest) -> Result<Option<Self>, ReadError> {
        let Some(plan) = store.plan(*key).await? else {
            return Ok(None);
        };
        let runbook = RunbookOn::load(app, store, &plan.runbook).await?;
        Ok(runbook.map(|runbook| Self {
            runbook,
            plan: Arc::new(plan),
            digest: *key,
        }))
    }

    fn resource(&self) -> Resource<'_> {
        self.runbook.resource()
    }

    fn subject(&self) -> String {
        format!("plan/{}", self.digest)
    }
}
