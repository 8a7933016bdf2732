//! A step fails on a server: `rescue` repairs it, `always` tells, and the run says that it failed.

use serde_json::{Value, json};

use crate::support::Site;

const RUNBOOK: &str = "
apiVersion: clawd.dev/v1
kind: Runbook
metadata: {name: deploy}
targets: {selector: role=web}
jobs:
  deploy:
    strategy: {max_fail_percentage: 100}
    steps:
      - {id: write, uses: file.write@v1, with: {path: /etc/app, content: \"new\\n\"}}
      - {id: restart, uses: service.state@v1, with: {name: ssh, state: restarted}}
      - {id: look, uses: host.facts@v1}
    rescue:
      - {id: back, uses: file.write@v1, with: {path: /etc/app, content: \"old\\n\"}}
    always:
      - {id: tell, uses: notify@v1, with: {to: ops, text: \"${{ has(steps.look.os) ? 'well' : 'unwell' }}\"}}
";

/// Names and states of the steps of the lane of a server.
fn lane(view: &Value, server: &str) -> Vec<(String, String)> {
    let lanes = view["jobs"][0]["lanes"].as_array().unwrap();
    let lane = lanes
        .iter()
        .find(|lane| lane["target"]["name"] == server)
        .unwrap();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let steps = lane["steps"].as_array().unwrap().iter();
    steps
        .map(|step| (text(&step["name"]), text(&step["status"])))
        .collect()
}

fn pairs(all: &[(&str, &str)]) -> Vec<(String, String)> {
    all.iter()
        .map(|(name, status)| ((*name).to_owned(), (*status).to_owned()))
        .collect()
}

#[tokio::test]
async fn a_failed_step_is_rescued_and_the_run_fails() {
    let site = Site::start().await.unwrap();
    site.add_server("web-1", "dev").await.unwrap();
    let broken = json!({"name": "web-2", "provider": "sim", "address": "simulated", "env": "dev",
                        "labels": {"role": "web", "sim.fail": "service.state"}});
    site.post("admin", "/servers", &broken).await.unwrap();
    site.post("admin", "/servers/web-2/facts", &json!({}))
        .await
        .unwrap();
    site.post("admin", "/runbooks", &json!({"source": RUNBOOK}))
        .await
        .unwrap();
    let run = site.start_run("deploy", &json!({}), "deploy").await.unwrap();
    let view = site.wait_run(&run, &["failed"]).await.unwrap();
    assert_eq!(
        lane(&view, "web-1"),
        pairs(&[
            ("write", "changed"),
            ("restart", "changed"),
            ("look", "succeeded"),
            ("back", "skipped"),
            ("tell", "succeeded"),
        ])
    );
    assert_eq!(
        lane(&view, "web-2"),
        pairs(&[
            ("write", "changed"),
            ("restart", "failed"),
            ("look", "skipped"),
            ("back", "changed"),
            ("tell", "succeeded"),
        ])
    );
    for (server, content) in [("web-1", "new\n"), ("web-2", "old\n")] {
        assert_eq!(
            site.world(server).unwrap()["files"]["/etc/app"]["content"],
            content,
            "{server}"
        );
    }
    // What happened on the broken server, in the order of the audit log.
    let audit = site
        .get("ben", &format!("/audit?run={run}&limit=200"))
        .await
        .unwrap();
    let mut records: Vec<(u64, String)> = audit["items"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|record| {
            record["subject"]
                .as_str()
                .unwrap_or_default()
                .starts_with("deploy/web-2/")
        })
        .filter(|record| {
            record["kind"]
                .as_str()
                .unwrap_or_default()
                .starts_with("attempt.")
        })
        .map(|record| {
            let step = record["subject"]
                .as_str()
                .unwrap()
                .trim_start_matches("deploy/web-2/");
            let kind = record["kind"].as_str().unwrap().trim_start_matches("attempt.");
            (record["index"].as_u64().unwrap(), format!("{step} {kind}"))
        })
        .collect();
    records.sort();
    let told: Vec<&str> = records.iter().map(|(_, told)| told.as_str()).collect();
    assert_eq!(
        told,
        [
            "write started",
            "write succeeded",
            "restart started",
            "restart failed",
            "back started",
            "back succeeded",
            "tell started",
            "tell succeeded"
        ]
    );
    let watched = site.cli("ana", &["run", "watch", &run]).await.unwrap();
    assert_eq!(watched.code, Some(3), "{watched}");
    site.verify_audit().await.unwrap();
}
