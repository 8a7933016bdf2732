//! Runs and votes: listed, shown, watched, cancelled; live on a terminal.

use serde_json::{Value, json};

use super::{documents, header, lines};
use crate::support::Site;

/// A site with a server of staging and one of production.
async fn site() -> Site {
    let site = Site::start().await.unwrap();
    site.add_server("web-1", "staging").await.unwrap();
    site.add_server("web-2", "prod").await.unwrap();
    site
}

/// A run that waits for votes, and its request.
async fn waiting(site: &Site, content: &str) -> (String, String) {
    let inputs = json!({"path": "/etc/motd", "content": content});
    let run = site.start_run("write-file", &inputs, content).await.unwrap();
    let approval = site.wait_missing(&run, &json!({"sre": 2})).await.unwrap();
    (run, approval["id"].as_str().unwrap().to_owned())
}

#[tokio::test]
async fn a_run_is_watched_by_programs_from_its_first_event_to_its_last() {
    let site = site().await;
    let start = [
        "run",
        "start",
        "write-file",
        "--on",
        "name=web-1",
        "--watch",
        "-o",
        "ndjson",
    ];
    let started = site.cli("ana", &start).await.unwrap().ok().unwrap();
    let events = lines(&started);
    let numbers: Vec<u64> = events
        .iter()
        .map(|event| event["seq"].as_u64().unwrap())
        .collect();
    assert_eq!(
        numbers,
        (1..=numbers.len() as u64).collect::<Vec<u64>>(),
        "{started}"
    );
    assert_eq!(events[0]["event"]["type"], "run_started", "{started}");
    assert_eq!(
        events.last().unwrap()["event"]["type"],
        "run_finished",
        "{started}"
    );

    let run = events[0]["event"]["run"].as_str().unwrap();
    let whole = site
        .cli("ana", &["run", "watch", run, "-o", "json"])
        .await
        .unwrap()
        .ok()
        .unwrap();
    assert_eq!(whole.json::<Vec<Value>>().unwrap(), events, "one document");
    let yaml = site
        .cli("ana", &["run", "watch", run, "-o", "yaml"])
        .await
        .unwrap()
        .ok()
        .unwrap();
    assert_eq!(
        yaml.stdout.matches("---\nseq: ").count(),
        events.len(),
        "a document an event: {yaml}"
    );

    let runs = documents(&site, "ana", &["run", "ls"]).await;
    assert_eq!(runs[0]["id"], run);
    let table = site.cli("ana", &["run", "ls"]).await.unwrap().ok().unwrap();
    assert_eq!(
        header(&table),
        ["RUN", "RUNBOOK", "STATUS", "BY", "STARTED", "PLAN"]
    );
    let shown = site
        .cli("ana", &["run", "show", run])
        .await
        .unwrap()
        .ok()
        .unwrap();
    assert_eq!(
        shown.stdout.matches("web-1 [simulated]").count(),
        1,
        "one mark a server: {shown}"
    );
    let output = documents(&site, "ana", &["run", "show", run]).await;
    assert_eq!(output["status"], "succeeded");
    let printed: Value = site
        .cli("ana", &["run", "output", run, "write/web-1/file", "-o", "json"])
        .await
        .unwrap()
        .ok()
        .unwrap()
        .json()
        .unwrap();
    assert!(printed["chunks"].is_array(), "one document: {printed}");
}

#[tokio::test]
async fn a_run_that_was_cancelled_did_not_do_what_it_should() {
    let site = site().await;
    let (run, _) = waiting(&site, "never").await;
    let cancelled = site
        .cli("ana", &["run", "cancel", &run, "--reason", "wrong"])
        .await
        .unwrap()
        .ok()
        .unwrap();
    assert!(cancelled.stderr.contains("cancelling"), "{cancelled}");
    let watched = site
        .cli("ana", &["run", "watch", &run])
        .await
        .unwrap()
        .expect_code(3)
        .unwrap();
    assert!(watched.stdout.contains("cancelled"), "{watched}");
}

#[tokio::test]
async fn a_vote_says_what_it_is_for_and_is_for_exactly_that() {
    let site = site().await;
    let (run, approval) = waiting(&site, "ours").await;
    let shown = site
        .cli("ben", &["approval", "show", &approval])
        .await
        .unwrap()
        .ok()
        .unwrap();
    assert!(shown.stdout.contains("write/web-2/file [simulated]: "), "{shown}");
    let view = site.get("ben", &format!("/approvals/{approval}")).await.unwrap();

    let voted = site
        .cli("ben", &["approve", &approval, "-m", "fine", "-o", "json"])
        .await
        .unwrap()
        .ok()
        .unwrap();
    assert!(
        voted
            .stderr
            .contains(&format!("job write of write-file ({run}), requested by ana")),
        "{voted}"
    );
    let plan = view["subject"]["plan"].as_str().unwrap();
    assert!(
        voted.stderr.contains("web-2 [simulated]") && voted.stderr.contains(plan),
        "{voted}"
    );
    assert_eq!(voted.json::<Value>().unwrap()["subject"], view["subject_digest"]);

    let other = format!("sha256:{}", "0".repeat(64));
    let stale = site
        .cli("cho", &["approve", &approval, "--subject", &other])
        .await
        .unwrap();
    stale.expect_code(1).unwrap();
    let rejected = site
        .cli("cho", &["reject", &approval])
        .await
        .unwrap()
        .ok()
        .unwrap();
    assert!(
        rejected.stderr.contains("web-2 [simulated]") && rejected.stdout.contains("cho voted no"),
        "{rejected}"
    );
    let ended = site
        .cli("ana", &["run", "watch", &run])
        .await
        .unwrap()
        .expect_code(5)
        .unwrap();
    assert!(
        ended.stdout.contains("write/web-2/file") && ended.stdout.contains("[simulated]"),
        "{ended}"
    );
}

#[tokio::test]
async fn patching_is_one_word() {
    let site = site().await;
    let done = site
        .cli("ana", &["patch", "--on", "name=web-1"])
        .await
        .unwrap()
        .ok()
        .unwrap();
    assert!(
        done.stdout.contains("rollout/web-1/apply") && done.stdout.contains("succeeded"),
        "{done}"
    );
    let detached = site
        .cli("ana", &["patch", "--on", "name=web-1", "--detach"])
        .await
        .unwrap()
        .ok()
        .unwrap();
    let run = detached.stdout.trim();
    assert!(run.starts_with("run_"), "{detached}");
    site.wait_run(run, &["succeeded"]).await.unwrap();
}

#[tokio::test]
async fn on_a_terminal_the_steps_are_redrawn_in_place() {
    let site = site().await;
    let (run, approval) = waiting(&site, "ours").await;
    let terminal = site
        .clawd
        .terminal(&["--token", site.token("ana"), "run", "watch", &run])
        .unwrap();
    terminal.wait_for("write/web-2 [simulated]").await.unwrap();
    terminal.wait_for("◆ file").await.unwrap();
    for who in ["ben", "cho"] {
        site.cli(who, &["approve", &approval])
            .await
            .unwrap()
            .ok()
            .unwrap();
    }
    let watched = terminal.end().await.unwrap().ok().unwrap();
    let (before, after) = watched.stdout.split_once("cho voted approve").unwrap();
    assert!(before.contains("◆ file") && after.contains("✔ file"), "{watched}");
    assert!(after.contains("\u{1b}["), "the cursor moves: {watched}");
    assert!(after.contains("succeeded"), "{watched}");
}
