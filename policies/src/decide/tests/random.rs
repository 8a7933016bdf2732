//! Random bundles and random questions, from a seed.

use std::fmt::Write as _;

use clawd_model::{Labels, Principal, PrincipalKind, PrincipalName, RunbookName, Server};

use super::world::{World, principal, server};
use crate::{Action, Approvals, ControlAction, Request, Resource, RunFacts};

/// SplitMix64.
pub(super) struct Random(pub(super) u64);

impl Random {
    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(super) fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(limit).unwrap()).unwrap()
    }

    pub(super) fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    pub(super) fn pick<T: Copy>(&mut self, items: &[T]) -> T {
        items[self.below(items.len())]
    }
}

const GROUPS: [&str; 4] = ["operator", "sre", "security", "viewer"];
const ENVS: [&str; 3] = ["prod", "staging", "dev"];
const PEOPLE: [&str; 4] = ["ana", "ben", "cho", "dot"];
const OPERATIONS: [&str; 4] = ["pkg.apply", "host.facts", "shell", "notify"];
const KINDS: [PrincipalKind; 4] = crate::names::PRINCIPAL_KINDS;

/// `approvals.sre >= 2 && (…)`, three deep at most. Only comparisons that more votes make true.
fn votes(random: &mut Random, depth: usize) -> String {
    if depth > 0 && random.chance(55) {
        let operator = if random.chance(50) { "&&" } else { "||" };
        let (left, right) = (votes(random, depth - 1), votes(random, depth - 1));
        return format!("({left} {operator} {right})");
    }
    let count = random.pick(&["sre", "security", "distinct", "operator"]);
    let number = 1 + random.below(3);
    match random.below(4) {
        0 => format!("context.approvals.{count} > {}", number - 1),
        1 => format!("{number} <= context.approvals.{count}"),
        2 => format!("!(context.approvals.{count} < {number})"),
        _ => format!("context.approvals.{count} >= {number}"),
    }
}

/// A condition on anything but votes, about servers if they are in scope.
fn condition(random: &mut Random, servers: bool) -> String {
    let group = random.pick(&GROUPS);
    let person = random.pick(&PEOPLE);
    match random.below(if servers { 9 } else { 5 }) {
        0 => format!("principal in Group::\"{group}\""),
        1 => format!("principal.name == \"{person}\""),
        2 => format!("!(principal in Group::\"{group}\")"),
        3 => format!("context has run && context.run.requester == \"{person}\""),
        4 => "context has run && context.run.runbook.hasTag(\"risk\") && context.run.runbook.getTag(\"risk\") == \"high\"".to_owned(),
        5 => format!("resource.env == \"{}\"", random.pick(&ENVS)),
        6 => "resource.protected".to_owned(),
        7 => "resource.hasTag(\"role\") && resource.getTag(\"role\") == \"web\"".to_owned(),
        _ => format!("[\"{}\", \"x\"].contains(resource.env)", random.pick(&ENVS)),
    }
}

fn principal_scope(random: &mut Random) -> String {
    match random.below(8) {
        0 => format!("principal == User::\"{}\"", random.pick(&PEOPLE)),
        1 | 2 => format!("principal in Group::\"{}\"", random.pick(&GROUPS)),
        3 => format!("principal is {}", random.pick(&KINDS).as_str()),
        4 => format!("principal is User in Group::\"{}\"", random.pick(&GROUPS)),
        5 => format!("principal in User::\"{}\"", random.pick(&PEOPLE)),
        _ => "principal".to_owned(),
    }
}

fn action_scope(random: &mut Random) -> String {
    match random.below(6) {
        0 => format!("action == Action::\"{}\"", random.pick(&OPERATIONS)),
        1 => "action in Action::\"operation.change\"".to_owned(),
        2 => "action in [Action::\"operation.read\", Action::\"shell\", Action::\"pkg.apply\"]".to_owned(),
        3 => "action in [Action::\"operation.change\", Action::\"operation.read\"]".to_owned(),
        _ => "action".to_owned(),
    }
}

/// A policy. `broken`: perhaps one whose evaluation fails.
fn policy(random: &mut Random, number: usize, broken: bool) -> String {
    let servers = random.chance(70);
    let resource = match (servers, random.below(4)) {
        (true, 0) => "resource == Server::\"web-1\"",
        (true, 1) => "resource in Server::\"web-2\"",
        (true, _) => "resource is Server",
        (false, _) => "resource",
    };
    let permit = random.chance(50);
    let mut text = format!(
        "@id(\"p{number}\")\n{}({}, {}, {resource})",
        if permit { "permit" } else { "forbid" },
        principal_scope(random),
        action_scope(random),
    );
    if random.chance(if permit { 40 } else { 70 }) {
        let _ = write!(text, "\nwhen {{ {} }}", condition(random, servers));
    }
    if broken && random.chance(10) {
        text.push_str("\nwhen { 9223372036854775807 + 1 > 0 }");
    }
    if permit && random.chance(20) {
        let _ = write!(text, "\nwhen {{ {} }}", votes(random, 1));
    }
    if !permit && random.chance(75) {
        let _ = write!(text, "\nunless {{ {} }}", votes(random, 2));
    }
    text + ";\n"
}

/// A bundle that permits something, and forbids some of it.
pub(super) fn policies(random: &mut Random, broken: bool) -> String {
    let mut text = String::new();
    if random.chance(70) {
        text.push_str("@id(\"base\")\npermit(principal in Group::\"operator\", action, resource);\n");
    }
    for number in 0..1 + random.below(12) {
        text.push_str(&policy(random, number, broken));
    }
    text
}

/// Everything that a question is about.
pub(super) struct Scene {
    pub(super) principal: Principal,
    pub(super) electorate: Vec<Principal>,
    pub(super) approvals: Approvals,
    operation: String,
    control: Option<ControlAction>,
    server: Option<Server>,
    runbook: RunbookName,
    labels: Labels,
    requester: PrincipalName,
    in_run: bool,
    now: i64,
}

fn groups(random: &mut Random) -> Vec<&'static str> {
    GROUPS.into_iter().filter(|_| random.chance(40)).collect()
}

impl Scene {
    pub(super) fn new(random: &mut Random) -> Self {
        let kind = random.pick(&KINDS);
        let of_asker = groups(random);
        let mut asker = principal(random.pick(&PEOPLE), kind, &of_asker);
        if random.chance(70) {
            asker.groups.push("operator".parse().unwrap());
        }
        asker.disabled = random.chance(3);
        if random.chance(3) {
            asker.tenant = "acme".parse().unwrap();
        }
        let electorate: Vec<Principal> = (0..8)
            .map(|number| {
                let of_voter = groups(random);
                principal(&format!("voter-{number}"), PrincipalKind::User, &of_voter)
            })
            .collect();
        let mut approvals = Approvals::none();
        for voter in &electorate {
            if random.chance(15) {
                approvals.add(voter);
            }
        }
        let mut target = server(random.pick(&["web-1", "web-2", "web-3"]), random.pick(&ENVS));
        target.protected = random.chance(20);
        if random.chance(50) {
            target.labels.insert("role".into(), "web".into());
        }
        let operation = random.pick(&OPERATIONS).to_owned();
        let at_controller = operation == "notify" && random.chance(50);
        let mut labels = Labels::new();
        if random.chance(50) {
            labels.insert("risk".into(), random.pick(&["high", "low"]).into());
        }
        Self {
            principal: asker,
            electorate,
            approvals,
            operation,
            control: random.chance(15).then(|| random.pick(ControlAction::ALL)),
            server: (!at_controller).then_some(target),
            runbook: "patch".parse().unwrap(),
            labels,
            requester: random.pick(&PEOPLE).parse().unwrap(),
            in_run: random.chance(80),
            now: i64::from(u32::try_from(random.below(1 << 31)).unwrap()) * 1000,
        }
    }

    pub(super) fn request<'a>(&'a self, world: &'a World, approvals: &'a Approvals) -> Request<'a> {
        let (action, resource) = match (self.control, &self.server) {
            (Some(control), _) => (Action::Control(control), self.resource(world, control)),
            (None, Some(server)) => (
                Action::Operation(world.operation(&self.operation)),
                Resource::Server(server),
            ),
            (None, None) => (
                Action::Operation(world.operation(&self.operation)),
                Resource::Controller(&world.tenant),
            ),
        };
        Request {
            principal: &self.principal,
            action,
            resource,
            run: self.in_run.then_some(RunFacts {
                runbook: &self.runbook,
                labels: &self.labels,
                requester: &self.requester,
            }),
            approvals,
            now: clawd_model::Timestamp(self.now),
        }
    }

    fn resource<'a>(&'a self, world: &'a World, control: ControlAction) -> Resource<'a> {
        match control.resources()[0] {
            crate::ResourceKind::Server => match &self.server {
                Some(server) => Resource::Server(server),
                None => Resource::Tenant(&world.tenant),
            },
            crate::ResourceKind::Runbook => Resource::Runbook {
                tenant: &world.tenant,
                name: &self.runbook,
                labels: &self.labels,
            },
            crate::ResourceKind::Approval => world.about(&self.requester),
            _ => Resource::Tenant(&world.tenant),
        }
    }
}
