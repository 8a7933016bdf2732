//! `docs/reference/runbook-problems.md` is made from the codes.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "everything in here is a test, which ends at the first surprise"
)]

use std::fmt::Write as _;
use std::path::Path;

use clawd_workflow::codes;

mod shipped;

fn page() -> String {
    let mut page = String::from(
        "# Problems in runbooks\n\n`clawd runbook check FILE` reports all of them at once, each with its place, its code and a \
         hint. A code never changes\nits meaning. This page is made from the source; a test keeps it fresh.\n",
    );
    for code in codes::ALL {
        let _ = write!(
            page,
            "\n## {}: {}\n\n{}\n",
            code.id,
            code.title,
            wrapped(code.explanation)
        );
    }
    page
}

/// Lines of at most 120 characters.
fn wrapped(text: &str) -> String {
    let mut lines: Vec<String> = vec![String::new()];
    for word in text.split(' ') {
        let last = lines.last_mut().unwrap();
        if last.is_empty() {
            last.push_str(word);
        } else if last.chars().count() + 1 + word.chars().count() <= 120 {
            last.push(' ');
            last.push_str(word);
        } else {
            lines.push(word.to_owned());
        }
    }
    lines.join("\n")
}

#[test]
fn the_page_of_problems_is_fresh() {
    let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/reference/runbook-problems.md");
    let fresh = page();
    if std::env::var_os("CLAWD_UPDATE_REFERENCE").is_some() {
        std::fs::write(&kept, &fresh).unwrap();
    }
    assert!(
        std::fs::read_to_string(&kept).unwrap_or_default() == fresh,
        "docs/reference/runbook-problems.md is stale: run the tests with CLAWD_UPDATE_REFERENCE=1"
    );
}

/// What the guide shows can be copied.
#[test]
fn the_runbooks_of_the_guide_are_accepted() {
    let guide = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/runbooks.md");
    let text = std::fs::read_to_string(guide).unwrap();
    let shown: Vec<&str> = text
        .split("```yaml\n")
        .skip(1)
        .filter_map(|rest| rest.split("```").next())
        .collect();
    assert!(!shown.is_empty());
    for source in shown {
        let checked = clawd_workflow::check(source, &shipped::specs());
        assert!(checked.workflow.is_some(), "{:#?}", checked.problems);
        assert!(checked.problems.is_empty(), "{:#?}", checked.problems);
    }
}
