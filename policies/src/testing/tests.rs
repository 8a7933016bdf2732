//! Tests of bundles fail when they should, and say why.

use super::*;
use crate::library;

const POLICIES: &str = "@id(\"all\") permit(principal in Group::\"operator\", action, resource);
@id(\"guard\") @reason(\"two of sre\") forbid(principal, action in Action::\"operation.change\", resource) unless { context.approvals.sre >= 2 };
@id(\"window\") @reason(\"not at night\") forbid(principal, action == Action::\"host.facts\", resource) when { context.now.toTime() < duration(\"2h\") };";

fn run_tests(tests: &str) -> TestReport {
    let files = BTreeMap::from([
        ("a.cedar".to_owned(), POLICIES.to_owned()),
        ("a_test.yaml".to_owned(), tests.to_owned()),
    ]);
    run(&files, &library::vocabulary(clawd_provider::contract::all()))
}

const WORLD: &str = "
principals: {ana: {groups: [operator]}, ben: {groups: [sre, operator]}, cho: {groups: [sre]}}
servers: {web-1: {env: prod}}
cases:
";

#[test]
fn a_case_fails_for_each_thing_that_is_not_as_expected() {
    let report = run_tests(&format!(
        "{WORLD}
  - name: everything wrong
    principal: ana
    action: pkg.apply
    resource: server/web-1
    expect: allow
    policies: [all]
    reasons: [because]
    missing: [{{sre: 1}}, {{distinct: 7}}]
    candidates: [cho]
  - {{name: right, principal: ana, action: pkg.apply, resource: server/web-1, expect: needs-approval, policies: [guard],
      reasons: [of sre], missing: [{{sre: 2}}], candidates: [ben]}}
"
    ));
    assert_eq!(report.problems, []);
    assert!(!report.passed());
    assert_eq!(report.cases.len(), 2);
    let failed: Vec<&CaseReport> = report.failures().collect();
    assert_eq!(
        (failed.len(), failed[0].line, failed[0].file.as_str()),
        (1, 6, "a_test.yaml")
    );
    insta::assert_snapshot!(failed[0].differences.join("\n"), @r#"
    decision: expected allow, found needs-approval
    policies: expected {"all"}, found {"guard"}
    missing votes: expected {{"distinct": 7}, {"sre": 1}}, found {{"sre": 2}}
    candidates: expected {"cho"}, found {"ben"}
    reasons: none contains `because`: ["two of sre"]
    "#);
    assert_eq!(report.untested, ["all", "window"]);
}

#[test]
fn lists_stand_for_every_combination_and_time_can_be_set() {
    let report = run_tests(&format!(
        "now: 2026-03-03T01:00:00Z{WORLD}
  - {{name: night, principal: [ana, ben], action: [host.facts], resource: [server/web-1], expect: deny, policies: [window]}}
  - {{name: day, now: 2026-03-03T02:00:00Z, principal: [ana, ben], action: [host.facts, server.read], resource: server/web-1, expect: allow}}
"
    ));
    assert_eq!(report.cases.len(), 6);
    assert!(report.passed(), "{:#?}", report.cases);
    assert_eq!(report.untested, ["guard"]);
}

#[test]
fn what_a_test_file_says_wrongly_is_a_problem_with_its_place() {
    for (tests, code, line, text) in [
        ("cases: [", "PL040", 1, "while parsing"),
        ("", "PL041", 1, "a test file is a mapping"),
        ("principals: {}", "PL041", 1, "no `cases`"),
        ("\ncase: []", "PL041", 2, "unknown key `case`"),
        ("cases: {}", "PL041", 1, "`cases` is a list"),
        (
            "principals: {ana: {group: [x]}}\ncases: []",
            "PL041",
            1,
            "unknown field `group`",
        ),
        ("cases:\n  - {name: x}", "PL041", 2, "missing field `principal`"),
        (
            "cases:\n\n  - {name: x, principal: ana, action: noop, resource: tenant, expect: maybe}",
            "PL041",
            3,
            "unknown variant `maybe`",
        ),
        (
            "cases:\n  - {name: x, principal: ana, action: noop, resource: tenant, expect: deny}",
            "PL041",
            2,
            "there is no principal `ana`",
        ),
        (
            "principals: {ana: {}}\ncases:\n  - {name: x, principal: ana, action: nop, resource: tenant, expect: deny}",
            "PL041",
            3,
            "there is no action `nop`",
        ),
        (
            "principals: {ana: {}}\ncases:\n  - {name: x, principal: ana, action: noop, resource: server/a, expect: deny}",
            "PL041",
            3,
            "there is no server `a`",
        ),
    ] {
        let report = run_tests(tests);
        assert!(!report.passed(), "{tests}");
        let [problem] = report.problems.as_slice() else {
            panic!("{tests}: {:#?}", report.problems);
        };
        assert_eq!(problem.code, code, "{tests}");
        assert!(problem.message.contains(text), "{tests}: {}", problem.message);
        assert_eq!(problem.span.unwrap_or_default().line, line, "{tests}");
    }
}

#[test]
fn a_bundle_that_does_not_load_has_failed() {
    let files = BTreeMap::from([("a.cedar".to_owned(), "permit(".to_owned())]);
    let report = run(&files, &Vocabulary::default());
    assert!(!report.passed());
    assert_eq!(report.problems[0].code, "PL001");
}

/// Whoever may check policies may send any text: it must not end the process, nor keep it busy for ever.
#[test]
fn a_hostile_test_file_is_a_problem_and_nothing_else() {
    let many = format!("cases: [{}]", "a,".repeat(60_000));
    let names = |prefix: &str| {
        (0..60)
            .map(|n| format!("{prefix}{n}"))
            .collect::<Vec<_>>()
            .join(", ")
    };
    let product = format!(
        "cases:\n  - {{name: x, principal: [{}], action: [{}], resource: [{}], expect: deny}}",
        names("p"),
        names("a"),
        names("r")
    );
    for (tests, text) in [
        ("- ".repeat(10_000), "nested more than"),
        // What the parser itself has had enough of.
        ("[".repeat(10_000), "recursion limit exceeded"),
        ("{a: ".repeat(10_000), "recursion limit exceeded"),
        (format!("cases: {}", "[".repeat(100)), "nested more than"),
        (
            "a: &a [x, x]\ncases: [*a, *a]".to_owned(),
            "aliases cannot be used",
        ),
        (many, "more than 50000 values"),
        (product, "more than 20000 questions"),
    ] {
        let report = run_tests(&tests);
        assert!(!report.passed());
        let start = &tests[..tests.len().min(40)];
        let messages: Vec<&str> = report
            .problems
            .iter()
            .map(|problem| problem.message.as_str())
            .collect();
        assert!(
            messages.iter().any(|message| message.contains(text)),
            "{start}: {messages:?}"
        );
    }
}
