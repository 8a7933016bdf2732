//! What a decision costs, and that it does not cost more when there are more policies.
//!
//! `cargo run --release --example decide_cost -p clawd-policy` prints microseconds per decision. "first" is a
//! question that was never asked before (another server each time), "again" one that was.

use std::hint::black_box;
use std::time::Instant;

use clawd_model::{
    Decision, Labels, OperationSpec, Principal, PrincipalKind, SeededEntropy, Server, ServerId,
    ServerProvider, Timestamp,
};
use clawd_policy::{Action, Approvals, Bundle, Request, Resource, RunFacts, library};

const DECISIONS: u32 = 20_000;

fn principal(name: &str, groups: &[&str]) -> Principal {
    Principal {
        tenant: "demo".parse().expect("a tenant name"),
        kind: PrincipalKind::User,
        name: name.parse().expect("a principal name"),
        display_name: String::new(),
        groups: groups.iter().filter_map(|group| group.parse().ok()).collect(),
        operator: None,
        disabled: false,
    }
}

fn server(number: u32, env: &str) -> Server {
    Server {
        id: ServerId::new(Timestamp(0), &SeededEntropy::new(number.into())),
        tenant: "demo".parse().expect("a tenant name"),
        name: format!("web-{number}").parse().expect("a server name"),
        provider: ServerProvider::Sim,
        address: String::new(),
        env: env.to_owned(),
        labels: Labels::from([("role".to_owned(), "web".to_owned())]),
        protected: false,
        host_key: None,
        identity: None,
        facts: None,
        version: 1,
    }
}

/// Microseconds per call: of the fastest of many batches, since the machine has other things to do as well.
fn cost(times: u32, mut call: impl FnMut(u32)) -> f64 {
    let batch = times / 100;
    let batches = (0..100).map(|number| {
        let begun = Instant::now();
        for call_number in number * batch..(number + 1) * batch {
            call(call_number);
        }
        begun.elapsed().as_secs_f64() * 1e6 / f64::from(batch)
    });
    batches.fold(f64::INFINITY, f64::min)
}

/// Who asks, in which run, of which bundle.
struct Asker<'a> {
    bundle: &'a Bundle,
    electorate: &'a [Principal],
    principal: &'a Principal,
    run: RunFacts<'a>,
}

impl Asker<'_> {
    fn ask(&self, operation: &OperationSpec, resource: Resource<'_>, approvals: &Approvals) -> Decision {
        let request = Request {
            principal: self.principal,
            action: Action::Operation(operation),
            resource,
            run: Some(self.run),
            approvals,
            now: Timestamp(1_772_506_800_000),
        };
        black_box(self.bundle.decide(&request, self.electorate))
    }

    /// About one server after the other.
    fn on(
        &self,
        operation: &OperationSpec,
        servers: &[Server],
        number: u32,
        approvals: &Approvals,
    ) -> Decision {
        let place = usize::try_from(number).unwrap_or(0) % servers.len();
        let server = servers.get(place).expect("within the list");
        self.ask(operation, Resource::Server(server), approvals)
    }
}

fn main() {
    let vocabulary = library::vocabulary(clawd_provider::contract::all());
    let spec = |action: &str| {
        let found = vocabulary
            .operations
            .iter()
            .find(|spec| spec.name.action() == action);
        found.expect("an operation that ships")
    };
    let (noop, apply) = (spec("noop"), spec("pkg.apply"));
    let ana = principal("ana", &["operator"]);
    let mut electorate = vec![ana.clone()];
    electorate.extend((0..20).map(|number| principal(&format!("sre-{number}"), &["sre"])));
    let staging: Vec<Server> = (0..DECISIONS).map(|number| server(number, "staging")).collect();
    let prod: Vec<Server> = (0..DECISIONS).map(|number| server(number, "prod")).collect();
    let (none, mut two) = (Approvals::none(), Approvals::none());
    electorate.iter().skip(1).take(2).for_each(|voter| two.add(voter));
    let (runbook, labels) = ("patch-security".parse().expect("a runbook name"), Labels::new());
    println!("microseconds per decision");
    println!("policies  noop again  apply first  apply again  with votes  needs-approval  load (ms)");
    for count in [10, 100, 1_000, 10_000] {
        let files = library::enlarged(count);
        let begun = Instant::now();
        let bundle = Bundle::load(&files, &vocabulary).expect("the enlarged pack loads");
        let load_ms = begun.elapsed().as_secs_f64() * 1e3;
        let asker = Asker {
            bundle: &bundle,
            electorate: &electorate,
            principal: &ana,
            run: RunFacts {
                runbook: &runbook,
                labels: &labels,
                requester: &ana.name,
            },
        };
        let controller = Resource::Controller(&ana.tenant);
        assert!(asker.ask(noop, controller, &none).is_allow());
        assert!(asker.on(apply, &staging, 0, &none).is_allow() && asker.on(apply, &prod, 0, &two).is_allow());
        assert!(!asker.on(apply, &prod, 0, &none).is_allow());
        println!(
            "{:>8}  {:>10.2}  {:>11.2}  {:>11.2}  {:>10.2}  {:>14.0}  {:>9.0}",
            bundle.len(),
            cost(DECISIONS, |_| drop(asker.ask(noop, controller, &none))),
            cost(DECISIONS, |number| drop(asker.on(apply, &staging, number, &none))),
            cost(DECISIONS, |_| drop(asker.on(apply, &staging, 7, &none))),
            cost(DECISIONS, |number| drop(asker.on(apply, &prod, number, &two))),
            cost(500, |number| drop(asker.on(apply, &prod, number, &none))),
            load_ms,
        );
    }
}
