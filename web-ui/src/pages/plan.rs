//! One plan, and starting it.

use std::collections::HashMap;

use axum::extract::State;
use axum::response::{IntoResponse, Redirect};
use clawd_control::{PlanOn, PlannedRun, RunRead, RunStart, ServerRead, list_servers, show_plan, start_run};
use clawd_model::api::PlanView;
use clawd_model::{DecisionKind, Digest, PlannedJob, PlannedStep, ServerName, ServerProvider, WillRun};
use serde_json::Value;

use crate::door::{AllowedOn, Answer, Failure, Sent, Visitor, Web, render};
use crate::ui::{DecisionView, Diff, MissingView};
use crate::view::fleet::ProviderTag;
use crate::view::plan::{PlanJob, PlanLane, PlanMark, PlanPage, PlanStep, PlanTotals, PlanWave};
use crate::view::shell::Section;

/// How each server is reached, by name.
pub(super) type Providers = HashMap<ServerName, ServerProvider>;

/// Shows a plan.
pub(crate) async fn show(
    State(web): State<Web>,
    AllowedOn { visitor, permit }: AllowedOn<RunRead, PlannedRun>,
) -> Answer {
    let view = show_plan(&permit);
    let digest = view.digest;
    let providers = providers(&web, &visitor).await?;
    let now = web.now();
    let key = format!("{digest}\n{}\n{}", visitor.csrf, now.0);
    render(&PlanPage {
        shell: web.shell(&visitor, Section::Runs).await,
        runbook: view.plan.runbook.to_string(),
        digest,
        workflow: view.plan.workflow,
        requester: view.plan.requester.to_string(),
        at: view.plan.at,
        selector: view.plan.selector.clone(),
        inputs: input_pairs(&view.plan.inputs),
        bundle: view
            .plan
            .steps
            .iter()
            .find_map(|step| step.decision.as_ref())
            .map(|decision| decision.bundle),
        totals: totals(&view),
        jobs: jobs(&view, &providers),
        stale: now > view.expires_at,
        idempotency_key: Digest::of(key.as_bytes()).to_hex(),
    })
}

/// Starts a run of a plan. Pressing the button twice starts one run.
pub(crate) async fn start(State(web): State<Web>, visitor: Visitor, sent: Sent) -> Answer {
    let text = sent.text("plan");
    let digest: Digest = text.parse().map_err(|_| Failure::no_such("plan", text))?;
    let permit = web
        .app
        .permit_on::<RunStart, PlanOn>(&visitor.caller, &digest)
        .await
        .map_err(Failure::refused)?;
    let what = Digest::of(format!("start\n{digest}").as_bytes());
    let key = Some(sent.text("key")).filter(|key| !key.is_empty());
    let permit = &permit;
    let run = permit
        .once(
            key,
            what,
            |request| async move { start_run(permit, &request).await },
        )
        .await?;
    Ok(Redirect::to(&format!("/runs/{}?done=started", run.id)).into_response())
}

/// How each server is reached, for those who may see servers: simulated ones are labelled so everywhere.
pub(super) async fn providers(web: &Web, visitor: &Visitor) -> Result<Providers, Failure> {
    if !visitor.may("server.read") {
        return Ok(Providers::new());
    }
    let permit = web
        .app
        .permit::<ServerRead>(&visitor.caller)
        .await
        .map_err(Failure::refused)?;
    let servers = list_servers(&permit, None).await?.items;
    Ok(servers
        .into_iter()
        .map(|server| (server.name, server.provider))
        .collect())
}

/// The provider's tag of a target; none for the controller.
pub(super) fn tag(providers: &Providers, name: &ServerName) -> Option<ProviderTag> {
    providers
        .get(name)
        .map(|provider| ProviderTag { provider: *provider })
}

/// Inputs as name and text.
pub(super) fn input_pairs(inputs: &Value) -> Vec<(String, String)> {
    let Value::Object(inputs) = inputs else {
        return Vec::new();
    };
    let shown = inputs.iter().filter(|(_, value)| !value.is_null());
    shown
        .map(|(name, value)| {
            let text = match value {
                Value::String(text) => text.clone(),
                other => other.to_string(),
            };
            (name.clone(), text)
        })
        .filter(|(_, text)| !text.is_empty())
        .collect()
}

fn totals(view: &PlanView) -> PlanTotals {
    let summary = &view.summary;
    let count = |number: u32| usize::try_from(number).unwrap_or(usize::MAX);
    PlanTotals {
        servers: count(summary.servers),
        changes: count(summary.changes),
        depends: count(summary.depends),
        errors: count(summary.errors),
        allowed: count(summary.allowed),
        need_votes: count(summary.needs_approval),
        denied: count(summary.denied),
    }
}

fn jobs(view: &PlanView, providers: &Providers) -> Vec<PlanJob> {
    (0_u16..)
        .zip(&view.plan.jobs)
        .map(|(index, job)| plan_job(index, job, &view.plan.steps, providers))
        .collect()
}

fn plan_job(index: u16, job: &PlannedJob, all: &[PlannedStep], providers: &Providers) -> PlanJob {
    let steps: Vec<&PlannedStep> = all.iter().filter(|step| step.step_ref.job == index).collect();
    let count = job.waves.len();
    let mut lane = 0_u32;
    let mut waves = Vec::new();
    for (number, targets) in job.waves.iter().enumerate() {
        let mut lanes = Vec::new();
        for target in targets {
            let own = steps.iter().filter(|step| step.step_ref.lane == lane);
            lanes.push(PlanLane {
                server: target.name.to_string(),
                provider: tag(providers, &target.name),
                env: target.env.clone(),
                steps: own.map(|step| plan_step(step)).collect(),
                open: false,
            });
            lane += 1;
        }
        unfold(&mut lanes);
        waves.push(PlanWave {
            label: wave_label(number, count),
            lanes,
        });
    }
    PlanJob {
        name: job.job.to_string(),
        needs: Vec::new(),
        missing: missing(&steps),
        waves,
    }
}

/// `wave 2 of 3`; nothing when there is only one.
pub(super) fn wave_label(number: usize, count: usize) -> String {
    if count > 1 {
        format!("wave {} of {count}", number + 1)
    } else {
        String::new()
    }
}

/// Unfolds what wants to be seen: errors, and the first change of each wave; the others are mostly like it.
fn unfold(lanes: &mut [PlanLane]) {
    let mut shown = false;
    for lane in lanes {
        let mark = lane.overall();
        lane.open = mark == PlanMark::Error || (mark == PlanMark::Changes && !shown);
        shown |= mark == PlanMark::Changes;
    }
}

/// What has to be voted before any of these steps: the demands of the first that waits.
fn missing(steps: &[&PlannedStep]) -> Vec<MissingView> {
    steps
        .iter()
        .filter_map(|step| step.decision.as_ref())
        .find_map(|decision| match &decision.kind {
            DecisionKind::NeedsApproval { missing, .. } => Some(MissingView::all(missing)),
            DecisionKind::Allow | DecisionKind::Deny => None,
        })
        .unwrap_or_default()
}

/// The prediction for one step.
pub(super) fn plan_step(step: &PlannedStep) -> PlanStep {
    let (mark, summary) = foreseen(step);
    let diff = step.change.as_ref().map(|change| {
        let label = format!("changes of {} on {}", step.step, step.target.name);
        Diff::read(label, &change.diff)
    });
    PlanStep {
        name: step.step.to_string(),
        uses: step.uses.to_string(),
        mark,
        summary,
        diff: diff.filter(|diff| !diff.is_empty()),
        decision: step
            .decision
            .as_ref()
            .filter(|_| mark != PlanMark::Skips)
            .map(DecisionView::from),
    }
}

fn foreseen(step: &PlannedStep) -> (PlanMark, String) {
    if let Some(error) = &step.error {
        return (PlanMark::Error, error.message.clone());
    }
    match (&step.will_run, &step.change) {
        (WillRun::No { condition }, _) => (
            PlanMark::Skips,
            format!("its condition is false: {}", quoted(condition)),
        ),
        (WillRun::Depends { on }, _) => (PlanMark::Depends, format!("depends on {on}")),
        (WillRun::Yes, Some(change)) if change.needed => (PlanMark::Changes, change.summary.clone()),
        (WillRun::Yes, Some(_)) => (PlanMark::Nothing, "all is as wanted".to_owned()),
        (WillRun::Yes, None) => match &step.output {
            Some(output) => (PlanMark::Reads, read_summary(output)),
            None => (PlanMark::Depends, "shows only when it runs".to_owned()),
        },
    }
}

/// An expression as code; one with ticks of its own as it is.
fn quoted(expression: &str) -> String {
    if expression.contains('`') {
        expression.to_owned()
    } else {
        format!("`{expression}`")
    }
}

/// What was read, in a line, for outputs whose shape we know.
fn read_summary(output: &Value) -> String {
    let list = |name: &str| output.get(name).and_then(Value::as_array);
    let Some(packages) = list("packages") else {
        return "read, and frozen for this run".to_owned();
    };
    let names: Vec<&str> = packages
        .iter()
        .filter_map(|package| package.get("name").and_then(Value::as_str))
        .take(6)
        .collect();
    let mut text = match packages.len() {
        0 => "no package to upgrade".to_owned(),
        1 => format!("1 package to upgrade: {}", names.join(", ")),
        count => format!("{count} packages to upgrade: {}", names.join(", ")),
    };
    if packages.len() > names.len() {
        text.push('…');
    }
    match list("kept_back").map_or(0, Vec::len) {
        0 => {}
        1 => text.push_str("; 1 kept back"),
        count => text.push_str(&format!("; {count} kept back")),
    }
    text
}
