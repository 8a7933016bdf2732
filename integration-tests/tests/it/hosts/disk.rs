//! A host whose disk is full.

use clawd_integration_tests::{Host, HostOptions, Lab};
use serde_json::Value;

use crate::people::{Office, assert_says, step};

fn assert_full(step: &Value) {
    assert_eq!(step["error"]["kind"], "disk-full", "{step:#}");
    assert_says(
        step["error"]["message"].as_str().unwrap(),
        &["web-1 (ops@", "No space left on device"],
    );
    assert_says(step["error"]["hint"].as_str().unwrap(), &["free some space"]);
}

#[tokio::test]
async fn a_full_disk_is_told_and_leaves_nothing_half_done() {
    let lab = Lab::start().await.unwrap();
    let host = Host::boot_with(&lab, "web-1", HostOptions { disk_mb: 48 })
        .await
        .unwrap();
    let office = Office::open().await;
    office.add(&host, "staging").await;
    let set = r#"[{name: clawd-lab-web, from: "1.0", to: "1.1", security: true}]"#;
    office
        .publish(
            "upgrade",
            &format!("      - {{id: apply, uses: pkg.apply@v1, with: {{set: {set}}}}}\n"),
        )
        .await;
    host.write("/etc/words", "old words\n").await.unwrap();
    // More than what may fit into a block that the file has already.
    let content = format!("content={}", "many words ".repeat(2_000));
    let write = ["write-file", "-i", "path=/etc/words", "-i", &content];
    let files = host.shell("ls -A /etc").await.unwrap();

    host.fill_disk().await.unwrap();
    for (args, path) in [
        (write.as_slice(), "write/web-1/file"),
        (&["upgrade"], "work/web-1/apply"),
    ] {
        let run = office.start(args).await;
        let (watched, view) = office.until_it_is_over(&run).await;
        assert_says(
            &watched.expect_code(3).unwrap().stderr,
            &["No space left on device", "hint: free some space"],
        );
        assert_full(step(&view, path));
    }
    assert_eq!(host.read("/etc/words").await.unwrap(), "old words\n");
    assert_eq!(
        host.shell("ls -A /etc").await.unwrap(),
        files,
        "no half file is left"
    );
    assert_eq!(host.effects().await.unwrap(), []);
    assert_eq!(
        host.installed("clawd-lab-web").await.unwrap().as_deref(),
        Some("1.0")
    );

    // With room, the same works.
    host.free_disk().await.unwrap();
    office.run(&write).await;
    office.run(&["upgrade"]).await;
    assert_eq!(
        host.read("/etc/words").await.unwrap(),
        format!("{}\n", &content["content=".len()..])
    );
    assert_eq!(host.effects().await.unwrap().len(), 1);
}

/// Fills the disk, and fails of it.
const FILLS: &str = r#"
      - id: fill
        uses: shell@v1
        with: {argv: [sh, -c, "cat /dev/zero >/root/filler; echo >>/root/filler || exit 7"]}
"#;

#[tokio::test]
async fn a_command_that_fills_the_disk_and_fails_has_failed() {
    let lab = Lab::start().await.unwrap();
    let host = Host::boot_with(&lab, "web-1", HostOptions { disk_mb: 48 })
        .await
        .unwrap();
    let office = Office::open().await;
    office.add(&host, "staging").await;
    office.publish("fill", FILLS).await;

    let run = office.start(&["fill"]).await;
    let (watched, view) = office.until_it_is_over(&run).await;

    assert!(!watched.success(), "{watched}");
    let fill = step(&view, "work/web-1/fill");
    assert_eq!(fill["status"], "failed", "{fill:#}");
    assert_says(
        fill["error"]["message"].as_str().unwrap(),
        &["`sh` ended with exit code 7"],
    );
}
