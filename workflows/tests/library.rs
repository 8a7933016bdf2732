//! The runbooks that ship are without problems.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests fail by panicking"
)]

mod shipped;

use clawd_workflow::{check, library, render_problem};

#[test]
fn every_runbook_of_the_library_checks_clean() {
    for (name, source) in library::runbooks() {
        let checked = check(source, &shipped::specs());
        let problems: String = checked
            .problems
            .iter()
            .map(|problem| render_problem(source, problem))
            .collect();
        assert_eq!(problems, "", "{name}");
        let workflow = checked.workflow.expect("no problems, so there is a workflow");
        assert_eq!(workflow.name.as_str(), *name);
        assert!(
            ["low", "medium", "high"].contains(&workflow.labels["risk"].as_str()),
            "{name}"
        );
        assert!(!workflow.description.is_empty(), "{name}");
    }
}

#[test]
fn no_runbook_of_the_library_is_forgotten() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("library");
    let mut files: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    files.sort();
    let listed: Vec<String> = library::runbooks()
        .iter()
        .map(|(name, _)| format!("{name}.yaml"))
        .collect();
    assert_eq!(files, listed);
}
