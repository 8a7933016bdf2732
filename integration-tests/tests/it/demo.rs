//! The demo, as its own words tell people to try it: votes, a kill in the middle, and a run that resumes.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use clawd_integration_tests::{ClawdOptions, ClawdProcess, wait_for};
use serde_json::Value;

/// Until the first request for votes is shown: nobody waits longer for a demo.
const FIRST_APPROVAL: Duration = Duration::from_secs(30);
/// Until a state of the run that is on its way.
const DEADLINE: Duration = Duration::from_secs(90);

#[tokio::test]
async fn a_demo_that_is_killed_in_the_middle_says_that_it_resumes() {
    let began = Instant::now();
    let options = ClawdOptions {
        demo: true,
        ..ClawdOptions::default()
    };
    let mut clawd = ClawdProcess::start_with(options).await.unwrap();
    let left = FIRST_APPROVAL.saturating_sub(began.elapsed());
    let vote = clawd.wait_for_line(" approve apr_", left).await.unwrap();
    let word = |line: &str, start: &str| -> String {
        line.split_whitespace()
            .find(|word| word.starts_with(start))
            .unwrap()
            .to_owned()
    };
    let approval = word(&vote, "apr_");
    let run = word(&clawd.wait_for_line("  run  ", DEADLINE).await.unwrap(), "run_");

    for who in ["ben", "cho"] {
        clawd
            .cli_as(Some(who), ["approve", &approval])
            .await
            .unwrap()
            .ok()
            .unwrap();
    }
    wait_for("a server of production to be patched", DEADLINE, async || {
        let view: Value = clawd.json(["run", "show", &run]).await?;
        let statuses = statuses(&view, "rollout/web-");
        anyhow::ensure!(view["status"] == "running", "the run is {}", view["status"]);
        let changed = statuses.iter().filter(|(path, _)| !path.contains("canary"));
        Ok(changed
            .clone()
            .any(|(_, status)| status == "changed")
            .then_some(()))
    })
    .await
    .unwrap();
    clawd.kill().await.unwrap();
    let before = clawd.log().lines().count();
    clawd.restart().await.unwrap();

    let resumes = clawd
        .wait_for_line(&format!("{run} resumes: "), DEADLINE)
        .await
        .unwrap();
    let (done, total) = resumes
        .split_once("resumes: ")
        .unwrap()
        .1
        .split_once(" of ")
        .unwrap();
    let total = total.strip_suffix(" steps done").unwrap();
    assert!(
        done.parse::<u32>().unwrap() > 0 && done.parse::<u32>().unwrap() < total.parse::<u32>().unwrap(),
        "{resumes}"
    );
    let watch = clawd.wait_for_line("watch it: ", DEADLINE).await.unwrap();
    assert!(watch.contains(&format!("run watch {run}")), "{watch}");
    let again: Vec<String> = clawd.log().lines().skip(before).map(str::to_owned).collect();
    assert!(again.iter().any(|line| line.contains("/sign-in/")), "{again:#?}");

    clawd.cli(["run", "watch", &run]).await.unwrap().ok().unwrap();
    let view: Value = clawd.json(["run", "show", &run]).await.unwrap();
    let patched: Vec<String> = statuses(&view, "rollout/")
        .into_iter()
        .filter(|(path, _)| path.ends_with("/apply"))
        .map(|(path, _)| path.split('/').nth(1).unwrap().to_owned())
        .collect();
    assert_eq!(patched.len(), 6, "{view:#}");
    for server in &patched {
        let log = clawd.data_dir().join("sim/demo").join(server).join("effects.log");
        let effects: Vec<Value> = std::fs::read_to_string(log)
            .unwrap()
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        let attempts: BTreeSet<&str> = effects
            .iter()
            .map(|effect| effect["attempt"].as_str().unwrap())
            .collect();
        assert_eq!(
            attempts.len(),
            effects.len(),
            "each attempt once on {server}: {effects:#?}"
        );
        let applied = effects
            .iter()
            .filter(|effect| effect["operation"] == "pkg.apply@v1")
            .count();
        assert_eq!(applied, 1, "{server} was patched once: {effects:#?}");
    }
}

/// The steps whose path begins so, each with its status.
fn statuses(view: &Value, start: &str) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let jobs = view["jobs"].as_array().into_iter().flatten();
    jobs.flat_map(|job| job["lanes"].as_array().into_iter().flatten())
        .flat_map(|lane| lane["steps"].as_array().into_iter().flatten())
        .map(|step| (text(&step["path"]), text(&step["status"])))
        .filter(|(path, _)| path.starts_with(start))
        .collect()
}
