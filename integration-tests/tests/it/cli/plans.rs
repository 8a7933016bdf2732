//! Plans: what they say, how they end, and that one is started only as what it is.

use serde_json::{Value, json};

use crate::support::Site;

const FILE: [&str; 6] = ["plan", "write-file", "-i", "path=/etc/motd", "-i", "content=ours"];

/// A site with a server to change, one that nobody may change, and one that cannot be looked at.
async fn site() -> Site {
    let site = Site::start().await.unwrap();
    site.add_server("web-1", "staging").await.unwrap();
    for (name, protected, labels) in [
        ("kept-1", true, json!({"role": "web"})),
        ("odd-1", false, json!({"role": "web", "sim.oops": "1"})),
    ] {
        let server = json!({"name": name, "provider": "sim", "env": "staging", "protected": protected, "labels": labels});
        site.post("admin", "/servers", &server).await.unwrap();
    }
    site
}

#[tokio::test]
async fn a_plan_says_what_it_found_and_ends_accordingly() {
    let site = site().await;
    let plan = async |on: &str, code: i32| {
        let args: Vec<&str> = FILE.iter().copied().chain(["--on", on]).collect();
        site.cli("ana", &args).await.unwrap().expect_code(code).unwrap()
    };

    let changes = plan("name=web-1", 2).await;
    assert_eq!(
        changes.stdout.matches("[simulated]").count(),
        1,
        "one mark a server: {changes}"
    );
    assert!(
        changes.stdout.contains("write on web-1 (staging) [simulated]"),
        "{changes}"
    );
    assert!(
        changes.stdout.contains("1 server, 1 change, 0 depend"),
        "{changes}"
    );
    assert!(
        changes
            .stderr
            .contains("start it with: clawd run start write-file --plan sha256:"),
        "{changes}"
    );

    let denied = plan("name=kept-1", 5).await;
    assert!(
        denied.stdout.contains("a change; it was not looked at") && denied.stdout.contains("denied"),
        "{denied}"
    );
    assert!(!denied.stdout.contains("reads only"), "{denied}");
    assert!(
        denied.stderr.contains("1 step will not pass the gate"),
        "{denied}"
    );

    let failed = site
        .cli("ana", &["plan", "health", "--on", "name=odd-1"])
        .await
        .unwrap();
    let failed = failed.expect_code(3).unwrap();
    assert!(failed.stdout.contains("sim.oops"), "{failed}");
    assert!(
        failed.stderr.contains("1 step could not be predicted"),
        "{failed}"
    );

    let mixed = site
        .cli("ana", &["plan", "patch-security", "--on", "role=web"])
        .await
        .unwrap();
    let mixed = mixed.expect_code(2).unwrap();
    for says in [
        "could not be predicted",
        "will not pass the gate",
        "start it with",
    ] {
        assert!(
            mixed.stderr.contains(says),
            "changes come first, and the rest is said: {mixed}"
        );
    }

    let reads = site
        .cli("ana", &["plan", "health", "--on", "name=web-1"])
        .await
        .unwrap()
        .ok()
        .unwrap();
    assert!(
        reads.stdout.contains("reads only\n") && reads.stderr.contains("nothing to change"),
        "{reads}"
    );
}

#[tokio::test]
async fn a_plan_of_another_runbook_is_not_started() {
    let site = site().await;
    let args: Vec<&str> = FILE
        .iter()
        .copied()
        .chain(["--on", "name=web-1", "-o", "json"])
        .collect();
    let plan: Value = site
        .cli("ana", &args)
        .await
        .unwrap()
        .expect_code(2)
        .unwrap()
        .json()
        .unwrap();
    let digest = plan["digest"].as_str().unwrap();

    let other = site
        .cli("ana", &["run", "start", "health", "--plan", digest])
        .await
        .unwrap();
    let other = other.expect_code(1).unwrap();
    assert!(
        other
            .stderr
            .contains("the plan is of runbook `write-file`, not of `health`"),
        "{other}"
    );
    assert!(other.stderr.contains("\nhint: "), "{other}");
    let runs = site.get("ana", "/runs").await.unwrap();
    assert_eq!(runs["items"], json!([]), "nothing was started");

    let right = site
        .cli(
            "ana",
            &["run", "start", "write-file", "--plan", digest, "--watch"],
        )
        .await
        .unwrap();
    right.ok().unwrap();
    assert_eq!(site.effects("web-1").unwrap().len(), 1);
}
