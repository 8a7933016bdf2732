//! Runbooks.

use axum::extract::State;
use clawd_control::{ListRuns, RunRead, RunbookOn, RunbookRead, list_runbooks, list_runs, show_runbook};
use clawd_model::Risk;
use clawd_model::api::RunbookSummary;
use clawd_workflow::{Batch, InputKind, Job, Section as List, Strategy, Targets, Workflow};

use super::simulated::run_rows;
use super::workflow;
use crate::door::{Allowed, AllowedOn, Answer, Failure, Visitor, Web, render};
use crate::ui::Tally;
use crate::view::run::{GraphJob, RunGraph};
use crate::view::runbooks::{RunbookInput, RunbookJob, RunbookPage, RunbookRow, RunbookStep, RunbooksPage};
use crate::view::runs::RunRow;
use crate::view::shell::Section;

/// Lists them.
pub(crate) async fn list(
    State(web): State<Web>,
    Allowed { visitor, permit }: Allowed<RunbookRead>,
) -> Answer {
    let page = list_runbooks(&permit).await?;
    render(&RunbooksPage {
        shell: web.shell(&visitor, Section::Runbooks).await,
        runbooks: page.items.iter().map(row).collect(),
    })
}

/// Shows one.
pub(crate) async fn show(
    State(web): State<Web>,
    AllowedOn { visitor, permit }: AllowedOn<RunbookRead, RunbookOn>,
) -> Answer {
    let view = show_runbook(&permit);
    let workflow = workflow::of(&view);
    let jobs = |with: fn(&Workflow) -> Vec<RunbookJob>| workflow.as_ref().map(with).unwrap_or_default();
    render(&RunbookPage {
        shell: web.shell(&visitor, Section::Runbooks).await,
        graph: RunGraph {
            jobs: workflow.as_ref().map(graph).unwrap_or_default(),
        },
        inputs: workflow.as_ref().map(inputs).unwrap_or_default(),
        jobs: jobs(|workflow| workflow.jobs.iter().map(job).collect()),
        runs: last_runs(&web, &visitor, &view.summary).await?,
        can_run: view.usable,
        row: row(&view.summary),
        source: view.source,
    })
}

async fn last_runs(web: &Web, visitor: &Visitor, runbook: &RunbookSummary) -> Result<Vec<RunRow>, Failure> {
    if !visitor.may("run.read") {
        return Ok(Vec::new());
    }
    let permit = web
        .app
        .permit::<RunRead>(&visitor.caller)
        .await
        .map_err(Failure::refused)?;
    let which = ListRuns {
        runbook: Some(runbook.name.clone()),
        limit: Some(5),
        ..ListRuns::default()
    };
    let runs = list_runs(&permit, which).await?.items;
    run_rows(web, visitor, &runs).await
}

fn row(runbook: &RunbookSummary) -> RunbookRow {
    RunbookRow {
        name: runbook.name.to_string(),
        description: runbook.description.clone(),
        labels: runbook
            .labels
            .iter()
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect(),
        digest: runbook.digest,
        published_by: runbook.published_by.to_string(),
        published_at: runbook.published_at,
    }
}

fn graph(workflow: &Workflow) -> Vec<GraphJob> {
    workflow
        .jobs
        .iter()
        .map(|job| GraphJob {
            name: job.name.to_string(),
            needs: job.needs.iter().map(|needed| usize::from(*needed)).collect(),
            tally: Tally::default(),
            note: match job.steps.len() {
                1 => "1 step".to_owned(),
                count => format!("{count} steps"),
            },
        })
        .collect()
}

fn job(job: &Job) -> RunbookJob {
    let steps = (0_u16..).zip(&job.steps).map(|(index, step)| {
        let spec = workflow::operation(&step.uses);
        RunbookStep {
            name: step.name.to_string(),
            uses: step.uses.to_string(),
            summary: spec.map(|spec| spec.summary.clone()).unwrap_or_default(),
            risk: spec.map_or(Risk::High, |spec| spec.risk),
            mutating: spec.is_none_or(clawd_model::OperationSpec::is_mutating),
            part: match job.section(index) {
                List::Steps => "",
                List::Rescue => "rescue",
                List::Always => "always",
            },
        }
    });
    RunbookJob {
        name: job.name.to_string(),
        targets: match &job.targets {
            Targets::Controller => "from the controller".to_owned(),
            Targets::Servers(selector) => selector.to_string(),
        },
        strategy: strategy(&job.strategy),
        steps: steps.collect(),
    }
}

/// `canary env=staging, then 1, 50%, 100%`.
fn strategy(strategy: &Strategy) -> String {
    let sizes: Vec<String> = strategy
        .serial
        .iter()
        .map(|batch| match batch {
            Batch::Count(count) => count.to_string(),
            Batch::Percent(percent) => format!("{percent}%"),
        })
        .collect();
    let canary = strategy
        .canary
        .as_ref()
        .map(|selector| format!("canary {selector}"));
    let waves = (!sizes.is_empty()).then(|| format!("waves of {}", sizes.join(", ")));
    let soak = (strategy.soak.0 > 0).then(|| format!("soaks {}", strategy.soak));
    let parts: Vec<String> = canary.into_iter().chain(waves).chain(soak).collect();
    parts.join(" · ")
}

fn inputs(workflow: &Workflow) -> Vec<RunbookInput> {
    workflow
        .inputs
        .iter()
        .map(|input| RunbookInput {
            name: input.name.clone(),
            kind: match &input.kind {
                InputKind::Text => "text".to_owned(),
                InputKind::Integer { .. } => "whole number".to_owned(),
                InputKind::Number => "number".to_owned(),
                InputKind::Boolean => "yes or no".to_owned(),
                InputKind::Enum(values) => format!("one of {}", values.join(", ")),
                InputKind::List => "list of texts".to_owned(),
            },
            default: match &input.default {
                None => String::new(),
                Some(serde_json::Value::String(text)) => text.clone(),
                Some(other) => other.to_string(),
            },
            description: input.description.clone(),
        })
        .collect()
}
