//! Runs of the story, and the form that asks for one.

use clawd_model::{RunStatus, ServerProvider, Timestamp};

use super::{ago, run_id, shell};
use crate::view::fleet::{ProviderTag, Simulated};
use crate::view::new_run::{Field, InputField, Match, NewRunPage, RunbookChoice};
use crate::view::runs::{FilterChoice, RunRow, RunsPage};
use crate::view::shell::Section;

pub(super) fn rows() -> Vec<RunRow> {
    let row = |number, runbook: &str, status, requester: &str, began: i64, took: Option<i64>| RunRow {
        id: run_id(number),
        runbook: runbook.to_owned(),
        simulated: match number {
            1 => Some(Simulated::Wholly),
            2 => Some(Simulated::Partly),
            _ => None,
        },
        status,
        requester: requester.to_owned(),
        started_at: ago(began),
        finished_at: took.map(|seconds| Timestamp(ago(began).0 + seconds * 1000)),
    };
    vec![
        row(1, "patch-security", RunStatus::Waiting, "ana", 95, None),
        row(2, "patch-security", RunStatus::Running, "ana", 620, None),
        row(3, "restart-service", RunStatus::Succeeded, "cho", 4_100, Some(12)),
        row(4, "patch-security", RunStatus::Failed, "ana", 90_000, Some(431)),
        row(5, "write-motd", RunStatus::Denied, "agent-ops", 91_000, Some(1)),
        row(
            6,
            "patch-security",
            RunStatus::Cancelled,
            "ana",
            180_000,
            Some(64),
        ),
        row(7, "collect-facts", RunStatus::Cancelling, "ben", 300, None),
    ]
}

pub(super) fn filters() -> Vec<FilterChoice> {
    [
        ("all", "/runs"),
        ("active", "/runs?status=active"),
        ("waiting", "/runs?status=waiting"),
        ("failed", "/runs?status=failed"),
    ]
    .into_iter()
    .enumerate()
    .map(|(index, (label, href))| FilterChoice {
        label: label.to_owned(),
        href: href.to_owned(),
        current: index == 0,
    })
    .collect()
}

pub(super) fn lists() -> [(&'static str, RunsPage); 2] {
    let page = RunsPage {
        shell: shell(Section::Runs, "/runs"),
        filters: filters(),
        runs: rows(),
        older: Some(format!("/runs?before={}", run_id(7))),
        filtered: false,
    };
    let empty = RunsPage {
        runs: Vec::new(),
        older: None,
        ..page.clone()
    };
    [("runs", page), ("runs-empty", empty)]
}

fn fields() -> Vec<InputField> {
    let field = |name: &str, description: &str, field| InputField {
        name: name.to_owned(),
        description: description.to_owned(),
        required: false,
        field,
        problem: None,
    };
    let mut seats = field(
        "wait_minutes",
        "how long to watch each server afterwards",
        Field::Text {
            value: "soon".to_owned(),
            numeric: true,
        },
    );
    seats.problem = Some("`soon` is not a number".to_owned());
    vec![
        field(
            "reboot",
            "whether servers that need a reboot get one",
            Field::Choice {
                value: "if-needed".to_owned(),
                values: vec!["if-needed".to_owned(), "never".to_owned()],
            },
        ),
        field("dry", "only look", Field::Flag { value: false }),
        seats,
        field(
            "exclude",
            "packages that stay as they are",
            Field::Lines {
                value: "docker-ce*\nlinux-image-*".to_owned(),
            },
        ),
    ]
}

pub(super) fn forms() -> [(&'static str, NewRunPage); 2] {
    let choice = |name: &str, description: &str, chosen| RunbookChoice {
        name: name.to_owned(),
        description: description.to_owned(),
        href: format!("/runs/new?runbook={name}"),
        chosen,
    };
    let first = NewRunPage {
        shell: shell(Section::Runs, "/runs/new"),
        runbooks: vec![
            choice("collect-facts", "Reads what each server is.", false),
            choice(
                "patch-security",
                "Installs pending security updates, wave by wave, with a check after each server.",
                false,
            ),
            choice(
                "restart-service",
                "Restarts one service and waits until it answers.",
                false,
            ),
        ],
        chosen: None,
        inputs: Vec::new(),
        selector: String::new(),
        default_selector: String::new(),
        matches: Vec::new(),
        problems: Vec::new(),
    };
    let mut second = first.clone();
    for runbook in &mut second.runbooks {
        runbook.chosen = runbook.name == "patch-security";
    }
    second.chosen = Some("patch-security".to_owned());
    second.inputs = fields();
    second.selector = "role=web".to_owned();
    second.default_selector = "role=web,env=prod".to_owned();
    second.matches = ["web-1", "web-2", "web-3"]
        .into_iter()
        .map(|name| Match {
            name: name.to_owned(),
            env: "prod".to_owned(),
            provider: ProviderTag {
                provider: ServerProvider::Sim,
            },
        })
        .collect();
    second.problems = vec!["input `wait_minutes`: `soon` is not a number".to_owned()];
    [("new-run", first), ("new-run-inputs", second)]
}
