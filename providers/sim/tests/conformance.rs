//! Every operation of the simulation passes the suite that all providers pass.

#![allow(clippy::unwrap_used, reason = "the whole file is a test")]

mod support;

use clawd_provider::conformance::{self, Case};
use clawd_provider_sim::Delays;
use serde_json::{Value, json};
use support::Lab;

/// A case on a fresh server, counting effects by the server's own record.
fn case(dir: &std::path::Path, operation: &str, input: Value) -> Case {
    let lab = Lab::open(dir, Delays::none(), &[]);
    let (simulation, server) = (lab.simulation.clone(), lab.server.clone());
    Case::new(lab.operation(operation), lab.context(None), input)
        .counting(move || simulation.effects(&server.tenant, &server.name).unwrap().len())
}

async fn passes(operation: &str, input: Value) {
    let dir = tempfile::tempdir().unwrap();
    conformance::all(&case(dir.path(), operation, input))
        .await
        .unwrap();
}

async fn passes_as_act(operation: &str, input: Value) {
    let dir = tempfile::tempdir().unwrap();
    let case = case(dir.path(), operation, input).repeating();
    conformance::all(&case).await.unwrap();
}

#[tokio::test]
async fn every_registered_operation_is_covered() {
    let dir = tempfile::tempdir().unwrap();
    let lab = Lab::open(dir.path(), Delays::none(), &[]);
    let names: Vec<&str> = lab.registry.specs().keys().map(|name| name.as_str()).collect();
    assert_eq!(
        names,
        [
            "check.http@v1",
            "check.tcp@v1",
            "file.write@v1",
            "host.facts@v1",
            "host.reboot@v1",
            "pkg.apply@v1",
            "pkg.plan@v1",
            "service.state@v1",
            "shell@v1"
        ],
        "a new operation needs a test in this file"
    );
}

#[tokio::test]
async fn check_http() {
    passes(
        "check.http@v1",
        json!({"path": "/healthz", "contains": "ok", "ok_for": "60s"}),
    )
    .await;
}

#[tokio::test]
async fn check_tcp() {
    passes("check.tcp@v1", json!({"port": 22})).await;
}

#[tokio::test]
async fn file_write() {
    passes(
        "file.write@v1",
        json!({"path": "/etc/motd", "content": "hello\n", "mode": "0640"}),
    )
    .await;
}

#[tokio::test]
async fn host_facts() {
    passes("host.facts@v1", json!({})).await;
}

#[tokio::test]
async fn host_reboot() {
    passes("host.reboot@v1", json!({"when": "required"})).await;
    passes_as_act("host.reboot@v1", json!({"when": "always"})).await;
}

#[tokio::test]
async fn pkg_apply() {
    let frozen =
        json!({"name": "openssl", "from": "3.0.15-1~deb12u1", "to": "3.0.17-1~deb12u3", "security": true});
    passes("pkg.apply@v1", json!({"set": [frozen]})).await;
    passes("pkg.apply@v1", json!({"set": []})).await;
}

#[tokio::test]
async fn pkg_plan() {
    passes(
        "pkg.plan@v1",
        json!({"classes": ["security"], "exclude": ["docker-ce*"]}),
    )
    .await;
}

#[tokio::test]
async fn service_state() {
    passes(
        "service.state@v1",
        json!({"name": "nginx", "state": "stopped", "enabled": false}),
    )
    .await;
    passes_as_act("service.state@v1", json!({"name": "nginx", "state": "restarted"})).await;
}

#[tokio::test]
async fn shell() {
    passes(
        "shell@v1",
        json!({"argv": ["touch", "/srv/done"], "creates": "/srv/done"}),
    )
    .await;
    passes_as_act("shell@v1", json!({"argv": ["uptime"]})).await;
}
