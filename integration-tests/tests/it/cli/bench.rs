//! The benchmark: what it measures, and that it leaves nothing behind.

use std::path::Path;
use std::time::Duration;

use clawd_integration_tests::{ClawdOptions, ClawdProcess, wait_for};
use serde_json::Value;

use super::lines;

const KEYS: [&str; 8] = [
    "commits_per_workflow",
    "concurrency",
    "p50_ms",
    "p99_ms",
    "steps_per_s",
    "store",
    "workflows_per_s",
    "workload",
];

/// The folders of benchmarks beside a data directory.
fn left_behind(data: &Path) -> Vec<String> {
    let name = data.file_name().unwrap().to_string_lossy().into_owned();
    let beside = std::fs::read_dir(data.parent().unwrap()).unwrap();
    let names = beside.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned());
    names
        .filter(|other| other.starts_with(&name) && *other != name)
        .collect()
}

#[tokio::test]
async fn it_measures_what_a_workflow_costs() {
    let clawd = ClawdProcess::prepare(ClawdOptions::default()).unwrap();
    let args = [
        "bench",
        "--seconds",
        "1",
        "--concurrency",
        "1,2",
        "--policies",
        "100",
        "-o",
    ];
    let ran = clawd
        .cli(args.iter().chain(&["ndjson"]))
        .await
        .unwrap()
        .ok()
        .unwrap();
    let points = lines(&ran);
    assert_eq!(points.len(), 2, "{ran}");
    for point in &points {
        let mut keys: Vec<&str> = point.as_object().unwrap().keys().map(String::as_str).collect();
        keys.sort_unstable();
        assert_eq!(keys, KEYS);
        // Ten steps: one commit to begin with, one for each outcome.
        let commits = point["commits_per_workflow"].as_f64().unwrap();
        assert!(commits > 0.0 && commits <= 11.0, "{ran}");
        assert!(point["steps_per_s"].as_f64().unwrap() > 0.0, "{ran}");
    }
    let whole = clawd
        .cli(args.iter().chain(&["json"]))
        .await
        .unwrap()
        .ok()
        .unwrap();
    assert_eq!(
        whole.json::<Vec<Value>>().unwrap().len(),
        2,
        "one document: {whole}"
    );
    assert_eq!(left_behind(clawd.data_dir()), [""; 0]);
}

#[tokio::test]
async fn it_leaves_nothing_behind_when_it_is_interrupted() {
    let clawd = ClawdProcess::prepare(ClawdOptions::default()).unwrap();
    let mut terminal = clawd
        .terminal(&["bench", "--seconds", "600", "--policies", "50"])
        .unwrap();
    wait_for("the benchmark's folder", Duration::from_secs(60), async || {
        Ok((left_behind(clawd.data_dir()).len() == 1).then_some(()))
    })
    .await
    .unwrap();
    terminal.type_in("\u{3}").await.unwrap();
    terminal.end().await.unwrap().expect_code(130).unwrap();
    assert_eq!(left_behind(clawd.data_dir()), [""; 0]);
}
