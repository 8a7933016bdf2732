//! The plan of the story.

use clawd_model::ServerProvider;

use super::{ago, digest, pairs, shell};
use crate::ui::{Badge, DecisionView, Diff, MissingView, Symbol};
use crate::view::fleet::ProviderTag;
use crate::view::plan::{PlanJob, PlanLane, PlanMark, PlanPage, PlanStep, PlanTotals, PlanWave};
use crate::view::shell::Section;

const PACKAGES: &str = "~ libssl3 3.0.15-1~deb12u1 → 3.0.17-1~deb12u2 (security)\n\
~ openssl 3.0.15-1~deb12u1 → 3.0.17-1~deb12u2 (security)\n\
~ sudo 1.9.13p3-1+deb12u1 → 1.9.13p3-1+deb12u2 (security)\n\
~ linux-image-cloud-amd64 6.1.119-1 → 6.1.128-1 (security)";

pub(super) fn two_votes() -> Vec<MissingView> {
    vec![MissingView {
        what: "2 votes of sre".to_owned(),
        candidates: vec!["ben".to_owned(), "cho".to_owned()],
    }]
}

pub(super) fn allow() -> DecisionView {
    DecisionView {
        badge: Badge::new(Symbol::Ok, "allow"),
        policies: vec!["operator-runs".to_owned(), "staging-is-free".to_owned()],
        reasons: Vec::new(),
        missing: Vec::new(),
        bundle: digest("bundle"),
    }
}

pub(super) fn needs_votes() -> DecisionView {
    DecisionView {
        badge: Badge::new(Symbol::Votes, "needs approval"),
        policies: vec!["prod-two-votes".to_owned()],
        reasons: vec!["changes in prod need two votes of sre, none of them the requester".to_owned()],
        missing: two_votes(),
        bundle: digest("bundle"),
    }
}

fn denied() -> DecisionView {
    DecisionView {
        badge: Badge::new(Symbol::Denied, "deny"),
        policies: vec!["protected-servers".to_owned()],
        reasons: vec!["protected servers are never changed".to_owned()],
        missing: Vec::new(),
        bundle: digest("bundle"),
    }
}

fn step(name: &str, uses: &str, mark: PlanMark, summary: &str) -> PlanStep {
    PlanStep {
        name: name.to_owned(),
        uses: uses.to_owned(),
        mark,
        summary: summary.to_owned(),
        diff: None,
        decision: None,
    }
}

fn lane(server: &str, env: &str, decision: &DecisionView, open: bool) -> PlanLane {
    let mut apply = step("apply", "pkg.apply@v1", PlanMark::Changes, "4 packages upgraded");
    apply.diff = Some(Diff::read(format!("changes of apply on {server}"), PACKAGES));
    apply.decision = Some(decision.clone());
    let mut reboot = step(
        "reboot",
        "host.reboot@v1",
        PlanMark::Depends,
        "depends on steps.apply.reboot_required",
    );
    reboot.decision = Some(decision.clone());
    PlanLane {
        server: server.to_owned(),
        provider: Some(ProviderTag {
            provider: ServerProvider::Sim,
        }),
        env: env.to_owned(),
        steps: vec![
            apply,
            reboot,
            step("healthz", "check.http@v1", PlanMark::Reads, "looks at /healthz"),
            step("tell", "notify@v1", PlanMark::Skips, "inputs.quiet"),
        ],
        open,
    }
}

pub(super) fn rollout() -> PlanJob {
    PlanJob {
        name: "rollout".to_owned(),
        needs: vec!["survey".to_owned()],
        waves: vec![
            PlanWave {
                label: "canary".to_owned(),
                lanes: vec![lane("web-s1", "staging", &allow(), true)],
            },
            PlanWave {
                label: "wave 1 of 2".to_owned(),
                lanes: vec![lane("web-1", "prod", &needs_votes(), true)],
            },
            PlanWave {
                label: "wave 2 of 2".to_owned(),
                lanes: vec![
                    lane("web-2", "prod", &needs_votes(), false),
                    lane("web-3", "prod", &needs_votes(), false),
                ],
            },
        ],
        missing: two_votes(),
    }
}

fn survey() -> PlanJob {
    let mut set = step(
        "set",
        "pkg.plan@v1",
        PlanMark::Reads,
        "4 packages, 1 kept back: docker-ce is excluded",
    );
    set.decision = Some(allow());
    let mut broken = step(
        "set",
        "pkg.plan@v1",
        PlanMark::Error,
        "web-9 cannot be reached: connection refused",
    );
    broken.decision = Some(denied());
    let of = |server: &str, step: PlanStep, open| PlanLane {
        server: server.to_owned(),
        provider: Some(ProviderTag {
            provider: ServerProvider::Sim,
        }),
        env: "prod".to_owned(),
        steps: vec![step],
        open,
    };
    PlanJob {
        name: "survey".to_owned(),
        needs: Vec::new(),
        waves: vec![PlanWave {
            label: String::new(),
            lanes: vec![
                of("web-1", set.clone(), false),
                of("web-2", set, false),
                of("web-9", broken, true),
            ],
        }],
        missing: Vec::new(),
    }
}

pub(super) fn plans() -> [(&'static str, PlanPage); 3] {
    let page = PlanPage {
        shell: shell(Section::Runs, "/plans/x"),
        runbook: "patch-security".to_owned(),
        digest: digest("plan"),
        workflow: digest("workflow"),
        requester: "ana".to_owned(),
        at: ago(40),
        selector: Some("role=web".to_owned()),
        inputs: pairs(&[("reboot", "if-needed")]),
        bundle: Some(digest("bundle")),
        totals: PlanTotals {
            servers: 4,
            changes: 4,
            depends: 4,
            errors: 0,
            allowed: 6,
            need_votes: 6,
            denied: 0,
        },
        jobs: vec![rollout()],
        stale: false,
        idempotency_key: "7c1f".repeat(4),
    };
    let troubled = PlanPage {
        totals: PlanTotals {
            errors: 1,
            denied: 1,
            ..page.totals.clone()
        },
        jobs: vec![survey(), rollout()],
        stale: true,
        ..page.clone()
    };
    let idle = PlanPage {
        totals: PlanTotals {
            servers: 2,
            allowed: 2,
            ..PlanTotals::default()
        },
        jobs: Vec::new(),
        ..page.clone()
    };
    [
        ("plan", page),
        ("plan-troubled", troubled),
        ("plan-nothing", idle),
    ]
}
