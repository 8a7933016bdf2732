//! Steps of the story in detail.

use clawd_model::{ErrorKind, StepStatus};

use super::plan::{allow, needs_votes, two_votes};
use super::{NOW, after, ago, approval_id, digest, run_id};
use crate::ui::Diff;
use crate::view::run::{
    AttemptError, AttemptView, CheckView, OutputLine, OutputStream, OutputView, StepPanel, Waiting,
};

const DIFF: &str = "~ libssl3 3.0.15-1~deb12u1 → 3.0.17-1~deb12u2 (security)\n~ openssl 3.0.15-1~deb12u1 → 3.0.17-1~deb12u2 (security)";

fn base(key: &str, server: &str, status: StepStatus) -> StepPanel {
    StepPanel {
        run: run_id(1),
        key: key.to_owned(),
        job: "rollout".to_owned(),
        server: server.to_owned(),
        step: "apply".to_owned(),
        uses: "pkg.apply@v1".to_owned(),
        status,
        waiting: None,
        note: String::new(),
        check: Some(CheckView {
            planned: "2 packages upgraded".to_owned(),
            diff: Some(Diff::read("changes of apply", DIFF)),
            fingerprint: Some(digest("change")),
            drift: None,
            confirmed_at: None,
        }),
        decision: None,
        attempts: Vec::new(),
        output: OutputView::default(),
        input: Some(
            "{\n  \"set\": [\n    {\"name\": \"openssl\", \"to\": \"3.0.17-1~deb12u2\"}\n  ]\n}".to_owned(),
        ),
        result: None,
        can_resolve: None,
        live: false,
        csrf: "b6c1".repeat(8),
        now: NOW,
    }
}

fn attempt(number: u32, status: StepStatus, began: i64, took: Option<u64>) -> AttemptView {
    AttemptView {
        number,
        id: format!("att_{}", "5e1d9a7c40b2f386".repeat(2)),
        status,
        began: ago(began),
        ended: took.map(|seconds| after(ago(began), seconds)),
        error: None,
    }
}

fn output(lines: &[(OutputStream, &str)]) -> OutputView {
    OutputView {
        lines: lines
            .iter()
            .map(|(stream, text)| OutputLine {
                stream: *stream,
                text: (*text).to_owned(),
            })
            .collect(),
        before: 0,
    }
}

fn waiting() -> StepPanel {
    StepPanel {
        waiting: Some(Waiting {
            what: "waits for votes on rollout".to_owned(),
            missing: two_votes(),
            href: Some(format!("/approvals/{}", approval_id(1))),
        }),
        decision: Some(needs_votes()),
        live: true,
        ..base("1.2.0", "web-1", StepStatus::WaitingForVotes)
    }
}

fn changed() -> StepPanel {
    let mut panel = base("1.0.0", "web-s1", StepStatus::Changed);
    panel.decision = Some(allow());
    if let Some(check) = &mut panel.check {
        check.confirmed_at = Some(ago(64));
    }
    panel.attempts = vec![attempt(1, StepStatus::Changed, 63, Some(7))];
    panel.output = output(&[
        (OutputStream::Note, "started as job att_5e1d9a7c on web-s1"),
        (OutputStream::Stdout, "Reading package lists..."),
        (
            OutputStream::Stdout,
            "Preparing to unpack .../openssl_3.0.17-1~deb12u2_amd64.deb ...",
        ),
        (
            OutputStream::Stdout,
            "Unpacking openssl (3.0.17-1~deb12u2) over (3.0.15-1~deb12u1) ...",
        ),
        (
            OutputStream::Stderr,
            "warning: <b>this comes from a host</b> & stays text",
        ),
        (OutputStream::Stdout, "Setting up openssl (3.0.17-1~deb12u2) ..."),
    ]);
    panel.output.before = 214;
    panel.result = Some("{\n  \"reboot_required\": false\n}".to_owned());
    panel
}

fn failed() -> StepPanel {
    let mut panel = base("1.4.0", "web-3", StepStatus::Failed);
    panel.decision = Some(allow());
    let mut first = attempt(1, StepStatus::Failed, 80, Some(4));
    first.error = Some(AttemptError {
        kind: ErrorKind::DpkgLock,
        message: "web-3: /var/lib/dpkg/lock-frontend is held by process 4121 (unattended-upgr)".to_owned(),
        hint: None,
    });
    let mut second = attempt(2, StepStatus::Failed, 50, Some(3));
    second.error = Some(AttemptError {
        kind: ErrorKind::DiskFull,
        message: "web-3: no space left on /var/cache/apt/archives (0 of 412 MiB free)".to_owned(),
        hint: Some("free some space, or grow the disk, then start the run again".to_owned()),
    });
    panel.attempts = vec![second, first];
    panel
}

fn unknown() -> StepPanel {
    let mut panel = base("1.6.1", "web-5", StepStatus::Unknown);
    panel.step = "reboot".to_owned();
    panel.uses = "host.reboot@v1".to_owned();
    panel.check = None;
    panel.note = "the connection was lost, and the server has not come back".to_owned();
    panel.attempts = vec![attempt(1, StepStatus::Unknown, 300, Some(240))];
    panel.can_resolve = Some(1);
    panel.live = true;
    panel
}

fn drifted() -> StepPanel {
    let mut panel = waiting();
    panel.key = "1.3.0".to_owned();
    panel.server = "web-2".to_owned();
    if let Some(check) = &mut panel.check {
        check.drift = Some(Diff::read(
            "changes of apply now",
            "~ openssl 3.0.15-1~deb12u1 → 3.0.18-1~deb12u1 (security)",
        ));
    }
    panel
}

pub(super) fn panels() -> [(&'static str, StepPanel); 6] {
    let mut running = changed();
    running.key = "1.1.0".to_owned();
    running.status = StepStatus::Running;
    running.attempts = vec![attempt(1, StepStatus::Running, 6, None)];
    running.result = None;
    running.live = true;
    [
        ("step-changed", changed()),
        ("step-waiting", waiting()),
        ("step-running", running),
        ("step-failed", failed()),
        ("step-unknown", unknown()),
        ("step-drifted", drifted()),
    ]
}
