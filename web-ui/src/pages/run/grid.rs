//! The graph of a run's jobs, and the grid of its steps and servers.

use clawd_model::api::{JobView, LaneView, RunView, StepPhase, StepView};
use clawd_model::{StepRef, StepStatus, Timestamp};

use crate::pages::plan::{Providers, tag, wave_label};
use crate::ui::Tally;
use crate::view::run::{Cell, Column, GraphJob, GridJob, GridLane, GridWave, Part, RunGraph, RunGrid};

/// A page shows no more servers of one wave than this; those that want to be seen come first.
const LANES_MAX: usize = 300;

/// The graph.
pub(super) fn graph(run: &RunView) -> RunGraph {
    let index = |name: &str| run.jobs.iter().position(|job| job.name.as_str() == name);
    let jobs = run.jobs.iter().map(|job| GraphJob {
        name: job.name.to_string(),
        needs: job
            .needs
            .iter()
            .filter_map(|needed| index(needed.as_str()))
            .collect(),
        tally: tally(job),
        note: note(job),
    });
    RunGraph { jobs: jobs.collect() }
}

fn tally(job: &JobView) -> Tally {
    job.lanes
        .iter()
        .flat_map(|lane| &lane.steps)
        .map(|step| step.status)
        .collect()
}

fn note(job: &JobView) -> String {
    let waves = wave_count(job);
    let servers = match job.lanes.as_slice() {
        [] => "no targets".to_owned(),
        [one] if one.target.server.is_none() => "controller".to_owned(),
        [one] => one.target.name.to_string(),
        many => format!("{} servers", many.len()),
    };
    if waves > 1 {
        format!("{servers} · {waves} waves")
    } else {
        servers
    }
}

fn wave_count(job: &JobView) -> usize {
    job.lanes
        .iter()
        .map(|lane| usize::try_from(lane.wave).unwrap_or(usize::MAX).saturating_add(1))
        .max()
        .unwrap_or(0)
}

/// The grid.
pub(super) fn grid(
    run: &RunView,
    providers: &Providers,
    selected: Option<String>,
    now: Timestamp,
) -> RunGrid {
    RunGrid {
        run: run.summary.id.to_string(),
        jobs: run.jobs.iter().map(|job| grid_job(job, providers)).collect(),
        selected,
        now,
    }
}

fn grid_job(job: &JobView, providers: &Providers) -> GridJob {
    let columns = job
        .lanes
        .first()
        .map(|lane| lane.steps.as_slice())
        .unwrap_or_default();
    let count = wave_count(job);
    let waves = (0..count).map(|number| {
        let lanes: Vec<&LaneView> = job
            .lanes
            .iter()
            .filter(|lane| usize::try_from(lane.wave) == Ok(number))
            .collect();
        let shown = shown(&lanes);
        GridWave {
            label: wave_label(number, count),
            note: String::new(),
            hidden: u32::try_from(lanes.len() - shown.len()).unwrap_or(u32::MAX),
            lanes: shown.into_iter().map(|lane| grid_lane(lane, providers)).collect(),
        }
    });
    GridJob {
        name: job.name.to_string(),
        note: job.skipped.clone().unwrap_or_default(),
        columns: columns.iter().map(column).collect(),
        waves: waves.collect(),
    }
}

/// The lanes that fit: those that want to be seen, then the others, all in their own order.
fn shown<'a>(lanes: &[&'a LaneView]) -> Vec<&'a LaneView> {
    let wants = |lane: &LaneView| {
        lane.steps.iter().any(|step| {
            use StepStatus::{Denied, Failed, Running, Unknown, WaitingForRetry, WaitingForVotes};
            matches!(
                step.status,
                Failed | Denied | Unknown | Running | WaitingForVotes | WaitingForRetry
            )
        })
    };
    if lanes.len() <= LANES_MAX {
        return lanes.to_vec();
    }
    let (first, rest): (Vec<&LaneView>, Vec<&LaneView>) = lanes.iter().copied().partition(|lane| wants(lane));
    let mut shown: Vec<&LaneView> = first.into_iter().chain(rest).take(LANES_MAX).collect();
    shown.sort_by_key(|lane| lane.steps.first().map(|step| step.step_ref));
    shown
}

fn column(step: &StepView) -> Column {
    Column {
        name: step.name.to_string(),
        uses: step.uses.to_string(),
        part: match step.phase {
            StepPhase::Steps => Part::Steps,
            StepPhase::Rescue => Part::Rescue,
            StepPhase::Always => Part::Always,
        },
    }
}

fn grid_lane(lane: &LaneView, providers: &Providers) -> GridLane {
    GridLane {
        server: lane.target.name.to_string(),
        provider: tag(providers, &lane.target.name),
        env: lane.target.env.clone(),
        cells: lane
            .steps
            .iter()
            .map(|step| Cell {
                key: key(step.step_ref),
                status: step.status,
                began: step.started_at,
                ended: step.finished_at,
                attempt: step.attempt,
            })
            .collect(),
    }
}

/// How addresses name a step: `job.lane.step`, as indices.
pub(super) fn key(step: StepRef) -> String {
    format!("{}.{}.{}", step.job, step.lane, step.step)
}
