//! The run of the story: waiting, ended, and with everything that can happen to a step.

use clawd_model::{RunStatus, ServerProvider, StepStatus, Timestamp};

use super::approvals::panel;
use super::{NOW, after, ago, digest, notice, pairs, run_id, shell};
use crate::ui::{Symbol, Tally};
use crate::view::fleet::ProviderTag;
use crate::view::run::{
    Cell, Column, FeedLine, GraphJob, GridJob, GridLane, GridWave, Part, RunApprovals, RunFeed, RunGraph,
    RunGrid, RunHead, RunPage, StepPanel,
};
use crate::view::shell::Section;

use StepStatus::{
    Cancelled, Changed, Checking, Denied, Failed, Pending, Running, Skipped, Succeeded, Unknown,
    WaitingForRetry, WaitingForVotes,
};

fn cells(job: usize, lane: usize, statuses: &[StepStatus]) -> Vec<Cell> {
    let mut at = ago(90);
    statuses
        .iter()
        .enumerate()
        .map(|(step, status)| {
            let ran = matches!(status, Changed | Succeeded | Failed | Unknown);
            let runs = matches!(status, Running | Checking);
            let began = (ran || runs).then_some(at);
            let ended = ran.then(|| after(at, 2 + 5 * (step as u64 % 3)));
            at = ended.unwrap_or(at);
            Cell {
                key: format!("{job}.{lane}.{step}"),
                status: *status,
                began,
                ended,
                attempt: if *status == WaitingForRetry || *status == Failed {
                    2
                } else {
                    1
                },
            }
        })
        .collect()
}

fn lane(job: usize, lane: usize, server: &str, env: &str, statuses: &[StepStatus]) -> GridLane {
    GridLane {
        server: server.to_owned(),
        provider: Some(ProviderTag {
            provider: ServerProvider::Sim,
        }),
        env: env.to_owned(),
        cells: cells(job, lane, statuses),
    }
}

fn wave(label: &str, note: &str, lanes: Vec<GridLane>) -> GridWave {
    GridWave {
        label: label.to_owned(),
        note: note.to_owned(),
        lanes,
        hidden: 0,
    }
}

fn columns(names: &[(&str, &str, Part)]) -> Vec<Column> {
    names
        .iter()
        .map(|(name, uses, part)| Column {
            name: (*name).to_owned(),
            uses: (*uses).to_owned(),
            part: *part,
        })
        .collect()
}

const SERVERS: [(&str, &str); 12] = [
    ("web-s1", "staging"),
    ("web-s2", "staging"),
    ("web-1", "prod"),
    ("web-2", "prod"),
    ("web-3", "prod"),
    ("web-4", "prod"),
    ("web-5", "prod"),
    ("web-6", "prod"),
    ("web-7", "prod"),
    ("web-8", "prod"),
    ("web-9", "prod"),
    ("web-10", "prod"),
];

fn survey() -> GridJob {
    GridJob {
        name: "survey".to_owned(),
        note: String::new(),
        columns: columns(&[
            ("facts", "host.facts@v1", Part::Steps),
            ("set", "pkg.plan@v1", Part::Steps),
        ]),
        waves: vec![wave(
            "",
            "",
            SERVERS
                .iter()
                .enumerate()
                .map(|(index, (server, env))| lane(0, index, server, env, &[Succeeded, Succeeded]))
                .collect(),
        )],
    }
}

fn rollout(statuses: impl Fn(usize) -> [StepStatus; 5], notes: [&str; 3]) -> GridJob {
    let lanes: Vec<GridLane> = SERVERS
        .iter()
        .enumerate()
        .map(|(index, (server, env))| lane(1, index, server, env, &statuses(index)))
        .collect();
    let mut lanes = lanes.into_iter();
    let [canary, first, rest] = notes;
    GridJob {
        name: "rollout".to_owned(),
        note: String::new(),
        columns: columns(&[
            ("apply", "pkg.apply@v1", Part::Steps),
            ("reboot", "host.reboot@v1", Part::Steps),
            ("healthz", "check.http@v1", Part::Steps),
            ("undo", "shell@v1", Part::Rescue),
            ("tell", "notify@v1", Part::Always),
        ]),
        waves: vec![
            wave("canary", canary, lanes.by_ref().take(2).collect()),
            wave("wave 1 of 2", first, lanes.by_ref().take(1).collect()),
            wave("wave 2 of 2", rest, lanes.collect()),
        ],
    }
}

fn report(status: StepStatus) -> GridJob {
    GridJob {
        name: "report".to_owned(),
        note: String::new(),
        columns: columns(&[("tell", "notify@v1", Part::Steps)]),
        waves: vec![wave(
            "",
            "",
            vec![GridLane {
                server: "controller".to_owned(),
                provider: None,
                env: String::new(),
                cells: cells(2, 0, &[status]),
            }],
        )],
    }
}

fn tally(jobs: &[GridJob]) -> Tally {
    jobs.iter()
        .flat_map(|job| &job.waves)
        .flat_map(|wave| &wave.lanes)
        .flat_map(|lane| &lane.cells)
        .map(|cell| cell.status)
        .collect()
}

fn page(jobs: Vec<GridJob>, status: RunStatus, why: &str, ended: Option<Timestamp>) -> RunPage {
    let notes = ["12 servers", "12 servers · 3 waves", "controller"];
    let graph = jobs
        .iter()
        .enumerate()
        .zip(notes)
        .map(|((index, job), note)| GraphJob {
            name: job.name.clone(),
            needs: index.checked_sub(1).into_iter().collect(),
            tally: tally(std::slice::from_ref(job)),
            note: note.to_owned(),
        })
        .collect();
    let head = RunHead {
        id: run_id(1),
        runbook: "patch-security".to_owned(),
        status,
        why: why.to_owned(),
        requester: "ana".to_owned(),
        started_at: ago(95),
        finished_at: ended,
        plan: digest("plan"),
        workflow: digest("workflow"),
        selector: Some("role=web".to_owned()),
        inputs: pairs(&[("reboot", "if-needed")]),
        tally: tally(&jobs),
        can_cancel: ended.is_none(),
        csrf: "b6c1".repeat(8),
        now: NOW,
    };
    RunPage {
        shell: shell(Section::Runs, &format!("/runs/{}", run_id(1))),
        head,
        approvals: RunApprovals { panels: Vec::new() },
        graph: RunGraph { jobs: graph },
        grid: RunGrid {
            run: run_id(1),
            jobs,
            selected: None,
            now: NOW,
        },
        feed: RunFeed {
            run: run_id(1),
            lines: feed(),
        },
        step: None,
        stream: ended.is_none().then(|| format!("/runs/{}/events", run_id(1))),
    }
}

fn feed() -> Vec<FeedLine> {
    let line = |seq, seconds, symbol, place: &str, text: &str| FeedLine {
        seq,
        at: ago(seconds),
        symbol,
        place: place.to_owned(),
        text: text.to_owned(),
    };
    vec![
        line(
            64,
            12,
            Symbol::Ok,
            "",
            "cho approved rollout: “maintenance window is open”",
        ),
        line(63, 48, Symbol::Votes, "rollout", "2 votes of sre wanted"),
        line(62, 49, Symbol::Votes, "web-1 / apply", "needs approval"),
        line(61, 49, Symbol::Running, "rollout", "wave 1 of 2 began"),
        line(60, 50, Symbol::Ok, "web-s2 / healthz", "ok"),
        line(59, 53, Symbol::Changed, "web-s2 / apply", "changed: 4 packages"),
        line(58, 54, Symbol::Ok, "web-s1 / healthz", "ok"),
        line(40, 61, Symbol::Changed, "web-s1 / apply", "changed: 4 packages"),
        line(12, 92, Symbol::Ok, "web-1 / set", "ok"),
        line(1, 95, Symbol::Running, "", "ana started the run"),
    ]
}

/// The canary is done; production waits.
pub(super) fn waiting(step: Option<StepPanel>) -> RunPage {
    let jobs = vec![
        survey(),
        rollout(
            |index| match index {
                0 | 1 => [Changed, Skipped, Succeeded, Skipped, Changed],
                2 => [WaitingForVotes, Pending, Pending, Pending, Pending],
                _ => [Pending; 5],
            },
            ["", "waits for votes", ""],
        ),
        report(Pending),
    ];
    let mut page = page(
        jobs,
        RunStatus::Waiting,
        "1 more vote of sre is missing for rollout",
        None,
    );
    page.approvals = RunApprovals {
        panels: vec![panel("open", false)],
    };
    page.grid.selected = step.as_ref().map(|panel| panel.key.clone());
    page.step = step;
    page
}

pub(super) fn runs() -> Vec<(&'static str, RunPage)> {
    let ended = page(
        vec![
            survey(),
            rollout(|_| [Changed, Skipped, Succeeded, Skipped, Changed], ["", "", ""]),
            report(Changed),
        ],
        RunStatus::Succeeded,
        "12 servers changed, every check passed",
        Some(ago(8)),
    );
    let mut all_states = page(
        vec![
            survey(),
            rollout(
                |index| match index {
                    0 => [Changed, Succeeded, Succeeded, Skipped, Changed],
                    1 => [Changed, Running, Pending, Pending, Pending],
                    2 => [Checking, Pending, Pending, Pending, Pending],
                    3 => [WaitingForRetry, Pending, Pending, Pending, Pending],
                    4 => [Failed, Skipped, Skipped, Changed, Changed],
                    5 => [Denied, Skipped, Skipped, Skipped, Changed],
                    6 => [Changed, Unknown, Pending, Pending, Pending],
                    7 => [Cancelled; 5],
                    8 => [WaitingForVotes, Pending, Pending, Pending, Pending],
                    _ => [Pending; 5],
                },
                ["soaks until 09:45", "", "stops after 5 % failed"],
            ),
            report(Pending),
        ],
        RunStatus::Running,
        "nobody can know what reboot on web-5 came to: somebody has to decide",
        None,
    );
    all_states.shell.notice = notice("The run has started.");
    if let Some(wave) = all_states
        .grid
        .jobs
        .iter_mut()
        .flat_map(|job| &mut job.waves)
        .last()
    {
        wave.hidden = 40;
    }
    let steps = super::step::panels();
    let open = steps.into_iter().next().map(|(_, panel)| panel);
    vec![
        ("run", waiting(None)),
        ("run-step", waiting(open)),
        ("run-ended", ended),
        ("run-all-states", all_states),
    ]
}
