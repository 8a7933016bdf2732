//! What the gate would say, and why: policy by policy.

use std::collections::BTreeMap;

use clawd_model::api::{Explain, ExplanationView, PolicyPartView};
use clawd_model::{Labels, OperationName, OperationSpec, Principal, RunbookName, Server};
use clawd_policy::{
    Action, Approvals, ControlAction, Outcome, PolicyOutcome, Request, Resource, ResourceKind, RunFacts,
};
use clawd_store::ReadError;

use crate::error::{Class, Explained};
use crate::gate::{Permit, PolicyRead};

/// Nothing can be explained.
#[derive(Debug, thiserror::Error)]
pub enum ExplainError {
    /// The tenant has no policies.
    #[error("the tenant has no policies")]
    NoPolicies,
    /// Nobody or nothing of that name is there.
    #[error("there is no {kind} `{name}`")]
    Unknown {
        /// What kind of thing.
        kind: &'static str,
        /// What was asked for.
        name: String,
    },
    /// The action cannot be asked for on that.
    #[error("`{action}` is asked for on {wanted}")]
    Mismatch {
        /// The action.
        action: String,
        /// What the question has to name.
        wanted: &'static str,
    },
    /// The store could not be read.
    #[error("the store could not be read")]
    Read(#[from] ReadError),
}

impl Explained for ExplainError {
    fn class(&self) -> Class {
        match self {
            Self::NoPolicies | Self::Unknown { .. } => Class::NotFound,
            Self::Mismatch { .. } => Class::Invalid,
            Self::Read(_) => Class::Internal,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::NoPolicies => "no-policies",
            Self::Unknown { .. } => "not-found",
            Self::Mismatch { .. } => "question-mismatch",
            Self::Read(_) => "store",
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Unknown { kind: "action", .. } => Some(
                "actions are operations, such as `pkg.apply@v1`, and those of the control plane, such as `run.start`"
                    .to_owned(),
            ),
            _ => None,
        }
    }
}

enum Asked<'a> {
    Operation(&'a OperationSpec),
    Control(ControlAction),
}

/// What the gate would say, and why. Nothing is audited: nobody does anything.
///
/// # Errors
/// When the question names something that is not there.
pub async fn explain(
    permit: &Permit<PolicyRead>,
    question: &Explain,
) -> Result<ExplanationView, ExplainError> {
    let bundle = permit
        .app()
        .policies()
        .current(permit.tenant())
        .ok_or(ExplainError::NoPolicies)?;
    let electorate = permit.store().principals().await?;
    let principal = match &question.principal {
        None => permit.caller().principal(),
        Some(name) => electorate
            .iter()
            .find(|principal| principal.name == *name)
            .ok_or_else(|| ExplainError::Unknown {
                kind: "principal",
                name: name.to_string(),
            })?,
    };
    let server = match &question.server {
        None => None,
        Some(name) => {
            let found = permit.store().server_by_name(name).await?;
            Some(found.ok_or_else(|| ExplainError::Unknown {
                kind: "server",
                name: name.to_string(),
            })?)
        }
    };
    let labels = labels(permit, question.runbook.as_ref()).await?;
    let asked = action(permit, &question.action)?;
    let resource = resource(permit, &asked, question, server.as_ref(), &labels, principal)?;
    let approvals = Approvals {
        distinct: question.votes,
        groups: question.group_votes.clone(),
        ..Approvals::none()
    };
    let run = question
        .runbook
        .as_ref()
        .filter(|_| matches!(asked, Asked::Operation(_)));
    let request = Request {
        principal,
        action: match asked {
            Asked::Operation(spec) => Action::Operation(spec),
            Asked::Control(action) => Action::Control(action),
        },
        resource,
        run: run.map(|runbook| RunFacts {
            runbook,
            labels: &labels,
            requester: &principal.name,
        }),
        approvals: &approvals,
        now: permit.app().now(),
    };
    let explanation = bundle.explain(&request, &electorate);
    Ok(ExplanationView {
        question: explanation.question,
        decision: explanation.decision,
        policies: explanation.policies.into_iter().map(part).collect(),
        of: u32::try_from(explanation.of).unwrap_or(u32::MAX),
    })
}

fn action<'a>(permit: &'a Permit<PolicyRead>, text: &str) -> Result<Asked<'a>, ExplainError> {
    if let Some(action) = ControlAction::ALL.iter().find(|action| action.as_str() == text) {
        return Ok(Asked::Control(*action));
    }
    let specs = permit.app().registry().specs();
    let spec = match text.parse::<OperationName>() {
        Ok(name) => specs.get(&name),
        // Without its version: the newest.
        Err(_) => specs.values().rev().find(|spec| spec.name.action() == text),
    };
    spec.map(Asked::Operation).ok_or_else(|| ExplainError::Unknown {
        kind: "action",
        name: text.to_owned(),
    })
}

async fn labels(permit: &Permit<PolicyRead>, runbook: Option<&RunbookName>) -> Result<Labels, ExplainError> {
    let Some(name) = runbook else {
        return Ok(BTreeMap::new());
    };
    let version = permit.store().runbook(name).await?;
    let version = version.ok_or_else(|| ExplainError::Unknown {
        kind: "runbook",
        name: name.to_string(),
    })?;
    let workflow = permit.app().workflow(version.digest, &version.source);
    Ok(workflow
        .map(|workflow| workflow.labels.clone())
        .unwrap_or_default())
}

fn resource<'a>(
    permit: &'a Permit<PolicyRead>,
    asked: &Asked<'_>,
    question: &'a Explain,
    server: Option<&'a Server>,
    labels: &'a Labels,
    principal: &'a Principal,
) -> Result<Resource<'a>, ExplainError> {
    let tenant = permit.tenant();
    let action = match asked {
        Asked::Operation(_) => return Ok(server.map_or(Resource::Controller(tenant), Resource::Server)),
        Asked::Control(action) => *action,
    };
    let may_be = |kind: ResourceKind| action.resources().contains(&kind);
    let mismatch = |wanted| ExplainError::Mismatch {
        action: action.as_str().to_owned(),
        wanted,
    };
    match (server, &question.runbook) {
        (Some(server), _) if may_be(ResourceKind::Server) => Ok(Resource::Server(server)),
        (_, Some(name)) if may_be(ResourceKind::Runbook) => Ok(Resource::Runbook { tenant, name, labels }),
        _ if may_be(ResourceKind::Tenant) => Ok(Resource::Tenant(tenant)),
        _ if may_be(ResourceKind::Approval) => Ok(Resource::Approval {
            tenant,
            id: None,
            requester: &permit.caller().principal().name,
            operator: permit.caller().principal().operator.as_ref(),
            runbook: question.runbook.as_ref(),
        }),
        (_, Some(runbook)) if may_be(ResourceKind::Run) => {
            let id = clawd_model::RunId::new(permit.app().now(), permit.app().entropy());
            Ok(Resource::Run {
                tenant,
                id,
                requester: &principal.name,
                runbook,
            })
        }
        _ if may_be(ResourceKind::Server) => Err(mismatch("a server; name one")),
        _ => Err(mismatch("a runbook or a run of one; name the runbook")),
    }
}

fn part(part: PolicyOutcome) -> PolicyPartView {
    let (outcome, error) = match part.outcome {
        Outcome::Failed { error } => ("failed", Some(error)),
        Outcome::Applies => ("applies", None),
        Outcome::AsksForVotes => ("asks_for_votes", None),
        Outcome::LiftedByVotes => ("lifted_by_votes", None),
        Outcome::DoesNotApply => ("does_not_apply", None),
    };
    PolicyPartView {
        id: part.policy.id,
        reason: part.policy.reason,
        file: part.policy.file,
        line: part.policy.span.line,
        outcome: outcome.to_owned(),
        error,
    }
}
