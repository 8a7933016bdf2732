//! Lists and shows runbooks: the active version of each.

use clawd_model::JobName;
use clawd_model::api::{Page, RunbookSummary, RunbookView};
use serde_json::Value;

use crate::error::StoreFailed;
use crate::gate::{Permit, RunbookOn, RunbookRead};

/// The runbooks that the caller may see.
///
/// # Errors
/// When the store fails.
pub async fn list_runbooks(permit: &Permit<RunbookRead>) -> Result<Page<RunbookSummary>, StoreFailed> {
    let versions = permit.store().runbooks().await?;
    let items = versions
        .into_iter()
        .map(|version| {
            let workflow = permit.app().workflow(version.digest, &version.source);
            RunbookOn::new(permit.tenant().clone(), version, workflow)
        })
        .filter(|runbook| permit.covers(runbook))
        .map(|runbook| summary(&runbook))
        .collect();
    Ok(Page { items, next: None })
}

/// The runbook that the permit is for.
#[must_use]
pub fn show_runbook(permit: &Permit<RunbookRead, RunbookOn>) -> RunbookView {
    let runbook = permit.on();
    let (inputs, jobs) = match &runbook.workflow {
        Some(workflow) => {
            let jobs = workflow
                .jobs
                .iter()
                .map(|job| JobName::to_string(&job.name))
                .collect();
            (workflow.inputs_schema(), jobs)
        }
        None => (Value::Null, Vec::new()),
    };
    RunbookView {
        usable: runbook.workflow.is_some(),
        summary: summary(runbook),
        source: runbook.version.source.clone(),
        inputs,
        jobs,
    }
}

fn summary(runbook: &RunbookOn) -> RunbookSummary {
    let version = &runbook.version;
    RunbookSummary {
        name: version.name.clone(),
        digest: version.digest,
        description: runbook
            .workflow
            .as_ref()
            .map(|workflow| workflow.description.clone())
            .unwrap_or_default(),
        labels: runbook.labels.clone(),
        published_by: version.published_by.clone(),
        published_at: version.published_at,
    }
}
