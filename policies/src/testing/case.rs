//! One case: builds the request that it describes, asks the gate, compares.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use clawd_model::{
    ApprovalId, DecisionKind, Labels, OperationSpec, Principal, PrincipalName, RunId, RunbookName,
    SeededEntropy, Server, ServerId, ServerName, TenantName, Timestamp,
};

use super::format::{Case, Expected, TestPrincipal, TestServer, Tests};
use super::{CaseReport, TestReport};
use crate::load::problem::{Code, Source, error};
use crate::names::DISTINCT;
use crate::{Action, Approvals, Bundle, ControlAction, Request, Resource, RunFacts, Vocabulary};

/// 2026-03-03T03:00:00Z, a Tuesday: when cases take place that do not say when.
const DEFAULT_NOW: Timestamp = Timestamp(1_772_506_800_000);

/// How many questions the cases of one file may ask together. Three lists in one case multiply.
const MAX_QUESTIONS: usize = 20_000;

/// The world of a test file.
struct World<'a> {
    bundle: &'a Bundle,
    tenant: TenantName,
    principals: Vec<Principal>,
    servers: BTreeMap<ServerName, Server>,
    runbooks: BTreeMap<RunbookName, Labels>,
    operations: BTreeMap<&'a str, &'a OperationSpec>,
    now: Timestamp,
}

/// Runs all cases of a file.
pub(super) fn run_all(
    bundle: &Bundle,
    vocabulary: &Vocabulary,
    source: &Source<'_>,
    tests: &Tests,
    report: &mut TestReport,
) {
    let mut complain = |message: String, place: Range<usize>| {
        report
            .problems
            .push(error(Code::TestShape, message).at(source, place).into());
    };
    let world = match World::of(bundle, vocabulary, tests) {
        Ok(world) => world,
        Err(message) => return complain(message, 0..0),
    };
    let mut cases = Vec::new();
    let mut questions = 0_usize;
    for (place, case) in &tests.cases {
        let lists = [
            case.principal.each().len(),
            case.action.each().len(),
            case.resource.each().len(),
        ];
        questions = questions.saturating_add(lists.into_iter().fold(1, usize::saturating_mul));
        if questions > MAX_QUESTIONS {
            let message = format!(
                "the cases up to `{}` ask more than {MAX_QUESTIONS} questions",
                case.name
            );
            return complain(message, place.clone());
        }
        let line = source.span(place.clone()).line;
        for principal in case.principal.each() {
            for action in case.action.each() {
                for resource in case.resource.each() {
                    match world.ask(case, principal, action, resource) {
                        Ok(report) => cases.push(CaseReport {
                            file: source.file.to_owned(),
                            line,
                            ..report
                        }),
                        Err(message) => complain(format!("case `{}`: {message}", case.name), place.clone()),
                    }
                }
            }
        }
    }
    report.cases.extend(cases);
}

fn moment(text: &str) -> Result<Timestamp, String> {
    Timestamp::from_rfc3339(text)
        .ok_or_else(|| format!("`{text}` is not a time such as `2026-03-03T03:00:00Z`"))
}

impl<'a> World<'a> {
    fn of(bundle: &'a Bundle, vocabulary: &'a Vocabulary, tests: &Tests) -> Result<Self, String> {
        let tenant = match &tests.tenant {
            Some(tenant) => tenant.clone(),
            None => "test"
                .parse()
                .map_err(|problem: clawd_model::InvalidName| problem.to_string())?,
        };
        let now = tests.now.as_deref().map_or(Ok(DEFAULT_NOW), moment)?;
        let principals = tests
            .principals
            .iter()
            .map(|(name, given)| principal(name, given, &tenant));
        let servers = tests
            .servers
            .iter()
            .map(|(name, given)| (name.clone(), server(name, given, &tenant)));
        let runbooks = tests
            .runbooks
            .iter()
            .map(|(name, given)| (name.clone(), given.labels.clone()));
        Ok(Self {
            bundle,
            principals: principals.collect(),
            servers: servers.collect(),
            runbooks: runbooks.collect(),
            operations: vocabulary
                .operations
                .iter()
                .map(|spec| (spec.name.action(), spec))
                .collect(),
            tenant,
            now,
        })
    }

    fn principal(&self, name: &PrincipalName) -> Result<&Principal, String> {
        let found = self.principals.iter().find(|principal| principal.name == *name);
        found.ok_or_else(|| format!("there is no principal `{name}` in `principals`"))
    }

    fn action(&self, name: &str) -> Result<Action<'a>, String> {
        if let Some(spec) = self.operations.get(name) {
            return Ok(Action::Operation(spec));
        }
        let control = ControlAction::ALL.iter().find(|action| action.as_str() == name);
        control
            .map(|action| Action::Control(*action))
            .ok_or_else(|| format!("there is no action `{name}`"))
    }

    fn ask(
        &self,
        case: &Case,
        principal: &PrincipalName,
        action: &str,
        resource: &str,
    ) -> Result<CaseReport, String> {
        let principal = self.principal(principal)?;
        let action = self.action(action)?;
        let requester = case.requester.as_ref().unwrap_or(&principal.name);
        // What a case does not name is called like this.
        let unnamed: RunbookName = "runbook"
            .parse()
            .map_err(|e: clawd_model::InvalidName| e.to_string())?;
        let none = Labels::new();
        let runbook = case.runbook.as_ref().unwrap_or(&unnamed);
        let labels = self.runbooks.get(runbook).unwrap_or(&none);
        let operator = self
            .principal(requester)
            .ok()
            .and_then(|requester| requester.operator.as_ref());
        let about = Resource::Approval {
            tenant: &self.tenant,
            id: Some(ApprovalId::new(Timestamp(0), &SeededEntropy::new(0))),
            requester,
            operator,
            runbook: Some(runbook),
        };
        let run = RunFacts {
            runbook,
            labels,
            requester,
        };
        let resource = match resource.split_once('/') {
            None if resource == "tenant" => Resource::Tenant(&self.tenant),
            None if resource == "controller" => Resource::Controller(&self.tenant),
            None if resource == "run" => Resource::Run {
                tenant: &self.tenant,
                id: RunId::new(Timestamp(0), &SeededEntropy::new(0)),
                requester,
                runbook,
            },
            None if resource == "approval" => about,
            Some(("server", name)) => {
                let server = self.servers.get(name);
                Resource::Server(server.ok_or_else(|| format!("there is no server `{name}` in `servers`"))?)
            }
            Some(("runbook", name)) => {
                let found = self.runbooks.get_key_value(name);
                let (name, labels) =
                    found.ok_or_else(|| format!("there is no runbook `{name}` in `runbooks`"))?;
                Resource::Runbook {
                    tenant: &self.tenant,
                    name,
                    labels,
                }
            }
            _ => return Err(format!("`{resource}` is no resource")),
        };
        let now = case.now.as_deref().map_or(Ok(self.now), moment)?;
        let approvals = self.votes(case, about, now)?;
        let request = Request {
            principal,
            action,
            resource,
            run: matches!(action, Action::Operation(_)).then_some(run),
            approvals: &approvals,
            now,
        };
        let decision = self.bundle.decide(&request, &self.principals);
        let differences = differences(case, &decision);
        Ok(CaseReport {
            file: String::new(),
            line: 0,
            name: case.name.clone(),
            question: request.describe(),
            passed: differences.is_empty(),
            differences,
            decision,
        })
    }

    fn votes(&self, case: &Case, about: Resource<'_>, now: Timestamp) -> Result<Approvals, String> {
        let mut approvals = Approvals {
            break_glass: case.break_glass,
            ..Approvals::none()
        };
        for name in &case.votes {
            let voter = self.principal(name)?;
            if self.bundle.decide_vote(voter, about, now).is_allow() {
                approvals.add(voter);
            }
        }
        Ok(approvals)
    }
}

fn principal(name: &PrincipalName, given: &TestPrincipal, tenant: &TenantName) -> Principal {
    Principal {
        tenant: given.tenant.as_ref().unwrap_or(tenant).clone(),
        kind: given.kind,
        name: name.clone(),
        display_name: String::new(),
        groups: given.groups.clone(),
        operator: given.operator.clone(),
        disabled: given.disabled,
    }
}

fn server(name: &ServerName, given: &TestServer, tenant: &TenantName) -> Server {
    Server {
        id: ServerId::new(Timestamp(0), &SeededEntropy::new(0)),
        tenant: given.tenant.as_ref().unwrap_or(tenant).clone(),
        name: name.clone(),
        provider: given.provider,
        address: String::new(),
        env: given.env.clone(),
        labels: given.labels.clone(),
        protected: given.protected,
        host_key: None,
        identity: None,
        facts: None,
        version: 1,
    }
}

fn differences(case: &Case, decision: &clawd_model::Decision) -> Vec<String> {
    let mut differences = Vec::new();
    let mut differ = |what: &str, expected: String, found: String| {
        if expected != found {
            differences.push(format!("{what}: expected {expected}, found {found}"));
        }
    };
    let word = |expected| match expected {
        Expected::Allow => "allow",
        Expected::Deny => "deny",
        Expected::NeedsApproval => "needs-approval",
    };
    let found = match &decision.kind {
        DecisionKind::Allow => Expected::Allow,
        DecisionKind::Deny => Expected::Deny,
        DecisionKind::NeedsApproval { .. } => Expected::NeedsApproval,
    };
    differ("decision", word(case.expect).to_owned(), word(found).to_owned());
    if let Some(policies) = &case.policies {
        let expected: BTreeSet<&String> = policies.iter().collect();
        let found: BTreeSet<&String> = decision.policies.iter().collect();
        differ("policies", format!("{expected:?}"), format!("{found:?}"));
    }
    let alternatives = match &decision.kind {
        DecisionKind::NeedsApproval { missing, .. } => missing.as_slice(),
        DecisionKind::Allow | DecisionKind::Deny => &[],
    };
    if let Some(missing) = &case.missing {
        let expected: BTreeSet<&BTreeMap<String, u32>> = missing.iter().collect();
        let found: Vec<BTreeMap<String, u32>> = alternatives
            .iter()
            .map(|alternative| {
                let groups = alternative
                    .groups
                    .iter()
                    .map(|(group, more)| (group.to_string(), *more));
                let distinct =
                    (alternative.distinct > 0).then(|| (DISTINCT.to_owned(), alternative.distinct));
                groups.chain(distinct).collect()
            })
            .collect();
        let found: BTreeSet<&BTreeMap<String, u32>> = found.iter().collect();
        differ("missing votes", format!("{expected:?}"), format!("{found:?}"));
    }
    if let Some(candidates) = &case.candidates {
        let expected: BTreeSet<&PrincipalName> = candidates.iter().collect();
        let found: BTreeSet<&PrincipalName> = alternatives.iter().flat_map(|one| &one.candidates).collect();
        differ("candidates", format!("{expected:?}"), format!("{found:?}"));
    }
    for text in &case.reasons {
        if !decision.reasons.iter().any(|reason| reason.contains(text)) {
            differences.push(format!("reasons: none contains `{text}`: {:?}", decision.reasons));
        }
    }
    differences
}
