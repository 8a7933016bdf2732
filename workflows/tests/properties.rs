//! Properties: no text makes the checker panic, formatting does not change a digest, content does.
//!
//! A failing case prints its seed and its smallest input.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests fail by panicking"
)]

mod shipped;

use clawd_workflow::{check, library, render_problem, render_problem_in_colour};
use proptest::prelude::{
    ProptestConfig, Strategy, any, prop, prop_assert_eq, prop_assert_ne, prop_oneof, proptest,
};
use proptest::test_runner::FileFailurePersistence;

fn sources() -> Vec<String> {
    let tests = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let mut sources: Vec<String> = library::runbooks()
        .iter()
        .map(|(_, source)| (*source).to_owned())
        .collect();
    for folder in ["accept", "reject"] {
        for entry in std::fs::read_dir(tests.join(folder)).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|extension| extension == "yaml") {
                sources.push(std::fs::read_to_string(path).unwrap());
            }
        }
    }
    sources.sort();
    sources
}

/// One change to a document.
#[derive(Clone, Debug)]
enum Mutation {
    Remove(usize, usize),
    Insert(usize, String),
    Copy(usize, usize, usize),
    Cut(usize),
}

fn any_mutation() -> impl Strategy<Value = Mutation> {
    let snippets = prop::sample::select(vec![
        "${{",
        "}}",
        "${{ inputs.x }}",
        "'",
        "\"",
        ":",
        "- ",
        "\n",
        "  ",
        "\t",
        "{",
        "}",
        "[",
        "]",
        "&a ",
        "*a",
        "!x ",
        "|\n",
        ">\n",
        "#",
        "é",
        "🦀",
        "\u{0}",
        "\u{feff}",
        "\u{2028}",
        "%",
        "@",
        "`",
        "? ",
        "---\n",
        "...\n",
        "null",
        "1e9",
        "<<: ",
        "steps.apply.x",
        "&&",
        "has(",
        ".map(x, ",
        "\\",
        "\r",
        "secrets.A",
    ]);
    let text = prop_oneof![
        snippets.prop_map(str::to_owned),
        "\\PC{0,6}",
        any::<char>().prop_map(String::from)
    ];
    prop_oneof![
        (any::<usize>(), 0_usize..60).prop_map(|(at, length)| Mutation::Remove(at, length)),
        (any::<usize>(), text).prop_map(|(at, text)| Mutation::Insert(at, text)),
        (any::<usize>(), 0_usize..200, any::<usize>())
            .prop_map(|(from, length, to)| Mutation::Copy(from, length, to)),
        any::<usize>().prop_map(Mutation::Cut),
    ]
}

fn apply(source: &str, mutation: &Mutation) -> String {
    let mut characters: Vec<char> = source.chars().collect();
    let count = characters.len();
    let clip = |at: usize| at % (count + 1);
    match mutation {
        Mutation::Remove(at, length) => {
            let at = clip(*at);
            characters.drain(at..(at + length).min(count));
        }
        Mutation::Insert(at, text) => {
            let at = clip(*at);
            characters.splice(at..at, text.chars());
        }
        Mutation::Copy(from, length, to) => {
            let from = clip(*from);
            let copied: Vec<char> = characters[from..(from + length).min(count)].to_vec();
            let to = clip(*to);
            characters.splice(to..to, copied);
        }
        Mutation::Cut(at) => characters.truncate(clip(*at)),
    }
    characters.into_iter().collect()
}

/// Checks a text, and shows its problems in both ways.
fn exercise(source: &str) {
    let checked = check(source, &shipped::specs());
    for problem in &checked.problems {
        let span = problem.span.unwrap();
        assert!(span.start <= span.end && span.end <= source.len(), "{span:?}");
        assert!(
            source.get(span.start..span.end).is_some(),
            "{span:?} splits a character"
        );
        assert!(span.line >= 1 && span.column >= 1);
        assert!(
            !problem.message.ends_with('.') && !problem.message.contains('\n'),
            "{}",
            problem.message
        );
        let _ = render_problem(source, problem);
        let _ = render_problem_in_colour(source, problem);
    }
    let is_error = |problem: &clawd_model::Problem| problem.severity == clawd_model::Severity::Error;
    assert_eq!(checked.workflow.is_none(), checked.problems.iter().any(is_error));
}

proptest! {
    #![proptest_config(ProptestConfig::with_failure_persistence(FileFailurePersistence::WithSource("regressions")))]

    #[test]
    fn no_mutated_document_makes_it_panic(
        which in any::<prop::sample::Index>(),
        mutations in prop::collection::vec(any_mutation(), 1..8),
    ) {
        let sources = sources();
        let source = mutations.iter().fold(which.get(&sources).clone(), |source, mutation| apply(&source, mutation));
        exercise(&source);
    }

    #[test]
    fn no_text_at_all_makes_it_panic(source in "\\PC{0,200}") {
        exercise(&source);
    }

    #[test]
    fn no_expression_makes_it_panic(expression in "[a-z0-9 .,()\\[\\]{}'\"!&|=<>?:+*/%\\\\-]{0,60}|\\PC{0,40}") {
        let quoted = serde_json::to_string(&format!("${{{{ {expression} }}}}")).unwrap();
        exercise(&format!(
            "apiVersion: clawd.dev/v1\nkind: Runbook\nmetadata: {{name: x}}\ntargets: controller\n\
             inputs: {{a: {{type: string, default: b}}}}\n\
             jobs: {{j: {{steps: [{{uses: noop@v1, with: {{value: {quoted}}}}}]}}}}\n"
        ));
    }
}

/// A document as one of its values.
fn yaml(name: &str, label: &str, inputs: &[&str], jobs: &[&str]) -> serde_json::Value {
    let input = |name: &&str| {
        (
            (*name).to_owned(),
            serde_json::json!({"type": "string", "default": "x"}),
        )
    };
    let uses: Vec<String> = inputs
        .iter()
        .map(|name| format!("${{{{ inputs.{name} }}}}"))
        .collect();
    let job = |name: &&str| {
        let steps = serde_json::json!([{"uses": "noop@v1", "with": {"value": uses}}]);
        (
            (*name).to_owned(),
            serde_json::json!({"targets": "controller", "steps": steps}),
        )
    };
    serde_json::json!({
        "apiVersion": "clawd.dev/v1", "kind": "Runbook", "metadata": {"name": name, "labels": {"l": label}},
        "inputs": inputs.iter().map(input).collect::<serde_json::Map<_, _>>(),
        "jobs": jobs.iter().map(job).collect::<serde_json::Map<_, _>>(),
    })
}

fn digest(source: &str) -> String {
    let checked = check(source, &shipped::specs());
    checked
        .workflow
        .unwrap_or_else(|| panic!("{source}\n{:?}", checked.problems))
        .digest
        .to_string()
}

/// The same value in block style, with whatever spaces, comments and quotes are drawn.
fn block(value: &serde_json::Value, depth: usize, draw: &mut dyn FnMut(usize) -> usize, out: &mut String) {
    use serde_json::Value;
    let noise =
        |draw: &mut dyn FnMut(usize) -> usize| ["", " # a comment", "\n# a line", "\n"][draw(4)].to_owned();
    match value {
        Value::Object(fields) if !fields.is_empty() => {
            for (key, value) in fields {
                let key = [key.clone(), format!("'{key}'"), format!("\"{key}\"")][draw(3)].clone();
                let is_nested =
                    matches!(value, Value::Object(fields) if !fields.is_empty()) || value.is_array();
                out.push_str(&format!(
                    "{}{key}:{}",
                    "  ".repeat(depth),
                    if is_nested { noise(draw) } else { String::new() }
                ));
                if is_nested {
                    out.push('\n');
                    block(value, depth + 1, draw, out);
                } else {
                    out.push_str(&format!(
                        "{} {}{}\n",
                        " ".repeat(draw(3)),
                        scalar(value, draw),
                        noise(draw)
                    ));
                }
            }
        }
        Value::Array(items) => {
            for item in items {
                out.push_str(&format!(
                    "{}- {}{}\n",
                    "  ".repeat(depth),
                    scalar(item, draw),
                    noise(draw)
                ));
            }
        }
        other => out.push_str(&format!("{}{other}\n", "  ".repeat(depth))),
    }
}

/// Texts in any quotes, everything else in flow style.
fn scalar(value: &serde_json::Value, draw: &mut dyn FnMut(usize) -> usize) -> String {
    match value {
        serde_json::Value::String(text) if draw(2) == 0 => format!("'{text}'"),
        other => other.to_string(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_failure_persistence(FileFailurePersistence::WithSource("regressions")))]

    #[test]
    fn the_digest_does_not_depend_on_formatting(draws in prop::collection::vec(any::<u8>(), 200)) {
        let document = yaml("doc", "a b", &["x", "y"], &["one", "two"]);
        let mut at = 0;
        let mut draw = |choices: usize| {
            at += 1;
            usize::from(draws[at % draws.len()]) % choices
        };
        let mut source = String::new();
        block(&document, 0, &mut draw, &mut source);
        prop_assert_eq!(digest(&source), digest(&document.to_string()), "{}", source);
    }

    #[test]
    fn the_digest_depends_on_content(name in "[a-z]{1,8}", label in "[a-z]{0,4}", other_label in "[a-z]{0,4}") {
        let one = digest(&yaml(&name, &label, &["x"], &["one"]).to_string());
        let other = digest(&yaml(&name, &other_label, &["x"], &["one"]).to_string());
        prop_assert_eq!(one == other, label == other_label);
        let longer = name.clone() + "x";
        prop_assert_ne!(&one, &digest(&yaml(&longer, &label, &["x"], &["one"]).to_string()));
        prop_assert_ne!(&one, &digest(&yaml(&name, &label, &["x"], &["two"]).to_string()));
    }
}

/// Runs refer to jobs by their place, so that their order counts although that of other keys does not.
#[test]
fn the_digest_depends_on_the_order_of_jobs() {
    let head = "apiVersion: clawd.dev/v1\nkind: Runbook\nmetadata: {name: x}\ntargets: controller\n";
    let (a, b) = (
        "  a: {steps: [{uses: noop@v1}]}\n",
        "  b: {steps: [{uses: noop@v1}]}\n",
    );
    let turned = head.lines().rev().collect::<Vec<_>>().join("\n");
    let one = digest(&format!("{head}jobs:\n{a}{b}"));
    assert_eq!(one, digest(&format!("{turned}\njobs:\n{a}{b}")));
    assert_ne!(one, digest(&format!("{head}jobs:\n{b}{a}")));
}

/// A digest names a workflow for life: runs of older versions of this program refer to it.
#[test]
fn the_digest_of_a_document_never_changes() {
    let source = include_str!("accept/everything.yaml");
    assert_eq!(
        digest(source),
        "sha256:91a4a44ce2fb62af74c40888d265056aed85e063ae7528006e35409e358ba48a"
    );
}
