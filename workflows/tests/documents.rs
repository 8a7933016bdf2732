//! Whole documents: what is accepted, and as what; what is rejected, and what a person then reads.
//!
//! Each `accept/*.yaml` and `reject/*.yaml` has its `.expected` beside it. `UPDATE_EXPECTED=1 cargo test` writes
//! these anew; look at the difference before committing it.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests fail by panicking"
)]

mod shipped;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use clawd_workflow::{Checked, Targets, Workflow, check, codes, render_problem};

fn documents(folder: &str) -> Vec<(PathBuf, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(folder);
    let mut paths: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "yaml"));
    paths.sort();
    assert!(!paths.is_empty());
    paths
        .into_iter()
        .map(|path| (path.clone(), std::fs::read_to_string(path).unwrap()))
        .collect()
}

fn rendered(path: &Path, source: &str, checked: &Checked) -> String {
    let file = path.file_name().unwrap().to_string_lossy().into_owned();
    let mut texts = Vec::new();
    for problem in &checked.problems {
        let mut problem = problem.clone();
        problem.file = Some(file.clone());
        texts.push(render_problem(source, &problem));
    }
    texts.join("\n")
}

fn compare(path: &Path, found: &str) -> Option<String> {
    let expected_path = path.with_extension("expected");
    if std::env::var_os("UPDATE_EXPECTED").is_some() {
        std::fs::write(&expected_path, found).unwrap();
    }
    let expected = std::fs::read_to_string(&expected_path).unwrap_or_default();
    (expected != found).then(|| format!("{}:\n{found}", path.display()))
}

fn described(workflow: &Workflow) -> String {
    let mut out = String::new();
    let _ = writeln!(out, "workflow {} {:?}", workflow.name, workflow.labels);
    for input in &workflow.inputs {
        let _ = writeln!(
            out,
            "input {}: {:?} = {:?}",
            input.name, input.kind, input.default
        );
    }
    if let Some(lock) = &workflow.lock {
        let _ = writeln!(out, "lock {lock:?}");
    }
    let _ = writeln!(out, "triggers {:?}", workflow.triggers);
    let order: Vec<&str> = workflow
        .order
        .iter()
        .map(|job| workflow.jobs[usize::from(*job)].name.as_str())
        .collect();
    let _ = writeln!(out, "order {}", order.join(" "));
    for job in &workflow.jobs {
        let needs: Vec<&str> = job
            .needs
            .iter()
            .map(|job| workflow.jobs[usize::from(*job)].name.as_str())
            .collect();
        let targets = match &job.targets {
            Targets::Controller => "controller".to_owned(),
            Targets::Servers(selector) => selector.to_string(),
        };
        let _ = writeln!(out, "job {} needs {needs:?} on {targets}", job.name);
        let _ = writeln!(out, "  {:?}", job.strategy);
        for (what, shown) in [
            ("facts", job.facts_max_age.map(|age| age.to_string())),
            (
                "if",
                job.condition
                    .as_ref()
                    .map(|condition| condition.source().to_owned()),
            ),
            (
                "approval",
                job.approval.as_ref().map(|approval| format!("{approval:?}")),
            ),
        ] {
            if let Some(shown) = shown {
                let _ = writeln!(out, "  {what} {shown}");
            }
        }
        for (index, step) in (0..).zip(&job.steps) {
            let section = job.section(index);
            let _ = writeln!(out, "  {section:?} {} {} {:?}", step.name, step.uses, step.with);
            if let Some(condition) = &step.condition {
                let _ = writeln!(out, "    if {}", condition.source());
            }
            if step.retry.attempts > 1 || step.timeout.is_some() {
                let _ = writeln!(out, "    {:?} {:?}", step.retry, step.timeout);
            }
        }
        for (name, template) in &job.outputs {
            let _ = writeln!(out, "  output {name} {template:?}");
        }
    }
    out
}

#[test]
fn accepted_documents_become_the_expected_workflows() {
    let mut wrong = Vec::new();
    for (path, source) in documents("accept") {
        let checked = check(&source, &shipped::specs());
        let problems = rendered(&path, &source, &checked);
        let Some(workflow) = &checked.workflow else {
            wrong.push(format!("{} is rejected:\n{problems}", path.display()));
            continue;
        };
        assert_eq!(workflow.source(), source);
        wrong.extend(compare(&path, &format!("{}{problems}", described(workflow))));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn rejected_documents_say_what_where_and_what_to_do() {
    let mut wrong = Vec::new();
    for (path, source) in documents("reject") {
        let checked = check(&source, &shipped::specs());
        assert!(checked.workflow.is_none(), "{} is accepted", path.display());
        assert!(checked.problems.iter().all(|problem| problem.span.is_some()));
        wrong.extend(compare(&path, &rendered(&path, &source, &checked)));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_code_has_a_document_that_shows_it() {
    // Too large for files of their own: see the test of limits. And the inputs of a run are in no document.
    let elsewhere = ["RB001", "RB005", "RB070", "RB071", "RB072"];
    let mut shown = std::collections::BTreeSet::new();
    for (_, source) in documents("accept").into_iter().chain(documents("reject")) {
        shown.extend(
            check(&source, &shipped::specs())
                .problems
                .into_iter()
                .map(|problem| problem.code),
        );
    }
    for code in codes::ALL {
        assert!(
            shown.contains(code.id) || elsewhere.contains(&code.id),
            "no document shows {}: {}",
            code.id,
            code.title
        );
    }
    for code in &shown {
        assert!(codes::explain(code).is_some(), "{code} is not explained");
    }
}
