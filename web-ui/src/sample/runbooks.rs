//! Runbooks and policies of the story.

use clawd_model::Risk;

use super::{ago, digest, pairs, shell};
use crate::ui::Tally;
use crate::view::policies::{PoliciesPage, PolicyFile, PolicyRow};
use crate::view::run::{GraphJob, RunGraph};
use crate::view::runbooks::{RunbookInput, RunbookJob, RunbookPage, RunbookRow, RunbookStep, RunbooksPage};
use crate::view::shell::Section;

const SOURCE: &str = r#"# Installs pending security updates, wave by wave.
apiVersion: clawd.dev/v1
kind: Runbook
metadata: {name: patch-security, labels: {risk: medium}}
inputs:
  reboot: {type: enum, values: [if-needed, never], default: if-needed}
targets: {selector: "role=web"}
jobs:
  survey:
    steps:
      - {id: set, uses: pkg.plan@v1, with: {classes: [security], exclude: ["docker-ce*"]}}
  rollout:
    needs: [survey]
    strategy: {canary: "env=staging", serial: [1, "100%"]}
    steps:
      - {id: apply, uses: pkg.apply@v1, with: {set: "${{ jobs.survey.set.packages }}"}}
"#;

const POLICY: &str = r#"// Changes in prod need two votes of sre, none of them the requester.
@id("prod-two-votes")
@reason("changes in prod need two votes of sre, none of them the requester")
forbid (principal, action, resource is Server)
when { resource.env == "prod" && context.mutating }
unless { context.approvals.sre >= 2 };
"#;

fn row(name: &str, description: &str) -> RunbookRow {
    RunbookRow {
        name: name.to_owned(),
        description: description.to_owned(),
        labels: pairs(&[("risk", "medium")]),
        digest: digest(name),
        published_by: "ana".to_owned(),
        published_at: ago(86_400),
    }
}

pub(super) fn lists() -> [(&'static str, RunbooksPage); 2] {
    let page = RunbooksPage {
        shell: shell(Section::Runbooks, "/runbooks"),
        runbooks: vec![
            row("collect-facts", "Reads what each server is."),
            row(
                "patch-security",
                "Installs pending security updates, wave by wave, with a check after each server.",
            ),
            RunbookRow {
                labels: Vec::new(),
                ..row(
                    "restart-service",
                    "Restarts one service and waits until it answers.",
                )
            },
        ],
    };
    let empty = RunbooksPage {
        runbooks: Vec::new(),
        ..page.clone()
    };
    [("runbooks", page), ("runbooks-empty", empty)]
}

fn step(name: &str, uses: &str, summary: &str, mutating: bool, part: &'static str) -> RunbookStep {
    RunbookStep {
        name: name.to_owned(),
        uses: uses.to_owned(),
        summary: summary.to_owned(),
        risk: if name == "reboot" {
            Risk::High
        } else {
            Risk::Medium
        },
        mutating,
        part,
    }
}

fn book_jobs() -> Vec<RunbookJob> {
    let job = |name: &str, strategy: &str, steps| RunbookJob {
        name: name.to_owned(),
        targets: "role=web".to_owned(),
        strategy: strategy.to_owned(),
        steps,
    };
    let look = || {
        vec![step(
            "set",
            "pkg.plan@v1",
            "freeze the set of package upgrades",
            false,
            "",
        )]
    };
    let tell = || vec![step("tell", "notify@v1", "call a webhook", true, "")];
    vec![
        job("survey", "", look()),
        job("backup", "", tell()),
        job(
            "rollout",
            "canary env=staging, then 1, 100%",
            vec![
                step(
                    "apply",
                    "pkg.apply@v1",
                    "upgrade packages to frozen versions",
                    true,
                    "",
                ),
                step("reboot", "host.reboot@v1", "reboot and wait", true, ""),
                step("undo", "shell@v1", "run a command", true, "rescue"),
                step("tell", "notify@v1", "call a webhook", true, "always"),
            ],
        ),
        job("smoke-test-of-everything", "", look()),
        job("report", "", tell()),
    ]
}

pub(super) fn runbook() -> RunbookPage {
    let job = |name: &str, needs: Vec<usize>, note: &str| GraphJob {
        name: name.to_owned(),
        needs,
        tally: Tally::default(),
        note: note.to_owned(),
    };
    RunbookPage {
        shell: shell(Section::Runbooks, "/runbooks/patch-security"),
        row: row(
            "patch-security",
            "Installs pending security updates, wave by wave.",
        ),
        graph: RunGraph {
            jobs: vec![
                job("survey", vec![], "2 steps"),
                job("backup", vec![], "1 step"),
                job("rollout", vec![0, 1], "5 steps · waves"),
                job("smoke-test-of-everything", vec![2], "2 steps"),
                job("report", vec![0, 2], "1 step"),
            ],
        },
        inputs: vec![RunbookInput {
            name: "reboot".to_owned(),
            kind: "one of if-needed, never".to_owned(),
            default: "if-needed".to_owned(),
            description: "whether servers that need a reboot get one".to_owned(),
        }],
        jobs: book_jobs(),
        source: SOURCE.to_owned(),
        runs: super::runs::rows().into_iter().take(3).collect(),
        can_run: true,
    }
}

pub(super) fn policies() -> PoliciesPage {
    let policy = |id: &str, kind: &str, reason: &str, place: &str| PolicyRow {
        id: id.to_owned(),
        kind: kind.to_owned(),
        reason: reason.to_owned(),
        place: place.to_owned(),
    };
    PoliciesPage {
        shell: shell(Section::Policies, "/policies"),
        digest: digest("bundle"),
        published_by: "ana".to_owned(),
        published_at: ago(3600),
        policies: vec![
            policy(
                "operator-runs",
                "capability",
                "operators run runbooks",
                "roles.cedar:1",
            ),
            policy(
                "prod-two-votes",
                "guard",
                "changes in prod need two votes of `sre`, none of them the requester",
                "prod.cedar:2",
            ),
            policy(
                "protected-servers",
                "rule",
                "protected servers are never changed",
                "",
            ),
        ],
        files: vec![
            PolicyFile {
                name: "prod.cedar".to_owned(),
                text: POLICY.to_owned(),
            },
            PolicyFile {
                name: "roles.cedar".to_owned(),
                text:
                    "@id(\"operator-runs\")\npermit (principal in Group::\"operator\", action, resource);\n"
                        .to_owned(),
            },
        ],
    }
}
