//! `clawd runbook`: check a file, explain a problem, list, show, publish.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::Subcommand;
use clawd_model::api::RunbookSummary;
use clawd_model::{OperationName, OperationSpec, RunbookName};
use clawd_provider::contract;

use crate::cli::Globals;
use crate::connect::{client, failure};
use crate::exit::{Exit, Failure, Outcome};
use crate::files;
use crate::render::{self, print, print_list, printable, table};

/// Runbooks: check a file, explain a problem, list, show, publish.
#[derive(Debug, Subcommand)]
pub(crate) enum Runbook {
    /// Check a runbook's file, offline. All problems are reported at once.
    Check { file: PathBuf },
    /// Say why a problem of `check` is one, and what to do about it.
    Explain {
        /// Its code: `RB010`.
        code: String,
    },
    /// List the active runbooks.
    Ls,
    /// Print a runbook.
    Show { name: RunbookName },
    /// Publish a version of a runbook; runs that began keep theirs.
    Publish { file: PathBuf },
}

impl Runbook {
    pub(crate) async fn run(self, globals: &Globals) -> Outcome {
        match self {
            Self::Check { file } => return check(globals, &file),
            Self::Explain { code } => return explain(globals, &code),
            Self::Ls => {
                let runbooks = client(globals)?.runbooks().await.map_err(failure)?;
                print_list(globals.output, &runbooks.items, list)?;
            }
            Self::Show { name } => {
                let view = client(globals)?.runbook(&name).await.map_err(failure)?;
                print(globals.output, &view, |view| {
                    out!("{}", render::file(&view.source))
                })?;
            }
            Self::Publish { file } => {
                let source = files::read("runbook", &file)?;
                let published = client(globals)?
                    .publish_runbook(&source, None)
                    .await
                    .map_err(failure)?;
                print(globals.output, &published, |published| {
                    for problem in &published.problems {
                        let named = clawd_model::Problem {
                            file: Some(file.display().to_string()),
                            ..problem.clone()
                        };
                        eprintln!("{}", render::problem(&source, &named));
                    }
                    let name = published.name.as_ref().map_or("?", AsRef::as_ref);
                    let digest = published
                        .digest
                        .map(|digest| digest.to_string())
                        .unwrap_or_default();
                    outln!("published {name} {digest}");
                })?;
            }
        }
        Ok(Exit::Ok)
    }
}

fn explain(globals: &Globals, code: &str) -> Outcome {
    let found = clawd_workflow::codes::explain(code).ok_or_else(|| {
        Failure::usage(format!("there is no problem `{code}`"))
            .with_hint("a code looks like `RB010`; docs/reference/runbook-problems.md has them all")
    })?;
    let document = serde_json::json!({
        "code": found.id, "title": found.title, "explanation": found.explanation,
    });
    print(globals.output, &document, |_| {
        outln!("{}: {}\n\n{}", found.id, found.title, found.explanation);
    })?;
    Ok(Exit::Ok)
}

/// The operations that ship, by name.
pub(crate) fn specs() -> BTreeMap<OperationName, OperationSpec> {
    contract::all()
        .into_iter()
        .map(|spec| (spec.name.clone(), spec))
        .collect()
}

fn check(globals: &Globals, file: &Path) -> Outcome {
    let source = files::read("runbook", file)?;
    let checked = clawd_workflow::check(&source, &specs());
    print_list(globals.output, &checked.problems, |problems| {
        for problem in problems {
            let named = clawd_model::Problem {
                file: Some(file.display().to_string()),
                ..problem.clone()
            };
            eprintln!("{}", render::problem(&source, &named));
        }
        if let Some(workflow) = &checked.workflow {
            let steps: usize = workflow.jobs.iter().map(|job| job.steps.len()).sum();
            outln!(
                "{}: {} jobs, {steps} steps, {}",
                workflow.name,
                workflow.jobs.len(),
                workflow.digest
            );
        }
    })?;
    Ok(if checked.workflow.is_some() {
        Exit::Ok
    } else {
        Exit::Usage
    })
}

fn list(runbooks: &[RunbookSummary]) {
    let rows = runbooks.iter().map(|runbook| {
        vec![
            runbook.name.to_string(),
            runbook.digest.short(),
            runbook.published_by.to_string(),
            printable(&runbook.description),
        ]
    });
    table::print(&["RUNBOOK", "DIGEST", "BY", "FOR"], rows.collect(), "no runbooks");
}
