//! Services of a real systemd.

use std::time::Duration;

use clawd_integration_tests::{Host, Lab, wait_for};
use serde_json::json;

use crate::people::{Office, assert_says, planned, step, text};

const UNIT: &str = "clawd-lab-web";

/// A step on the lab's service.
fn bring(more: &str) -> String {
    format!("      - {{id: service, uses: service.state@v1, with: {{name: {UNIT}, {more}}}}}\n")
}

/// From now on the service counts its starts, and waits with each until it is let.
async fn slow_starts(host: &Host) {
    let before = "until [ -e /run/go ]; do sleep 0.1; done; echo started >>/run/starts";
    let unit = format!("[Service]\nExecStartPre=/bin/sh -c '{before}'\nTimeoutStartSec=300\n");
    host.shell(&format!("mkdir -p /etc/systemd/system/{UNIT}.service.d"))
        .await
        .unwrap();
    host.write(&format!("/etc/systemd/system/{UNIT}.service.d/slow.conf"), &unit)
        .await
        .unwrap();
    host.shell("systemctl daemon-reload").await.unwrap();
}

async fn until_it_starts(host: &Host) {
    let activating = async || {
        let state = host.exec(&["systemctl", "is-active", UNIT]).await?.stdout;
        Ok((state.trim() == "activating").then_some(()))
    };
    wait_for("the service to start", Duration::from_secs(30), activating)
        .await
        .unwrap();
}

#[tokio::test]
async fn a_service_is_brought_into_each_state() {
    let lab = Lab::start().await.unwrap();
    let host = Host::boot(&lab, "web-1").await.unwrap();
    let office = Office::open().await;
    office.add(&host, "staging").await;
    let is = async |what: &str| {
        host.exec(&["systemctl", what, UNIT])
            .await
            .unwrap()
            .stdout
            .trim()
            .to_owned()
    };
    let pid = async || {
        host.exec(&["systemctl", "show", "-P", "MainPID", UNIT])
            .await
            .unwrap()
            .stdout
    };

    for (name, wish, change, status, active, enabled) in [
        (
            "stop",
            "state: stopped",
            "active → inactive",
            "changed",
            "inactive",
            "enabled",
        ),
        ("stop", "state: stopped", "", "succeeded", "inactive", "enabled"),
        (
            "disable",
            "state: stopped, enabled: false",
            "enabled → disabled",
            "changed",
            "inactive",
            "disabled",
        ),
        (
            "start",
            "state: running",
            "inactive → active",
            "changed",
            "active",
            "disabled",
        ),
        (
            "enable",
            "state: running, enabled: true",
            "disabled → enabled",
            "changed",
            "active",
            "enabled",
        ),
        (
            "restart",
            "state: restarted",
            "restarted",
            "changed",
            "active",
            "enabled",
        ),
    ] {
        office.publish(name, &bring(wish)).await;
        let before = pid().await;
        let code = if change.is_empty() { 0 } else { 2 };
        let plan = office.json("ana", code, &["plan", name]).await;
        let diff = text(&planned(&plan, "work", "web-1", "service")["change"]["diff"]);
        assert!(
            diff.contains(change) && diff.is_empty() == change.is_empty(),
            "{name}: {diff}"
        );
        let view = office.run(&[name]).await;
        let service = step(&view, "work/web-1/service");
        assert_eq!(service["status"], status, "{name}");
        let output = json!({"active": active == "active", "enabled": enabled == "enabled"});
        assert_eq!(service["output"], output, "{name}");
        assert_eq!(
            (is("is-active").await, is("is-enabled").await),
            (active.to_owned(), enabled.to_owned()),
            "{name}"
        );
        if name == "restart" {
            assert_ne!(pid().await, before, "it is another process");
        }
    }

    // Enabled until the next boot only: that is not enabled.
    host.shell(&format!(
        "systemctl disable {UNIT}; systemctl enable --runtime {UNIT}"
    ))
    .await
    .unwrap();
    assert_eq!(is("is-enabled").await, "enabled-runtime");
    let view = office.run(&["enable"]).await;
    assert_eq!(step(&view, "work/web-1/service")["status"], "changed");
    assert_eq!(is("is-enabled").await, "enabled");
}

#[tokio::test]
async fn what_systemd_cannot_do_is_told() {
    let lab = Lab::start().await.unwrap();
    let host = Host::boot(&lab, "web-1").await.unwrap();
    let office = Office::open().await;
    office.add(&host, "staging").await;
    let unknown = "      - {id: service, uses: service.state@v1, with: {name: no-such, state: running}}\n";
    office.publish("unknown", unknown).await;
    office.publish("restart", &bring("state: restarted")).await;
    let fails = async |runbook: &str, kind: &str, says: &[&str]| {
        let run = office.start(&[runbook]).await;
        let (watched, view) = office.until_it_is_over(&run).await;
        watched.expect_code(3).unwrap();
        let error = &step(&view, "work/web-1/service")["error"];
        assert_eq!(error["kind"], kind, "{error:#}");
        assert_says(&error.to_string(), says);
    };
    fails(
        "unknown",
        "invalid-input",
        &["there is no unit `no-such.service`"],
    )
    .await;
    host.shell(&format!("systemctl stop {UNIT}; systemctl mask {UNIT}"))
        .await
        .unwrap();
    fails("restart", "invalid-input", &["is masked", "systemctl unmask"]).await;
    host.shell(&format!("systemctl unmask {UNIT}; rm /usr/lib/clawd-lab/web"))
        .await
        .unwrap();
    fails("restart", "not-verified", &[UNIT, "journalctl -u"]).await;

    office
        .cli("admin", &["server", "rm", "web-1"])
        .await
        .ok()
        .unwrap();
    office
        .clawd
        .add_server(&host, "nosudo", "staging", &["role=web"])
        .await
        .unwrap();
    fails(
        "restart",
        "permission",
        &["`nosudo` may not become root", "/etc/sudoers.d"],
    )
    .await;
}

#[tokio::test]
async fn a_restart_goes_on_without_its_controller_and_is_found_again() {
    let lab = Lab::start().await.unwrap();
    let host = Host::boot(&lab, "web-1").await.unwrap();
    let mut office = Office::open().await;
    office.add(&host, "staging").await;
    slow_starts(&host).await;
    office.publish("restart", &bring("state: restarted")).await;
    let run = office.start(&["restart"]).await;
    until_it_starts(&host).await;
    office.clawd.kill().await.unwrap();
    office.clawd.restart().await.unwrap();
    host.write("/run/go", "").await.unwrap();
    let (watched, view) = office.until_it_is_over(&run).await;
    watched.ok().unwrap();
    let service = step(&view, "work/web-1/service");
    assert_eq!(
        (&service["status"], &service["attempt"]),
        (&json!("changed"), &json!(1))
    );
    assert_eq!(host.read("/run/starts").await.unwrap(), "started\n");
}

#[tokio::test]
async fn a_restart_that_takes_longer_than_its_step_is_not_called_failed() {
    let lab = Lab::start().await.unwrap();
    let host = Host::boot(&lab, "web-1").await.unwrap();
    let office = Office::open().await;
    office.add(&host, "staging").await;
    slow_starts(&host).await;
    let steps = format!("{}        timeout: 4s\n", bring_in_lines("state: restarted"));
    office.publish("restart", &steps).await;
    let run = office.start(&["restart"]).await;
    let service = office.until_step(&run, "work/web-1/service", "unknown").await;
    assert_says(&service["error"].to_string(), &["it may still run on the host"]);
    // systemd goes on with it, whoever waits.
    host.write("/run/go", "").await.unwrap();
    let active = async || {
        let state = host.exec(&["systemctl", "is-active", UNIT]).await?.stdout;
        Ok((state.trim() == "active").then_some(()))
    };
    wait_for("the service to run", Duration::from_secs(30), active)
        .await
        .unwrap();
    let seen = [
        "run",
        "resolve",
        &run,
        "work/web-1/service",
        "--happened",
        r#"{"active": true, "enabled": true}"#,
    ];
    office.cli("ben", &seen).await.ok().unwrap();
    let (watched, _) = office.until_it_is_over(&run).await;
    watched.ok().unwrap();
    assert_eq!(host.read("/run/starts").await.unwrap(), "started\n");
}

/// The same step, to which lines can be added.
fn bring_in_lines(more: &str) -> String {
    format!("      - id: service\n        uses: service.state@v1\n        with: {{name: {UNIT}, {more}}}\n")
}
