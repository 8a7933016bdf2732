//! The list of runs.

use axum::extract::{Query, State};
use clawd_control::{ListRuns, RunRead, list_runs};
use clawd_model::api::RunSummary;
use clawd_model::{RunId, RunStatus, RunbookName};
use serde::Deserialize;

use super::simulated::run_rows;
use crate::door::{Allowed, Answer, Failure, Web, render};
use crate::view::fleet::Simulated;
use crate::view::runs::{FilterChoice, RunRow, RunsPage};
use crate::view::shell::Section;

#[derive(Deserialize)]
pub(crate) struct Which {
    status: Option<String>,
    runbook: Option<String>,
    after: Option<String>,
}

/// The choices of states: word, label, states.
const CHOICES: [(&str, &str, &[RunStatus]); 5] = [
    ("", "all", &[]),
    (
        "active",
        "active",
        &[
            RunStatus::Queued,
            RunStatus::Running,
            RunStatus::Waiting,
            RunStatus::Cancelling,
        ],
    ),
    ("waiting", "waiting", &[RunStatus::Waiting]),
    (
        "failed",
        "failed or denied",
        &[RunStatus::Failed, RunStatus::Denied],
    ),
    ("succeeded", "succeeded", &[RunStatus::Succeeded]),
];

/// Lists runs, newest first.
pub(crate) async fn list(
    State(web): State<Web>,
    Allowed { visitor, permit }: Allowed<RunRead>,
    Query(which): Query<Which>,
) -> Answer {
    let wanted = which.status.unwrap_or_default();
    let statuses = CHOICES
        .iter()
        .find(|(word, ..)| *word == wanted)
        .map(|(.., statuses)| statuses.to_vec())
        .ok_or_else(|| Failure::invalid(format!("`{wanted}` is not a filter")))?;
    let runbook = parsed::<RunbookName>(which.runbook.as_deref())?;
    let page = list_runs(
        &permit,
        ListRuns {
            runbook: runbook.clone(),
            statuses,
            after: parsed::<RunId>(which.after.as_deref())?,
            ..ListRuns::default()
        },
    )
    .await?;
    let of_runbook = runbook.map(|name| format!("runbook={name}&")).unwrap_or_default();
    let address = |status: &str, rest: &str| format!("/runs?{of_runbook}status={status}{rest}");
    render(&RunsPage {
        shell: web.shell(&visitor, Section::Runs).await,
        filters: CHOICES
            .iter()
            .map(|(word, label, _)| FilterChoice {
                label: (*label).to_owned(),
                href: address(word, ""),
                current: *word == wanted,
            })
            .collect(),
        filtered: !wanted.is_empty() || !of_runbook.is_empty(),
        runs: run_rows(&web, &visitor, &page.items).await?,
        older: page.next.map(|next| address(&wanted, &format!("&after={next}"))),
    })
}

/// A value of the address; absent when it is empty.
pub(super) fn parsed<T: std::str::FromStr>(text: Option<&str>) -> Result<Option<T>, Failure>
where
    T::Err: std::fmt::Display,
{
    text.map(str::trim)
        .filter(|text| !text.is_empty())
        .map(str::parse)
        .transpose()
        .map_err(|error: T::Err| Failure::invalid(error.to_string()))
}

/// A run as lists show it.
pub(super) fn run_row(run: &RunSummary, simulated: Option<Simulated>) -> RunRow {
    RunRow {
        simulated,
        id: run.id.to_string(),
        runbook: run.runbook.to_string(),
        status: run.status,
        requester: run.requester.to_string(),
        started_at: run.started_at,
        finished_at: run.finished_at,
    }
}
