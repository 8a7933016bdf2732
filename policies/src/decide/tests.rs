//! The gate's three answers, one rule at a time; then the same of random bundles.

mod properties;
mod random;
mod world;

use std::collections::BTreeMap;

use clawd_model::{Decision, DecisionKind, Labels, PrincipalKind, Timestamp};

use self::world::{World, principal, server};
use crate::{Action, Approvals, Bundle, ControlAction, Request, Resource, RunFacts};

fn bundle(world: &World, text: &str) -> Bundle {
    let files = BTreeMap::from([("x.cedar".to_owned(), text.to_owned())]);
    Bundle::load(&files, &world.vocabulary).unwrap()
}

const PERMIT_ALL: &str = "@id(\"all\") permit(principal, action, resource);\n";

fn word(decision: &Decision) -> &'static str {
    match decision.kind {
        DecisionKind::Allow => "allow",
        DecisionKind::Deny => "deny",
        DecisionKind::NeedsApproval { .. } => "needs-approval",
    }
}

/// Asks for `pkg.apply` on a server, with these votes.
fn ask(world: &World, bundle: &Bundle, votes: &Approvals) -> Decision {
    let (ana, web) = (
        principal("ana", PrincipalKind::User, &["operator"]),
        server("web-1", "prod"),
    );
    let request = Request {
        principal: &ana,
        action: Action::Operation(world.operation("pkg.apply")),
        resource: Resource::Server(&web),
        run: None,
        approvals: votes,
        now: Timestamp(0),
    };
    bundle.decide(&request, &[])
}

#[test]
fn an_evaluation_error_denies_whatever_else_permits() {
    let world = World::new();
    for broken in [
        "forbid(principal, action, resource) when { 9223372036854775807 + 1 > 0 };",
        "permit(principal, action, resource) when { 9223372036854775807 + 1 > 0 };",
        "forbid(principal, action, resource) when { 9223372036854775807 + 1 > 0 } unless { context.approvals.sre >= 1 };",
    ] {
        let bundle = bundle(&world, &format!("{PERMIT_ALL}@id(\"broken\") {broken}"));
        let decision = ask(&world, &bundle, &Approvals::none());
        assert_eq!(decision.kind, DecisionKind::Deny, "{broken}");
        assert_eq!(decision.policies, ["broken"]);
        assert!(decision.reasons[0].contains("overflow"), "{:?}", decision.reasons);
    }
}

#[test]
fn an_evaluation_error_is_never_a_question_of_votes() {
    let world = World::new();
    let guard = "@id(\"g\") forbid(principal, action, resource) unless { context.approvals.sre >= 1 };";
    for broken in [
        "forbid(principal, action, resource) when { 9223372036854775807 + 1 > 0 };",
        "permit(principal, action, resource) when { 9223372036854775807 + 1 > 0 };",
        "permit(principal, action, resource) when { context.approvals.sre >= 1 || 9223372036854775807 + 1 > 0 };",
    ] {
        let bundle = bundle(&world, &format!("{PERMIT_ALL}{guard}@id(\"broken\") {broken}"));
        let decision = ask(&world, &bundle, &Approvals::none());
        assert_eq!(
            (word(&decision), decision.policies),
            ("deny", vec!["broken".into()]),
            "{broken}"
        );
    }
}

#[test]
fn votes_that_would_lead_to_an_evaluation_error_are_not_asked_for() {
    let world = World::new();
    let guard = "@id(\"g\") forbid(principal, action, resource) unless { context.approvals.sre >= 1 && 9223372036854775807 + 1 > 0 };";
    let bundle = bundle(&world, &format!("{PERMIT_ALL}{guard}"));
    assert_eq!(ask(&world, &bundle, &Approvals::none()).kind, DecisionKind::Deny);
}

#[test]
fn a_rule_is_named_rather_than_the_guards_beside_it() {
    let world = World::new();
    let text = format!(
        "{PERMIT_ALL}
        @id(\"g\") @reason(\"votes\") forbid(principal, action, resource) unless {{ context.approvals.sre >= 1 }};
        @id(\"r\") @reason(\"never\") forbid(principal, action, resource is Server) when {{ resource.env == \"prod\" }};"
    );
    let decision = ask(&world, &bundle(&world, &text), &Approvals::none());
    assert_eq!(
        (word(&decision), decision.policies, decision.reasons),
        ("deny", vec!["r".into()], vec!["never".into()])
    );
}

#[test]
fn a_capability_may_ask_for_votes_too() {
    let world = World::new();
    let text = "@id(\"p\") @reason(\"two of sre allow it\") permit(principal, action, resource) when { context.approvals.sre >= 2 };";
    let bundle = bundle(&world, text);
    let decision = ask(&world, &bundle, &Approvals::none());
    assert_eq!(
        (word(&decision), decision.reasons),
        ("needs-approval", vec!["two of sre allow it".into()])
    );
    assert!(ask(&world, &bundle, &world.votes(&[("sre", 2)])).is_allow());
}

#[test]
fn votes_are_valid_as_long_as_the_strictest_guard_says() {
    let world = World::new();
    let text = format!(
        "{PERMIT_ALL}
        @id(\"a\") @approval_ttl(\"8h\") forbid(principal, action, resource) unless {{ context.approvals.sre >= 1 }};
        @id(\"b\") @approval_ttl(\"30m\") forbid(principal, action, resource) unless {{ context.approvals.security >= 1 }};
        @id(\"c\") @approval_ttl(\"1m\") forbid(principal, action == Action::\"shell\", resource) unless {{ context.approvals.security >= 3 }};"
    );
    let bundle = bundle(&world, &text);
    let ttl = |decision: Decision| match decision.kind {
        DecisionKind::NeedsApproval { ttl_ms, .. } => ttl_ms,
        other => panic!("{other:?}"),
    };
    assert_eq!(ttl(ask(&world, &bundle, &Approvals::none())), Some(1_800_000));
    assert_eq!(
        ttl(ask(&world, &bundle, &world.votes(&[("security", 1)]))),
        Some(28_800_000)
    );
}

#[test]
fn what_votes_cannot_open_the_emergency_way_in_can() {
    let world = World::new();
    let guard = "@id(\"g\") forbid(principal, action, resource) unless { context.approvals.break_glass };";
    let bundle = bundle(&world, &format!("{PERMIT_ALL}{guard}"));
    assert_eq!(
        ask(&world, &bundle, &world.votes(&[("sre", 9)])).kind,
        DecisionKind::Deny
    );
    let mut opened = Approvals::none();
    opened.break_glass = true;
    assert!(ask(&world, &bundle, &opened).is_allow());
}

#[test]
fn questions_outside_of_the_schema_are_denied() {
    let world = World::new();
    let bundle = bundle(&world, PERMIT_ALL);
    let agent = principal("helper", PrincipalKind::Agent, &["admin"]);
    let ana = principal("ana", PrincipalKind::User, &["admin"]);
    let mut unknown = world.operation("noop").clone();
    unknown.name = "disk.format@v1".parse().unwrap();
    let tenant = &world.tenant;
    for (asker, action, resource) in [
        (&ana, Action::Operation(&unknown), Resource::Controller(tenant)),
        (
            &ana,
            Action::Operation(world.operation("pkg.apply")),
            Resource::Controller(tenant),
        ),
        (
            &ana,
            Action::Control(ControlAction::RunStart),
            Resource::Tenant(tenant),
        ),
        (
            &agent,
            Action::Control(ControlAction::VoteCast),
            world.about(&ana.name),
        ),
    ] {
        let approvals = Approvals::none();
        let request = Request {
            principal: asker,
            action,
            resource,
            run: None,
            approvals: &approvals,
            now: Timestamp(0),
        };
        let decision = bundle.decide(&request, &[]);
        assert_eq!(decision.kind, DecisionKind::Deny, "{}", request.describe());
        assert_eq!(decision.policies, Vec::<String>::new());
    }
}

#[test]
fn a_policy_that_reads_the_time_is_asked_each_time() {
    let world = World::new();
    let text = "@id(\"window\") permit(principal, action, resource) when {
        context.now >= datetime(\"2026-03-03T02:00:00Z\") && context.now < datetime(\"2026-03-03T04:00:00.250Z\") };";
    let bundle = bundle(&world, text);
    let (ana, web, votes) = (
        principal("ana", PrincipalKind::User, &[]),
        server("web-1", "prod"),
        Approvals::none(),
    );
    let at = |time: &str| {
        let request = Request {
            principal: &ana,
            action: Action::Operation(world.operation("pkg.apply")),
            resource: Resource::Server(&web),
            run: None,
            approvals: &votes,
            now: Timestamp::from_rfc3339(time).unwrap(),
        };
        bundle.decide(&request, &[]).is_allow()
    };
    assert!(at("2026-03-03T03:00:00Z"));
    assert!(at("2026-03-03T04:00:00.249Z"));
    assert!(!at("2026-03-03T04:00:00.25Z"));
    assert!(!at("2026-03-03T01:59:59Z"));
    assert!(at("2026-03-03T03:00:00Z"));
}

#[test]
fn a_time_that_cedar_cannot_hold_denies() {
    let world = World::new();
    let text = "@id(\"window\") permit(principal, action, resource) when { context.now > datetime(\"1970-01-01\") };";
    let bundle = bundle(&world, text);
    let (ana, web, votes) = (
        principal("ana", PrincipalKind::User, &[]),
        server("web-1", "prod"),
        Approvals::none(),
    );
    let request = Request {
        principal: &ana,
        action: Action::Operation(world.operation("pkg.apply")),
        resource: Resource::Server(&web),
        run: None,
        approvals: &votes,
        now: Timestamp(i64::MAX),
    };
    assert_eq!(bundle.decide(&request, &[]).kind, DecisionKind::Deny);
}

#[test]
fn labels_of_servers_and_facts_of_runs_are_seen() {
    let world = World::new();
    let text = "@id(\"web\") permit(principal, action, resource is Server) when {
        resource.hasTag(\"role\") && resource.getTag(\"role\") == \"web\" &&
        context has run && context.run.runbook == Runbook::\"patch\" && context.run.requester == principal.name &&
        context.run.runbook.hasTag(\"risk\") && context.run.runbook.getTag(\"risk\") == \"low\" };";
    let bundle = bundle(&world, text);
    let ana = principal("ana", PrincipalKind::User, &[]);
    let mut web = server("web-1", "prod");
    web.labels = Labels::from([("role".into(), "web".into())]);
    let (votes, name) = (Approvals::none(), "patch".parse().unwrap());
    let low = Labels::from([("risk".into(), "low".into())]);
    let high = Labels::from([("risk".into(), "high".into())]);
    let allowed = |server: &clawd_model::Server, run: Option<RunFacts<'_>>| {
        let request = Request {
            principal: &ana,
            action: Action::Operation(world.operation("pkg.apply")),
            resource: Resource::Server(server),
            run,
            approvals: &votes,
            now: Timestamp(0),
        };
        bundle.decide(&request, &[]).is_allow()
    };
    let run = |labels| {
        Some(RunFacts {
            runbook: &name,
            labels,
            requester: &ana.name,
        })
    };
    assert!(allowed(&web, run(&low)));
    assert!(!allowed(&web, run(&high)));
    assert!(!allowed(&web, None));
    assert!(
        !allowed(&server("web-1", "prod"), run(&low)),
        "the label counts, not the name"
    );
}

#[test]
fn who_left_is_no_candidate_and_voters_are_not_asked_twice() {
    let world = World::new();
    let text = format!(
        "{PERMIT_ALL}@id(\"g\") forbid(principal, action == Action::\"pkg.apply\", resource) unless {{ context.approvals.sre >= 2 }};"
    );
    let bundle = bundle(&world, &text);
    let user = |name: &str, groups: &[&str]| principal(name, PrincipalKind::User, groups);
    let mut gone = user("gone", &["sre"]);
    gone.disabled = true;
    let mut foreign = user("eve", &["sre"]);
    foreign.tenant = "acme".parse().unwrap();
    let electorate = [
        user("cho", &["sre"]),
        user("ben", &["sre"]),
        user("ana", &["sre"]),
        user("vic", &["viewer"]),
        principal("bot", PrincipalKind::Agent, &["sre"]),
        gone,
        foreign,
    ];
    let mut votes = Approvals::none();
    votes.add(&electorate[1]);
    let (olaf, web) = (user("olaf", &["operator"]), server("web-1", "prod"));
    let request = Request {
        principal: &olaf,
        action: Action::Operation(world.operation("pkg.apply")),
        resource: Resource::Server(&web),
        run: None,
        approvals: &votes,
        now: Timestamp(0),
    };
    let DecisionKind::NeedsApproval { missing, .. } = bundle.decide(&request, &electorate).kind else {
        panic!("votes are missing");
    };
    let names: Vec<&str> = missing[0].candidates.iter().map(|name| name.as_str()).collect();
    assert_eq!(names, ["ana", "cho"]);
    assert_eq!(
        missing[0].groups[&"sre".parse::<clawd_model::GroupName>().unwrap()],
        1
    );
}

#[test]
fn the_longest_policies_that_are_allowed_are_decided_on_an_ordinary_stack() {
    let world = World::new();
    let long = "principal.name == \"x\" || ".repeat(130);
    let deep = "principal.name == \"ana\" && (".repeat(20);
    let text = format!(
        "@id(\"long\") permit(principal, action, resource) when {{ {long}principal.name == \"ana\" }};
        @id(\"deep\") permit(principal, action, resource) when {{ {deep}true{} }};
        @id(\"g\") forbid(principal, action, resource) unless {{ context.approvals.sre >= 1 }};",
        ")".repeat(20)
    );
    let bundle = bundle(&world, &text);
    // As much as a worker thread of the runtime has.
    let thread = std::thread::Builder::new().stack_size(2 * 1024 * 1024);
    let asking = thread.spawn(move || {
        let decisions =
            [Approvals::none(), world.votes(&[("sre", 1)])].map(|votes| ask(&world, &bundle, &votes));
        decisions.map(|decision| word(&decision))
    });
    assert_eq!(asking.unwrap().join().unwrap(), ["needs-approval", "allow"]);
}

#[test]
fn how_fresh_votes_have_to_be_does_not_depend_on_the_votes() {
    let world = World::new();
    let bundle = bundle(
        &world,
        &format!(
            "{PERMIT_ALL}
            @id(\"day\") @approval_ttl(\"24h\") @notify(\"ops\")
            forbid(principal, action in Action::\"operation.change\", resource)
            unless {{ context.approvals.sre >= 1 }};
            @id(\"shift\") @approval_ttl(\"4h\") @notify(\"security,ops\")
            forbid(principal, action == Action::\"pkg.apply\", resource is Server)
            when {{ resource.env == \"prod\" }} unless {{ context.approvals.security >= 1 }};
            @id(\"elsewhere\") @approval_ttl(\"1h\")
            forbid(principal, action == Action::\"pkg.apply\", resource is Server)
            when {{ resource.env == \"dev\" }} unless {{ context.approvals.security >= 1 }};"
        ),
    );
    let ana = principal("ana", PrincipalKind::User, &["operator"]);
    let (prod, stage) = (server("web-1", "prod"), server("web-2", "stage"));
    let hours = |count: u64| Some(clawd_model::DurationMs::from_secs(count * 3600));
    for votes in [
        Approvals::none(),
        world.votes(&[("security", 1)]),
        world.votes(&[("sre", 1), ("security", 1)]),
    ] {
        // Twice: the second answer is a remembered one.
        for _ in 0..2 {
            let mut request = Request {
                principal: &ana,
                action: Action::Operation(world.operation("pkg.apply")),
                resource: Resource::Server(&prod),
                run: None,
                approvals: &votes,
                now: Timestamp(0),
            };
            let standing = bundle.standing(&request);
            assert_eq!((standing.asks, standing.ttl), (true, hours(4)), "{votes:?}");
            request.resource = Resource::Server(&stage);
            let standing = bundle.standing(&request);
            assert_eq!((standing.asks, standing.ttl), (true, hours(24)), "{votes:?}");
            request.action = Action::Operation(world.operation("host.facts"));
            assert!(!bundle.standing(&request).asks, "nothing asks for votes to look");
        }
    }
    let decision = ask(&world, &bundle, &Approvals::none());
    let DecisionKind::NeedsApproval { notify, .. } = decision.kind else {
        panic!("{decision:?}")
    };
    assert_eq!(notify, ["ops", "security"], "each channel once");
}
