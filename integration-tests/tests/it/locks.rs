//! Two runs of one runbook that names a lock: the second begins when the first is over, and says what it waits for.

use serde_json::json;

use crate::support::Site;

const FILE: &str = "/etc/motd";

#[tokio::test]
async fn the_second_run_waits_for_the_first_and_says_so() {
    let mut site = Site::start().await.unwrap();
    site.add_server("web-1", "prod").await.unwrap();
    let begin = async |content: &str| {
        let inputs = json!({"path": FILE, "content": content});
        site.start_run("write-file", &inputs, content).await.unwrap()
    };
    let first = begin("first").await;
    let wanted = site.wait_missing(&first, &json!({"sre": 2})).await.unwrap();
    let second = begin("second").await;
    let queued = site.wait_run(&second, &["queued"]).await.unwrap();
    assert_eq!(
        queued["lock"],
        json!({"name": "env", "held_by": first, "ahead": 1})
    );
    assert_eq!(queued["jobs"][0]["lanes"][0]["steps"][0]["status"], "pending");
    let says = format!("waits for lock env, held by {first}");
    let shown = site
        .cli("ana", &["run", "show", &second])
        .await
        .unwrap()
        .ok()
        .unwrap();
    assert!(shown.stdout.contains(&says), "{shown}");
    let watched = site
        .cli("ana", &["run", "watch", &second, "--exit-on-lock"])
        .await
        .unwrap()
        .expect_code(8)
        .unwrap();
    assert!(watched.stdout.contains(&says), "{watched}");

    // The order outlives the process.
    site.clawd.kill().await.unwrap();
    site.restart().await.unwrap();
    site.wait_run(&second, &["queued"]).await.unwrap();

    // A third one that nobody waits for any more leaves the queue.
    let third = site
        .start_run("write-file", &json!({"path": FILE, "content": "third"}), "third")
        .await
        .unwrap();
    site.wait_run(&third, &["queued"]).await.unwrap();
    site.cli("ana", &["run", "cancel", &third])
        .await
        .unwrap()
        .ok()
        .unwrap();
    site.wait_run(&third, &["cancelled"]).await.unwrap();

    for who in ["ben", "cho"] {
        site.vote(who, &wanted, "approve").await.unwrap();
    }
    site.wait_run(&first, &["succeeded"]).await.unwrap();
    let wanted = site.wait_missing(&second, &json!({"sre": 2})).await.unwrap();
    for who in ["ben", "cho"] {
        site.vote(who, &wanted, "approve").await.unwrap();
    }
    site.wait_run(&second, &["succeeded"]).await.unwrap();
    assert_eq!(site.world("web-1").unwrap()["files"][FILE]["content"], "second\n");
    assert_eq!(site.effects("web-1").unwrap().len(), 2);

    let types = |events: &[serde_json::Value]| -> Vec<(String, String)> {
        let event = |recorded: &serde_json::Value| {
            let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
            (text(&recorded["event"]["type"]), text(&recorded["at"]))
        };
        events.iter().map(event).collect()
    };
    let (first, second) = (
        types(&site.events(&first).await.unwrap()),
        types(&site.events(&second).await.unwrap()),
    );
    assert_eq!(second[1].0, "lock_requested");
    assert_eq!(second[2].0, "lock_taken", "nothing was done before: {second:?}");
    assert_eq!(first.last().unwrap().0, "run_finished");
    site.verify_audit().await.unwrap();
}
