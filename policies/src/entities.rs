//! A request becomes what Cedar evaluates: a request of its own, and a few entities.
//!
//! No entity is checked against the schema again: everything is built here, from typed values, in the shape that
//! [`crate::schema`] declares. A test checks that shape for every kind of principal and resource.

use std::collections::{BTreeSet, HashMap};

use cedar_policy::{Context, Entities, Entity, EntityUid, RestrictedExpression};
use clawd_model::{GroupName, Labels, Principal, Timestamp};

use crate::action::ActionInfo;
use crate::facts::Facts;
use crate::names::{BREAK_GLASS, DISTINCT, TYPES, uid};
use crate::{Approvals, Request, Resource, RunFacts};

/// The groups of the vocabulary as Cedar entities. A group that no policy can name has no effect, and is left out.
pub(crate) struct Groups {
    uids: HashMap<GroupName, EntityUid>,
    names: BTreeSet<GroupName>,
}

impl Groups {
    pub(crate) fn new(names: &BTreeSet<GroupName>) -> Self {
        let uids = names
            .iter()
            .map(|name| (name.clone(), uid(&TYPES.group, name.as_str())));
        Self {
            uids: uids.collect(),
            names: names.clone(),
        }
    }

    pub(crate) fn names(&self) -> &BTreeSet<GroupName> {
        &self.names
    }

    fn of<'a>(&'a self, principal: &'a Principal) -> impl Iterator<Item = EntityUid> + 'a {
        principal
            .groups
            .iter()
            .filter_map(|group| self.uids.get(group).cloned())
    }
}

/// Why a request cannot be put to Cedar. Any of these is a deny.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unaskable {
    /// A value that Cedar cannot hold, such as a time outside of its calendar.
    #[error("a value of the request cannot be evaluated: {0}")]
    Value(String),
}

fn unaskable(problem: impl std::fmt::Display) -> Unaskable {
    Unaskable::Value(problem.to_string())
}

type Attributes = Vec<(String, RestrictedExpression)>;

fn text(value: &str) -> RestrictedExpression {
    RestrictedExpression::new_string(value.to_owned())
}

/// Collects the attributes that somebody can observe.
struct Observed {
    facts: Facts,
    attributes: Attributes,
}

impl Observed {
    fn text(&mut self, fact: Facts, name: &str, value: &str) {
        if self.facts.has(fact) {
            self.attributes.push((name.to_owned(), text(value)));
        }
    }

    fn bool(&mut self, fact: Facts, name: &str, value: bool) {
        if self.facts.has(fact) {
            let value = RestrictedExpression::new_bool(value);
            self.attributes.push((name.to_owned(), value));
        }
    }

    fn tags(&self, labels: &Labels) -> Attributes {
        if !self.facts.has(Facts::TAGS) {
            return Vec::new();
        }
        labels
            .iter()
            .map(|(key, value)| (key.clone(), text(value)))
            .collect()
    }
}

fn observed(facts: Facts) -> Observed {
    Observed {
        facts,
        attributes: Vec::with_capacity(5),
    }
}

pub(crate) fn principal_uid(principal: &Principal) -> EntityUid {
    uid(TYPES.principal(principal.kind), principal.name.as_str())
}

fn principal(principal: &Principal, groups: &Groups, facts: Facts) -> Result<Entity, Unaskable> {
    let mut seen = observed(facts);
    seen.text(Facts::TENANT, "tenant", principal.tenant.as_str());
    seen.text(Facts::NAME, "name", principal.name.as_str());
    seen.bool(Facts::DISABLED, "disabled", principal.disabled);
    if principal.kind == clawd_model::PrincipalKind::Agent
        && let Some(operator) = &principal.operator
    {
        seen.text(Facts::OPERATOR, "operator", operator.as_str());
    }
    let parents: Vec<EntityUid> = if facts.has(Facts::GROUPS) {
        groups.of(principal).collect()
    } else {
        Vec::new()
    };
    Entity::new_with_tags(principal_uid(principal), seen.attributes, parents, []).map_err(unaskable)
}

pub(crate) fn resource_uid(resource: Resource<'_>) -> EntityUid {
    uid(TYPES.resource(resource.kind()), &resource.entity_id())
}

fn resource(resource: Resource<'_>, facts: Facts) -> Result<Entity, Unaskable> {
    let mut seen = observed(facts);
    let mut tags = Vec::new();
    seen.text(Facts::TENANT, "tenant", resource.tenant().as_str());
    match resource {
        Resource::Tenant(_) | Resource::Controller(_) => {}
        Resource::Server(server) => {
            seen.text(Facts::NAME, "name", server.name.as_str());
            seen.text(Facts::ENV, "env", &server.env);
            seen.text(Facts::PROVIDER, "provider", server.provider.as_str());
            seen.bool(Facts::PROTECTED, "protected", server.protected);
            tags = seen.tags(&server.labels);
        }
        Resource::Run {
            requester, runbook, ..
        } => {
            seen.text(Facts::REQUESTER, "requester", requester.as_str());
            seen.text(Facts::RUNBOOK, "runbook", runbook.as_str());
        }
        Resource::Approval {
            requester,
            operator,
            runbook,
            ..
        } => {
            seen.text(Facts::REQUESTER, "requester", requester.as_str());
            if let Some(operator) = operator {
                seen.text(Facts::OPERATOR, "operator", operator.as_str());
            }
            if let Some(runbook) = runbook {
                seen.text(Facts::RUNBOOK, "runbook", runbook.as_str());
            }
        }
        Resource::Runbook { name, labels, .. } => {
            seen.text(Facts::NAME, "name", name.as_str());
            tags = seen.tags(labels);
        }
    }
    Entity::new_with_tags(resource_uid(resource), seen.attributes, [], tags).map_err(unaskable)
}

/// The counts of votes.
pub(crate) fn votes(approvals: &Approvals, groups: &Groups) -> Result<Entity, Unaskable> {
    let counts = groups.names().iter().map(|group| {
        let count = RestrictedExpression::new_long(approvals.of(group.as_str()).into());
        (group.as_str().to_owned(), count)
    });
    let own = [
        (
            DISTINCT.to_owned(),
            RestrictedExpression::new_long(approvals.distinct.into()),
        ),
        (
            BREAK_GLASS.to_owned(),
            RestrictedExpression::new_bool(approvals.break_glass),
        ),
    ];
    Entity::new_with_tags(TYPES.votes.clone(), counts.chain(own), [], []).map_err(unaskable)
}

/// The principal, the resource, and the runbook of the run: everything but votes and the action.
pub(crate) fn parties(
    request: &Request<'_>,
    groups: &Groups,
    facts: Facts,
) -> Result<Vec<Entity>, Unaskable> {
    let mut entities = Vec::with_capacity(4);
    entities.push(principal(request.principal, groups, facts)?);
    entities.push(resource(request.resource, facts)?);
    if let Some(run) = run_of(request, facts) {
        let runbook = Resource::Runbook {
            tenant: request.resource.tenant(),
            name: run.runbook,
            labels: run.labels,
        };
        if resource_uid(runbook) != resource_uid(request.resource) {
            entities.push(resource(runbook, facts)?);
        }
    }
    Ok(entities)
}

fn run_of<'a>(request: &Request<'a>, facts: Facts) -> Option<RunFacts<'a>> {
    request.run.filter(|_| facts.has(Facts::RUN))
}

/// All entities that a decision needs, of policies that can observe `facts`.
pub(crate) fn all(
    request: &Request<'_>,
    action: &ActionInfo,
    approvals: &Approvals,
    groups: &Groups,
    facts: Facts,
) -> Result<Entities, Unaskable> {
    let mut entities = parties(request, groups, facts)?;
    let base = match &action.without_votes {
        Some(prepared) if approvals.are_none() => prepared,
        _ => {
            if facts.has(Facts::APPROVALS) {
                entities.push(votes(approvals, groups)?);
            }
            &action.entities
        }
    };
    base.clone().add_entities(entities, None).map_err(unaskable)
}

/// The context.
pub(crate) fn context(request: &Request<'_>, facts: Facts) -> Result<Context, Unaskable> {
    let mut pairs = Vec::with_capacity(3);
    if facts.has(Facts::APPROVALS) {
        let votes = RestrictedExpression::new_entity_uid(TYPES.votes.clone());
        pairs.push(("approvals".to_owned(), votes));
    }
    if let Some(run) = run_of(request, facts) {
        let runbook = RestrictedExpression::new_entity_uid(uid(&TYPES.runbook, run.runbook.as_str()));
        let fields = [
            ("runbook".to_owned(), runbook),
            ("requester".to_owned(), text(run.requester.as_str())),
        ];
        pairs.push((
            "run".to_owned(),
            RestrictedExpression::new_record(fields).map_err(unaskable)?,
        ));
    }
    if facts.has(Facts::NOW) {
        let now = RestrictedExpression::new_datetime(cedar_time(request.now));
        pairs.push(("now".to_owned(), now));
    }
    Context::from_pairs(pairs).map_err(unaskable)
}

/// Cedar reads exactly three digits of a fraction of a second.
fn cedar_time(at: Timestamp) -> String {
    let seconds = Timestamp(at.0.div_euclid(1000) * 1000).to_rfc3339();
    let seconds = seconds.trim_end_matches('Z');
    format!("{seconds}.{:03}Z", at.0.rem_euclid(1000))
}

/// The request as Cedar sees it.
pub(crate) fn question(
    request: &Request<'_>,
    action: &ActionInfo,
    facts: Facts,
) -> Result<cedar_policy::Request, Unaskable> {
    cedar_policy::Request::new(
        principal_uid(request.principal),
        action.uid.clone(),
        resource_uid(request.resource),
        context(request, facts)?,
        None,
    )
    .map_err(unaskable)
}

#[cfg(test)]
mod tests;
