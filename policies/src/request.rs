//! What is asked of the gate: who, what, on what, with which votes, when.

use clawd_model::{
    ApprovalId, Labels, OperationSpec, Principal, PrincipalName, RunId, RunbookName, Server, TenantName,
    Timestamp,
};

use crate::{Approvals, ControlAction};

/// What is to be done.
#[derive(Clone, Copy, Debug)]
pub enum Action<'a> {
    /// An operation on a server or at the controller.
    Operation(&'a OperationSpec),
    /// An action on the control plane.
    Control(ControlAction),
}

impl<'a> Action<'a> {
    /// The action's name in policies: `pkg.apply`, `run.start`.
    #[must_use]
    pub fn as_str(self) -> &'a str {
        match self {
            Self::Operation(spec) => spec.name.action(),
            Self::Control(action) => action.as_str(),
        }
    }
}

/// The kinds of resource: the entity types that an action can be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ResourceKind {
    /// The tenant itself: lists, and what belongs to nothing smaller.
    Tenant,
    /// A managed machine.
    Server,
    /// The controller: operations that need no server.
    Controller,
    /// A run.
    Run,
    /// A request for votes.
    Approval,
    /// A runbook.
    Runbook,
}

impl ResourceKind {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Tenant,
        Self::Server,
        Self::Controller,
        Self::Run,
        Self::Approval,
        Self::Runbook,
    ];

    /// The Cedar entity type.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Tenant => "Tenant",
            Self::Server => "Server",
            Self::Controller => "Controller",
            Self::Run => "Run",
            Self::Approval => "Approval",
            Self::Runbook => "Runbook",
        }
    }
}

/// What it is to be done on.
#[derive(Clone, Copy, Debug)]
pub enum Resource<'a> {
    /// The tenant itself.
    Tenant(&'a TenantName),
    /// A managed machine.
    Server(&'a Server),
    /// The controller, on behalf of a tenant.
    Controller(&'a TenantName),
    /// A run.
    Run {
        /// Whose.
        tenant: &'a TenantName,
        /// Which.
        id: RunId,
        /// Who started it.
        requester: &'a PrincipalName,
        /// Of which runbook.
        runbook: &'a RunbookName,
    },
    /// A request for votes.
    Approval {
        /// Whose.
        tenant: &'a TenantName,
        /// Which; absent when one is only considered.
        id: Option<ApprovalId>,
        /// Who started the run.
        requester: &'a PrincipalName,
        /// For an agent's run: the person who answers for the agent.
        operator: Option<&'a PrincipalName>,
        /// Of which runbook.
        runbook: Option<&'a RunbookName>,
    },
    /// A runbook.
    Runbook {
        /// Whose.
        tenant: &'a TenantName,
        /// Its name.
        name: &'a RunbookName,
        /// Its labels.
        labels: &'a Labels,
    },
}

impl<'a> Resource<'a> {
    /// Its kind.
    #[must_use]
    pub const fn kind(self) -> ResourceKind {
        match self {
            Self::Tenant(_) => ResourceKind::Tenant,
            Self::Server(_) => ResourceKind::Server,
            Self::Controller(_) => ResourceKind::Controller,
            Self::Run { .. } => ResourceKind::Run,
            Self::Approval { .. } => ResourceKind::Approval,
            Self::Runbook { .. } => ResourceKind::Runbook,
        }
    }

    /// Whose it is.
    #[must_use]
    pub const fn tenant(self) -> &'a TenantName {
        match self {
            Self::Tenant(tenant) | Self::Controller(tenant) => tenant,
            Self::Server(server) => &server.tenant,
            Self::Run { tenant, .. } | Self::Approval { tenant, .. } | Self::Runbook { tenant, .. } => tenant,
        }
    }

    /// The Cedar id of the entity, as a policy names it: `Server::"web-1"`.
    #[must_use]
    pub fn entity_id(self) -> std::borrow::Cow<'a, str> {
        match self {
            Self::Tenant(tenant) | Self::Controller(tenant) => tenant.as_str().into(),
            Self::Server(server) => server.name.as_str().into(),
            Self::Run { id, .. } => id.to_string().into(),
            Self::Approval { id, .. } => id.map_or("considered".into(), |id| id.to_string().into()),
            Self::Runbook { name, .. } => name.as_str().into(),
        }
    }
}

/// The run that a step belongs to, or that is being planned.
#[derive(Clone, Copy, Debug)]
pub struct RunFacts<'a> {
    /// Of which runbook.
    pub runbook: &'a RunbookName,
    /// That runbook's labels.
    pub labels: &'a Labels,
    /// Who started the run.
    pub requester: &'a PrincipalName,
}

/// One question to the gate.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// Who asks. For a step: the run's requester.
    pub principal: &'a Principal,
    /// What is to be done.
    pub action: Action<'a>,
    /// On what.
    pub resource: Resource<'a>,
    /// The run, when there is one.
    pub run: Option<RunFacts<'a>>,
    /// The valid votes.
    pub approvals: &'a Approvals,
    /// When.
    pub now: Timestamp,
}

impl Request<'_> {
    /// Who, what and on what, for people.
    #[must_use]
    pub fn describe(&self) -> String {
        format!(
            "{} `{}` to do `{}` on {} `{}`",
            self.principal.kind.as_str().to_lowercase(),
            self.principal.name,
            self.action.as_str(),
            self.resource.kind().as_str().to_lowercase(),
            self.resource.entity_id(),
        )
    }
}
