//! Audit records of the story.

use super::{ago, digest, run_id, shell};
use crate::ui::Symbol;
use crate::view::audit::{AuditFilter, AuditPage, AuditRecordPage, AuditRow, Proof};
use crate::view::shell::Section;

fn rows() -> Vec<AuditRow> {
    let row = |index, seconds, kind: &str, symbol, actor: &str, subject: &str, of_run: bool| AuditRow {
        index,
        at: ago(seconds),
        kind: kind.to_owned(),
        symbol,
        actor: actor.to_owned(),
        subject: subject.to_owned(),
        run: of_run.then(|| run_id(1)),
    };
    vec![
        row(214, 12, "vote.cast", Symbol::Ok, "user:cho", "rollout", true),
        row(
            213,
            48,
            "approval.requested",
            Symbol::Votes,
            "engine",
            "rollout",
            true,
        ),
        row(
            212,
            49,
            "gate.decided",
            Symbol::Votes,
            "engine",
            "rollout/web-1/apply",
            true,
        ),
        row(
            211,
            50,
            "attempt.finished",
            Symbol::Changed,
            "engine",
            "rollout/web-s2/apply",
            true,
        ),
        row(
            210,
            57,
            "attempt.started",
            Symbol::Running,
            "engine",
            "rollout/web-s2/apply",
            true,
        ),
        row(
            160,
            95,
            "run.started",
            Symbol::Running,
            "user:ana",
            "patch-security",
            true,
        ),
        row(
            159,
            130,
            "session.started",
            Symbol::Ok,
            "user:ana",
            "sign-in link",
            false,
        ),
        row(
            158,
            4000,
            "request.refused",
            Symbol::Denied,
            "service:ci",
            "run.start",
            false,
        ),
        row(
            3,
            86_400,
            "policy.published",
            Symbol::Ok,
            "user:ana",
            "bundle",
            false,
        ),
    ]
}

pub(super) fn lists() -> [(&'static str, AuditPage); 2] {
    let page = AuditPage {
        shell: shell(Section::Audit, "/audit"),
        filter: AuditFilter::default(),
        rows: rows(),
        older: Some("/audit?before=3".to_owned()),
        size: 215,
        root: digest("root").to_hex(),
        problem: None,
    };
    let none = AuditPage {
        filter: AuditFilter {
            run: "run_1".to_owned(),
            actor: "user:ana".to_owned(),
            ..AuditFilter::default()
        },
        rows: Vec::new(),
        older: None,
        problem: Some("`run_1` is not an id: expected `run_` and 26 letters or digits".to_owned()),
        ..page.clone()
    };
    [("audit", page), ("audit-none", none)]
}

pub(super) fn records() -> [(&'static str, AuditRecordPage); 2] {
    let body = format!(
        r#"{{"actor":"user:cho","at":1772357388000,"data":{{"approval":"apr_01","comment":"maintenance window is open","verdict":"approve"}},"index":214,"kind":"vote.cast","run":"{}","subject":"rollout","tenant":"demo"}}"#,
        run_id(1)
    );
    let first = rows().into_iter().next();
    let row = first.unwrap_or(AuditRow {
        index: 0,
        at: ago(0),
        kind: String::new(),
        symbol: Symbol::Ok,
        actor: String::new(),
        subject: String::new(),
        run: None,
    });
    let page = AuditRecordPage {
        shell: shell(Section::Audit, "/audit/214"),
        row,
        data: "{\n  \"approval\": \"apr_01\",\n  \"comment\": \"maintenance window is open\",\n  \"verdict\": \"approve\"\n}"
            .to_owned(),
        body,
        proof: Proof {
            leaf: digest("leaf").to_hex(),
            size: 215,
            root: digest("root").to_hex(),
            path: (0..6).map(|level| digest(&format!("path {level}")).to_hex()).collect(),
            checkpoint: Some(
                "clawd.dev/audit/demo\n215\n7gYx1m8mJ7m0y3Vt0E0m8yZ1m8mJ7m0y3Vt0E0m8yZ0=\n\n— clawd.dev/audit/demo Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8="
                    .to_owned(),
            ),
        },
        newer: Some(215),
        older: Some(213),
    };
    let mut fresh = page.clone();
    fresh.proof.checkpoint = None;
    fresh.proof.path = Vec::new();
    fresh.newer = None;
    fresh.older = None;
    [("audit-record", page), ("audit-record-fresh", fresh)]
}
