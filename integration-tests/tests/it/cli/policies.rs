//! Folders of policies: nothing of a folder is dropped silently.

use std::path::{Path, PathBuf};

use clawd_integration_tests::workspace;
use serde_json::{Value, json};

use super::documents;
use crate::support::Site;

/// A folder with a copy of the pack that ships.
fn pack(dir: &Path) -> PathBuf {
    let copy = dir.join("pack");
    std::fs::create_dir(&copy).unwrap();
    for entry in std::fs::read_dir(workspace().join("policies/library/baseline")).unwrap() {
        let path = entry.unwrap().path();
        std::fs::copy(&path, copy.join(path.file_name().unwrap())).unwrap();
    }
    copy
}

#[tokio::test]
async fn a_misspelt_file_name_does_not_take_its_rules_out_of_force() {
    let site = Site::start().await.unwrap();
    let dir = tempfile::tempdir().unwrap();
    let pack = pack(dir.path());
    let folder = pack.to_string_lossy();
    std::fs::write(pack.join(".editor"), "not meant").unwrap();
    let good = site
        .cli("admin", &["policy", "check", &folder])
        .await
        .unwrap()
        .ok()
        .unwrap();
    assert!(good.stdout.starts_with("valid: "), "{good}");
    let tested = site
        .cli("admin", &["policy", "test", &folder])
        .await
        .unwrap()
        .ok()
        .unwrap();
    assert!(tested.stdout.contains("cases passed"), "{tested}");

    std::fs::rename(pack.join("protected.cedar"), pack.join("protected.ceder")).unwrap();
    for (command, code) in [("check", 1), ("test", 3), ("publish", 1)] {
        let refused = site.cli("admin", &["policy", command, &folder]).await.unwrap();
        let refused = refused.expect_code(code).unwrap();
        assert!(
            refused.stderr.contains("PL030") && refused.stderr.contains("protected.ceder"),
            "{refused}"
        );
    }
    let listed = site
        .cli("admin", &["policy", "check", &folder, "-o", "json"])
        .await
        .unwrap();
    let problems: Value = listed.expect_code(1).unwrap().json().unwrap();
    assert_eq!(problems[0]["code"], "PL030", "{problems:#}");

    std::fs::remove_file(pack.join("protected.ceder")).unwrap();
    std::fs::create_dir(pack.join("more")).unwrap();
    let nested = site
        .cli("admin", &["policy", "check", &folder])
        .await
        .unwrap()
        .expect_code(1)
        .unwrap();
    assert!(nested.stderr.contains("is a folder"), "{nested}");
}

#[tokio::test]
async fn warnings_are_told_and_what_is_in_force_is_shown() {
    let site = Site::start().await.unwrap();
    let dir = tempfile::tempdir().unwrap();
    let empty = dir.path().join("empty");
    std::fs::create_dir(&empty).unwrap();
    std::fs::write(empty.join("README.md"), "words\n").unwrap();
    let folder = empty.to_string_lossy();
    for command in [
        &["policy", "check", &folder][..],
        &["policy", "publish", "--check-only", &folder],
    ] {
        let ran = site.cli("admin", command).await.unwrap().ok().unwrap();
        assert!(
            ran.stderr.contains("PL033") && ran.stdout.starts_with("valid: "),
            "{ran}"
        );
    }
    let listed: Value = documents(&site, "admin", &["policy", "check", &folder]).await;
    assert_eq!(
        (&listed[0]["code"], &listed[0]["severity"]),
        (&json!("PL033"), &json!("warning"))
    );
    let checked = documents(&site, "admin", &["policy", "publish", "--check-only", &folder]).await;
    assert_eq!(checked["problems"][0]["code"], "PL033", "{checked:#}");

    let pack = pack(dir.path());
    let published = site
        .cli("admin", &["policy", "publish", &pack.to_string_lossy()])
        .await
        .unwrap()
        .ok()
        .unwrap();
    assert!(published.stdout.starts_with("in force: sha256:"), "{published}");
    let shown = site.cli("ana", &["policy", "show"]).await.unwrap().ok().unwrap();
    assert!(shown.stdout.contains("// protected.cedar\n"), "{shown}");
    let bundle = documents(&site, "ana", &["policy", "show"]).await;
    assert!(
        published.stdout.contains(bundle["digest"].as_str().unwrap()),
        "{published}"
    );
    assert!(
        bundle["files"]["README.md"].is_string(),
        "documents stay with their bundle"
    );
}
