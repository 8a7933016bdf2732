//! What is refused when a bundle is loaded: all at once, each with its code, place and hint.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use clawd_model::Problem;

use crate::{Bundle, library};

fn load_files(files: &[(&str, &str)]) -> Result<Bundle, Vec<Problem>> {
    let files: BTreeMap<String, String> = files
        .iter()
        .map(|(name, text)| ((*name).to_owned(), (*text).to_owned()))
        .collect();
    Bundle::load(&files, &library::vocabulary(clawd_provider::contract::all()))
}

/// `CODE line:column "what is pointed at" message | hint`
fn shown(source: &str) -> Vec<String> {
    let Err(problems) = load_files(&[("x.cedar", source)]) else {
        return vec!["loaded".to_owned()];
    };
    problems
        .iter()
        .map(|problem| {
            let mut line = problem.code.clone();
            if let Some(span) = problem.span {
                let text = source[span.start..span.end].lines().next().unwrap_or_default();
                let _ = write!(line, " {}:{} `{text}`", span.line, span.column);
            }
            let _ = write!(line, " {}", problem.message);
            if let Some(hint) = &problem.hint {
                let _ = write!(line, " | {hint}");
            }
            line
        })
        .collect()
}

#[test]
fn every_problem_has_its_place_and_a_hint() {
    let sources = [
        "permit(principal, action, resource)",
        "@id(\"a\")\npermit(principal in Group::\"sree\", action, resource);",
        "@id(\"a\")\npermit(principal in Group::\"finance\", action, resource);",
        "@id(\"a\")\npermit(principal in Groop::\"sre\", action, resource);",
        "@id(\"a\")\npermit(principal, action == Action::\"pkg.aply\", resource);",
        "@id(\"a\")\npermit(principal, action in Action::\"operation.chnge\", resource);",
        "@id(\"a\")\nforbid(principal, action, resource) unless { context.approvals.sr >= 2 };",
        "@id(\"a\")\nforbid(principal, action, resource is Server) when { resource.enw == \"prod\" };",
        "@id(\"a\")\nforbid(principal, action, resource) when { resource.env == \"prod\" };",
        "@id(\"a\")\nforbid(principal, action, resource is Server) when { resource.env == 3 };",
        "@id(\"a\")\nforbid(principal, action, resource is Server) when { resource.getTag(\"role\") == \"web\" };",
        "@id(\"a\")\nforbid(principal, action, resource is Server) when { context.run.requester == \"ana\" };",
        "@id(\"a\")\npermit(principal is Agent, action == Action::\"vote.cast\", resource);",
        "@id(\"a\")\npermit(principal, action == Action::\"vote.cast\", resource is Server);",
        "@id(\"a\")\nforbid(principal, action, resource) when { principal is User && principal is Agent };",
        "@id(\"a\")\npermit(principal == ?principal, action, resource);",
        "permit(principal, action, resource);\n\n@idd(\"x\")\npermit(principal, action, resource);",
        "@id(\"a\")\npermit(principal, action, resource);\n@id(\"a\")\npermit(principal is User, action, resource);",
        "@id(\"a\") @id(\"b\") permit(principal, action, resource);",
        "@id(\"A b\")\npermit(principal, action, resource);",
        "@id(\"builtin.mine\")\npermit(principal, action, resource);",
        "@id(\"a\")\n@reason(\"\")\n@notify(\"ops, \")\n@approval_ttl(\"soon\")\npermit(principal, action, resource);",
        "@id(\"a\")\n@approval_ttl(\"4h\")\nforbid(principal, action, resource);",
        "@id(\"a\")\npermit(principal, action, resource) when { principal.name == \"a\u{202e}b\" };",
        "@id(\"a\")\npermit(principal, action, resource is Server) when { resource.env = \"prod\" };",
        "@id(\"a\")\npermit(principal, action, resource) when { datetime(\"soon\") < context.now };",
        "@id(\"a\")\nforbid(principal, action, resource) when { context.approvals.sre >= 2 };",
        "@id(\"a\")\nforbid(principal, action, resource)\nunless { context.approvals.sre + context.approvals.security >= 3 };",
        "@id(\"a\")\nforbid(principal, action, resource) unless { context.approvals.sre >= 0 };",
        "@id(\"a\")\npermit(principal, action, resource) when { context == context };",
    ];
    let mut out = String::new();
    for source in sources {
        let _ = writeln!(out, "{source}");
        for line in shown(source) {
            let _ = writeln!(out, "  => {line}");
        }
        out.push('\n');
    }
    insta::assert_snapshot!(out);
}

#[test]
fn problems_of_all_files_are_reported_at_once() {
    let problems = load_files(&[
        (
            "a.cedar",
            "@id(\"one\")\npermit(principal, action == Action::\"x\", resource);",
        ),
        (
            "b.cedar",
            "@id(\"one\")\npermit(principal in Group::\"x\", action, resource);",
        ),
        ("c.ceder", "@id(\"lost\")\nforbid(principal, action, resource);"),
        ("d.cedar", "permit("),
        ("d_test.yaml", "tests are read when they are run: ]"),
        ("README.md", "words"),
    ])
    .unwrap_err();
    let found: Vec<(&str, &str)> = problems
        .iter()
        .map(|problem| (problem.file.as_deref().unwrap_or_default(), problem.code.as_str()))
        .collect();
    assert_eq!(
        found,
        [
            ("a.cedar", "PL003"),
            ("b.cedar", "PL011"),
            ("b.cedar", "PL007"),
            ("c.ceder", "PL030"),
            ("d.cedar", "PL001"),
        ]
    );
}

#[test]
fn an_empty_bundle_is_allowed_and_denies_everything() {
    let bundle = load_files(&[]).unwrap();
    assert_eq!(bundle.warnings()[0].code, "PL033");
    assert_eq!(bundle.len(), 2, "the built-in rules");
}

#[test]
fn a_vocabulary_that_means_two_things_is_refused() {
    let mut vocabulary = library::vocabulary(clawd_provider::contract::all());
    vocabulary.groups.insert("distinct".parse().unwrap());
    vocabulary.operations[0].name = "run.start@v1".parse().unwrap();
    let problems = Bundle::load(&library::baseline(), &vocabulary).unwrap_err();
    let codes: Vec<&str> = problems.iter().map(|problem| problem.code.as_str()).collect();
    assert_eq!(codes, ["PL031", "PL031"]);
}

#[test]
fn a_policy_text_that_stands_twice_has_two_places() {
    let source =
        "@id(\"a\")\npermit(principal, action, resource);\n@id(\"a\")\npermit(principal, action, resource);";
    let lines = shown(source);
    assert_eq!(lines.len(), 1);
    assert!(lines[0].starts_with("PL011 3:1"), "{lines:?}");
}

/// Loads on a thread with little stack, as a worker thread of a runtime may have left.
fn load_with_little_stack(source: String) -> Result<Bundle, Vec<Problem>> {
    let files = BTreeMap::from([("x.cedar".to_owned(), source)]);
    let vocabulary = library::vocabulary(clawd_provider::contract::all());
    let thread = std::thread::Builder::new().stack_size(256 * 1024);
    let loading = thread.spawn(move || Bundle::load(&files, &vocabulary)).unwrap();
    loading.join().unwrap()
}

fn nested(open: &str, close: &str, times: usize) -> String {
    let condition = format!(
        "{}resource.tenant == \"a\"{}",
        open.repeat(times),
        close.repeat(times)
    );
    format!("@id(\"a\")\npermit(principal, action, resource) when {{ {condition} }};")
}

#[test]
fn absurd_policies_are_refused_and_do_not_end_the_process() {
    for (open, close) in [
        ("(", ")"),
        ("[", "]"),
        ("if true then (", ") else false"),
        ("if true then true else ", ""),
        ("principal.name == \"a\" && (", ")"),
        ("principal.name == \"a\" || ", ""),
    ] {
        for times in [300, 30_000] {
            let problems = load_with_little_stack(nested(open, close, times)).unwrap_err();
            assert_eq!(problems[0].code, "PL015", "{open}");
        }
    }
}

#[test]
fn the_deepest_policies_that_are_allowed_load() {
    for (open, close, times) in [
        ("(", ")", 22),
        ("if principal.disabled then false else ", "", 22),
        ("principal.name == \"a\" && (", ")", 22),
        ("principal.name == \"a\" || ", "", 130),
    ] {
        load_with_little_stack(nested(open, close, times)).unwrap();
    }
}
