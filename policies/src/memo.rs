//! Remembers answers: the same question gets the same answer without asking Cedar again.
//!
//! A run asks the same question for step after step. An answer is a function of the bundle and of the whole
//! request, so it is remembered under everything of the request that policies could observe; only the time is
//! left out, and an answer that a policy that reads the time took part in is never remembered. Of decisions only
//! allows are: anything else is worked out anew, since it also depends on who could vote.

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};

use clawd_model::{
    ApprovalId, GroupName, Labels, PrincipalKind, PrincipalName, RunId, RunbookName, Server, ServerName,
    ServerProvider, TenantName,
};

use crate::{Approvals, Request, Resource};

/// How many answers are remembered before all are forgotten.
const MEMO_MAX: usize = 8192;

/// Answers, by question.
pub(crate) struct Memo<T> {
    answers: RwLock<HashMap<Question, T>>,
}

impl<T> Default for Memo<T> {
    fn default() -> Self {
        Self {
            answers: RwLock::default(),
        }
    }
}

/// Everything that policies could observe of a request, but the time.
#[derive(PartialEq, Eq, Hash)]
pub(crate) struct Question {
    principal: Asker,
    action: u16,
    resource: Subject,
    run: Option<(RunbookName, Labels, PrincipalName)>,
    approvals: Approvals,
}

#[derive(PartialEq, Eq, Hash)]
struct Asker {
    tenant: TenantName,
    kind: PrincipalKind,
    name: PrincipalName,
    groups: Vec<GroupName>,
    operator: Option<PrincipalName>,
    disabled: bool,
}

#[derive(PartialEq, Eq, Hash)]
enum Subject {
    Tenant(TenantName),
    Controller(TenantName),
    Server {
        tenant: TenantName,
        name: ServerName,
        provider: ServerProvider,
        env: String,
        labels: Labels,
        protected: bool,
    },
    Run(TenantName, RunId, PrincipalName, RunbookName),
    Approval(
        TenantName,
        Option<ApprovalId>,
        PrincipalName,
        Option<PrincipalName>,
        Option<RunbookName>,
    ),
    Runbook(TenantName, RunbookName, Labels),
}

impl Subject {
    fn of(resource: Resource<'_>) -> Self {
        match resource {
            Resource::Tenant(tenant) => Self::Tenant(tenant.clone()),
            Resource::Controller(tenant) => Self::Controller(tenant.clone()),
            Resource::Server(server) => Self::server(server),
            Resource::Run {
                tenant,
                id,
                requester,
                runbook,
            } => Self::Run(tenant.clone(), id, requester.clone(), runbook.clone()),
            Resource::Approval {
                tenant,
                id,
                requester,
                operator,
                runbook,
            } => Self::Approval(
                tenant.clone(),
                id,
                requester.clone(),
                operator.cloned(),
                runbook.cloned(),
            ),
            Resource::Runbook { tenant, name, labels } => {
                Self::Runbook(tenant.clone(), name.clone(), labels.clone())
            }
        }
    }

    fn server(server: &Server) -> Self {
        Self::Server {
            tenant: server.tenant.clone(),
            name: server.name.clone(),
            provider: server.provider,
            env: server.env.clone(),
            labels: server.labels.clone(),
            protected: server.protected,
        }
    }
}

impl Question {
    pub(crate) fn of(request: &Request<'_>, action: u16) -> Self {
        let principal = request.principal;
        Self {
            principal: Asker {
                tenant: principal.tenant.clone(),
                kind: principal.kind,
                name: principal.name.clone(),
                groups: principal.groups.clone(),
                operator: principal.operator.clone(),
                disabled: principal.disabled,
            },
            action,
            resource: Subject::of(request.resource),
            run: request
                .run
                .map(|run| (run.runbook.clone(), run.labels.clone(), run.requester.clone())),
            approvals: request.approvals.clone(),
        }
    }
}

impl<T: Clone> Memo<T> {
    /// The answer that this question got before.
    pub(crate) fn recall(&self, question: &Question) -> Option<T> {
        let answers = self.answers.read().unwrap_or_else(PoisonError::into_inner);
        answers.get(question).cloned()
    }

    /// Remembers an answer.
    pub(crate) fn remember(&self, question: Question, answer: &T) {
        let mut answers = self.answers.write().unwrap_or_else(PoisonError::into_inner);
        if answers.len() >= MEMO_MAX {
            answers.clear();
        }
        answers.insert(question, answer.clone());
    }
}

#[cfg(test)]
mod tests;
