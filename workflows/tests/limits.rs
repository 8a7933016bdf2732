//! Documents that are meant to exhaust the reader: refused quickly, with a problem that says why.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests fail by panicking"
)]

mod shipped;

use clawd_workflow::check;

const HEAD: &str = "apiVersion: clawd.dev/v1\nkind: Runbook\nmetadata: {name: x}\ntargets: controller\n";

fn codes(source: &str) -> Vec<String> {
    let checked = check(source, &shipped::specs());
    assert!(checked.workflow.is_none());
    assert!(checked.problems.len() <= 200);
    checked.problems.into_iter().map(|problem| problem.code).collect()
}

#[test]
fn size_depth_and_number_of_values_are_limited() {
    assert_eq!(codes(&"#".repeat(1024 * 1024 + 1)), ["RB001"]);
    for depth in [100, 1000, 100_000] {
        for (opening, closing) in [("[", "]"), ("{a: ", "}"), ("- ", ""), ("? ", "")] {
            let bomb = format!("{}{}", opening.repeat(depth), closing.repeat(depth));
            let codes = codes(&bomb);
            assert!(
                codes == ["RB005"] || codes == ["RB002"],
                "{opening} {depth}: {codes:?}"
            );
        }
    }
    assert_eq!(codes(&format!("a: [{}]", "1,".repeat(60_000))), ["RB005"]);
    let deep: String = (0..200)
        .map(|depth| format!("{}a:\n", " ".repeat(depth)))
        .collect();
    assert_eq!(codes(&deep), ["RB005"]);
}

#[test]
fn aliases_cannot_expand() {
    let mut bomb = "a: &a [x, x, x, x, x, x, x, x, x]\n".to_owned();
    for (letter, before) in ('b'..='z').zip('a'..='y') {
        bomb.push_str(&format!(
            "{letter}: &{letter} [{}]\n",
            vec![format!("*{before}"); 9].join(", ")
        ));
    }
    assert!(codes(&bomb).iter().any(|code| code == "RB004"));
}

#[test]
fn jobs_steps_and_expressions_are_limited() {
    let jobs: String = (0..300)
        .map(|job| format!("  j{job}: {{steps: [{{uses: noop@v1}}]}}\n"))
        .collect();
    assert_eq!(codes(&format!("{HEAD}jobs:\n{jobs}")), ["RB017"]);
    let steps = "{uses: noop@v1},".repeat(1100);
    assert_eq!(
        codes(&format!("{HEAD}jobs: {{j: {{steps: [{steps}]}}}}")),
        ["RB017"]
    );
    let values = "'${{ 1 }}',".repeat(2100);
    assert_eq!(
        codes(&format!(
            "{HEAD}jobs: {{j: {{steps: [{{uses: noop@v1, with: {{value: [{values}]}}}}]}}}}"
        )),
        ["RB005"]
    );
}

#[test]
fn problems_are_limited() {
    let keys: String = (0..5000).map(|key| format!("key{key}: 1\n")).collect();
    assert_eq!(codes(&keys).len(), 200);
}
