//! The harness around the binary, with a shell script in the place of the binary.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clawd_integration_tests::{ClawdOptions, ClawdProcess};

fn script(dir: &Path, body: &str) -> ClawdOptions {
    let path: PathBuf = dir.join("clawd");
    std::fs::write(&path, format!("#!/bin/sh\n{body}")).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    ClawdOptions {
        binary: Some(path),
        ..ClawdOptions::default()
    }
}

const SERVER: &str = r#"
[ "$1" = serve ] || { echo "{\"args\": \"$*\", \"data\": \"$CLAWD_DATA_DIR\"}"; echo said >&2; exit 0; }
echo "start with $*" >&2
case $5 in *:0) echo "listening on http://127.0.0.1:4711" >&2 ;; *) echo "listening on http://$5" >&2 ;; esac
trap 'echo bye; exit 3' TERM
mkfifo "$3/$$"
read -r _ <>"$3/$$"
"#;

#[tokio::test]
async fn it_survives_kills_with_its_data_and_its_port() {
    let dir = tempfile::tempdir().unwrap();
    let mut clawd = ClawdProcess::start_with(script(dir.path(), SERVER))
        .await
        .unwrap();
    assert_eq!(clawd.url(), "http://127.0.0.1:4711");
    let first = clawd.pid().unwrap();
    std::fs::write(clawd.data_dir().join("fact"), "kept").unwrap();

    clawd.kill().await.unwrap();
    assert!(!Path::new("/proc").join(first.to_string()).exists());
    clawd.restart().await.unwrap();

    assert_ne!(clawd.pid().unwrap(), first);
    assert_eq!(clawd.url(), "http://127.0.0.1:4711");
    assert_eq!(
        std::fs::read_to_string(clawd.data_dir().join("fact")).unwrap(),
        "kept"
    );
    let again = clawd
        .wait_for_line("--listen 127.0.0.1:4711", Duration::from_secs(5))
        .await
        .unwrap();
    assert!(again.starts_with("start with serve --data-dir"));

    assert_eq!(
        clawd.stop().await.unwrap(),
        Some(3),
        "a polite end has an exit code"
    );
    clawd.wait_for_line("bye", Duration::from_secs(5)).await.unwrap();
    assert_eq!(clawd.pid(), None);
}

#[tokio::test]
async fn the_cli_runs_on_the_same_data_as_whom_one_likes() {
    let dir = tempfile::tempdir().unwrap();
    let clawd = ClawdProcess::start_with(script(dir.path(), SERVER))
        .await
        .unwrap();

    let answer: serde_json::Value = clawd.json(["run", "ls"]).await.unwrap();
    assert_eq!(answer["args"], "run ls -o json");
    assert_eq!(answer["data"], clawd.data_dir().to_str().unwrap());
    let ran = clawd.cli_as(Some("ben"), ["approve", "apr_1"]).await.unwrap();
    assert!(ran.stdout.contains("--profile ben approve apr_1"));
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), "said\n"));
}

#[tokio::test]
async fn a_binary_that_ends_early_is_told_with_its_last_words() {
    let dir = tempfile::tempdir().unwrap();
    let options = script(
        dir.path(),
        "echo 'error: the data directory is in use' >&2\nexit 1\n",
    );
    let error = format!("{:#}", ClawdProcess::start_with(options).await.unwrap_err());
    assert!(
        error.contains("exit status: 1") && error.contains("the data directory is in use"),
        "{error}"
    );
}

#[tokio::test]
async fn a_missing_binary_is_told_with_the_way_to_build_it() {
    let options = ClawdOptions {
        binary: Some("/nonexistent/clawd".into()),
        ..ClawdOptions::default()
    };
    let error = format!("{:#}", ClawdProcess::start_with(options).await.unwrap_err());
    assert!(error.contains("/nonexistent/clawd"), "{error}");
}
