//! SIGKILL around every commit of `patch-security`: what the tests on simulated servers and those on real hosts share.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};

use crate::support::{Gone, Site};

mod hosts;
mod simulated;

/// No run of the tests has as many commits.
const COMMITS_MAX: u64 = 300;

/// Where each step of a run stands, by its path.
type Steps = BTreeMap<String, String>;

/// Brings the run to its end, as people and programs would: what was answered is not asked again, what was not
/// answered is looked up or asked once more.
async fn drive(site: &mut Site) -> Result<(String, bool)> {
    let mut was_killed = false;
    loop {
        match go_on(site).await {
            Ok(run) => return Ok((run, was_killed)),
            Err(error) if error.is::<Gone>() && !was_killed => {
                was_killed = true;
                site.clawd.set_env(Vec::new());
                if site.clawd.pid().is_some() {
                    let code = site.clawd.wait_exit(Duration::from_secs(20)).await?;
                    ensure!(
                        code.is_none(),
                        "it did not die by a signal, but ended with {code:?}"
                    );
                }
            }
            Err(error) => return Err(error),
        }
    }
}

async fn go_on(site: &mut Site) -> Result<String> {
    if site.clawd.pid().is_none() {
        site.restart().await?;
    }
    let run = site.start_run("patch-security", &json!({}), "one-run").await?;
    let view = site.wait_run(&run, &["waiting", "succeeded"]).await?;
    if view["status"] == "waiting" {
        vote(site, &run).await?;
        site.wait_run(&run, &["succeeded"]).await?;
    }
    Ok(run)
}

/// Votes, but for votes that are on record already: those are durable, and the run has to find them by itself.
async fn vote(site: &Site, run: &str) -> Result<()> {
    let cast = site
        .get("ben", &format!("/audit?run={run}&kind=vote.cast"))
        .await?;
    let voters: BTreeSet<String> = items(&cast).map(|record| text(record, "actor")).collect();
    for who in ["ben", "cho"] {
        if voters.contains(&format!("user:{who}")) {
            continue;
        }
        let requests = site.get(who, &format!("/approvals?run={run}")).await?;
        ensure!(
            items(&requests).count() == 1,
            "one request for votes, and not {requests:#}"
        );
        let answer = site.vote(who, &requests["items"][0], "approve").await?;
        answer
            .json::<Value>()
            .with_context(|| format!("{who} votes on {requests:#}"))?;
    }
    Ok(())
}

/// Where the steps of the one run stand, folded from the journal; what else must hold after every kill is asserted.
async fn steps(site: &Site, run: &str) -> Result<Steps> {
    let runs = site.get("ana", "/runs").await?;
    ensure!(items(&runs).count() == 1, "another run was started: {runs:#}");
    let shown = site.get("ana", &format!("/runs/{run}")).await?;
    let mut steps = Steps::new();
    for job in list(&shown["jobs"]) {
        for step in list(&job["lanes"]).flat_map(|lane| list(&lane["steps"])) {
            steps.insert(text(step, "path"), text(step, "status"));
        }
    }
    let requests = site.get("ana", &format!("/approvals?run={run}")).await?;
    ensure!(
        items(&requests).count() == 1,
        "votes were asked for again: {requests:#}"
    );
    site.verify_audit().await?;
    Ok(steps)
}

/// Drives the run while the process dies as `CLAWD_FAULT` of its environment says. A process that was not killed is
/// restarted without the fault: what is asked now would make commits too, which are none of the run.
async fn drive_through(site: &mut Site) -> Result<(String, bool)> {
    let (run, was_killed) = drive(site).await?;
    if !was_killed {
        site.clawd.kill().await?;
        site.clawd.set_env(Vec::new());
        site.restart().await?;
    }
    Ok((run, was_killed))
}

fn fault(fault: &str) -> Vec<(String, String)> {
    vec![("CLAWD_FAULT".to_owned(), fault.to_owned())]
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn items(page: &Value) -> impl Iterator<Item = &Value> {
    list(&page["items"])
}

fn text(value: &Value, field: &str) -> String {
    value[field].as_str().unwrap_or_default().to_owned()
}
