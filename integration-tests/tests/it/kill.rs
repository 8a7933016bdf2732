//! SIGKILL around every commit: whichever commit of `patch-security` the process dies before or after, the next
//! process ends the same run with the same servers, each effect exactly once by the servers' own records.
//!
//! By default: before every commit, those of the start included, and after every third. `CLAWD_MATRIX=full`: after
//! every one.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use futures::StreamExt as _;
use serde_json::{Value, json};

use crate::support::{Gone, Site};

const SERVERS: [(&str, &str); 3] = [("web-canary-1", "staging"), ("web-1", "prod"), ("web-2", "prod")];

/// No run of the test has as many commits.
const COMMITS_MAX: u64 = 300;

/// Around how many commits it is killed before somebody looks whether there are any more.
const TOGETHER: usize = 6;

/// How many cases run at once: most of their time is waiting for disks and for other processes.
const AT_ONCE: usize = 3;

/// What must not depend on when the process was killed.
#[derive(Clone, Debug, PartialEq)]
struct End {
    /// Each server, as it is in the end.
    worlds: BTreeMap<&'static str, Value>,
    /// What was done to it, by its own record.
    effects: BTreeMap<&'static str, Vec<(String, String)>>,
    /// Where each step stands, folded from the journal.
    steps: BTreeMap<String, String>,
}

/// A site with three servers that wait for updates, stopped just before a run would be started.
async fn prepared() -> Site {
    let mut site = Site::start().await.unwrap();
    for (name, env) in SERVERS {
        site.add_server(name, env).await.unwrap();
    }
    site.clawd.stop().await.unwrap();
    site
}

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

/// Looks at what came of it, from all sides.
async fn end(site: &Site, run: &str) -> Result<End> {
    let runs = site.get("ana", "/runs").await?;
    ensure!(items(&runs).count() == 1, "another run was started: {runs:#}");
    let shown = site.get("ana", &format!("/runs/{run}")).await?;
    let mut steps = BTreeMap::new();
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

    let (mut worlds, mut effects) = (BTreeMap::new(), BTreeMap::new());
    for (name, _) in SERVERS {
        let recorded = site.effects(name)?;
        let attempts: BTreeSet<String> = recorded.iter().map(|effect| text(effect, "attempt")).collect();
        ensure!(
            attempts.len() == recorded.len(),
            "an attempt took place twice on {name}: {recorded:#?}"
        );
        let patches = recorded
            .iter()
            .filter(|effect| effect["operation"] == "pkg.apply@v1")
            .count();
        ensure!(patches == 1, "{name} was patched {patches} times: {recorded:#?}");
        effects.insert(
            name,
            recorded
                .iter()
                .map(|e| (text(e, "operation"), text(e, "summary")))
                .collect(),
        );
        worlds.insert(name, essence(site.world(name)?));
    }
    Ok(End {
        worlds,
        effects,
        steps,
    })
}

/// A server without what is different in every run: names of attempts, and times.
fn essence(mut world: Value) -> Value {
    for field in ["jobs", "strikes", "boot_id", "booted_at"] {
        world.as_object_mut().and_then(|fields| fields.remove(field));
    }
    world
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

/// The cases around some commits, as `CLAWD_FAULT` wants them.
fn around(commits: std::ops::Range<u64>) -> Vec<String> {
    let is_full = std::env::var("CLAWD_MATRIX").is_ok_and(|size| size == "full");
    let before = commits
        .clone()
        .map(|number| format!("kill-before-commit={number}"));
    let after = commits.filter(|number| is_full || number % 3 == 0);
    before
        .chain(after.map(|number| format!("kill-after-commit={number}")))
        .collect()
}

/// Whether the process was killed, when all ended as it should.
async fn case(seed: &Site, fault: String, wanted: &End) -> (String, Result<bool>) {
    let outcome = async {
        let mut site = seed.fork(vec![("CLAWD_FAULT".to_owned(), fault.clone())])?;
        let (run, was_killed) = drive(&mut site).await?;
        if !was_killed {
            // What is asked now would make commits too, which are none of the run.
            site.clawd.kill().await?;
            site.clawd.set_env(Vec::new());
            site.restart().await?;
        }
        let came = end(&site, &run).await?;
        ensure!(
            came == *wanted,
            "the end is another one:\n{came:#?}\nnot\n{wanted:#?}"
        );
        Ok(was_killed)
    };
    let outcome = outcome.await;
    (fault, outcome)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kill_around_any_commit_changes_nothing_in_the_end() {
    let seed = prepared().await;
    let mut calm = seed.fork(Vec::new()).unwrap();
    let (run, was_killed) = drive(&mut calm).await.unwrap();
    let wanted = end(&calm, &run).await.unwrap();
    assert!(!was_killed && wanted.steps.len() > 10, "{wanted:#?}");
    calm.clawd.kill().await.unwrap();

    let (began, mut killed, mut wrong) = (Instant::now(), 0, Vec::new());
    // Until there are no more commits to be killed at.
    for first in (1..COMMITS_MAX).step_by(TOGETHER) {
        let faults = around(first..first + TOGETHER as u64);
        let cases = faults.into_iter().map(|fault| case(&seed, fault, &wanted));
        let outcomes: Vec<_> = futures::stream::iter(cases)
            .buffer_unordered(AT_ONCE)
            .collect()
            .await;
        let before = killed;
        for (fault, came) in outcomes {
            match came {
                Ok(was_killed) => killed += usize::from(was_killed),
                Err(error) => wrong.push(format!("{fault}: {error:#}")),
            }
        }
        if killed == before {
            println!(
                "killed {killed} times around {} commits in {:?}",
                first - 1,
                began.elapsed()
            );
            break;
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
    assert!(
        killed > wanted.steps.len(),
        "every step is a commit at least, but it was killed {killed} times"
    );
}

#[tokio::test]
async fn the_same_process_killed_again_and_again_still_gets_there() {
    let mut site = prepared().await;
    let mut run = None;
    // A start takes fewer commits than that, so that some of the run's work is done in each life.
    site.clawd.set_env(vec![(
        "CLAWD_FAULT".to_owned(),
        "kill-before-commit=26".to_owned(),
    )]);
    let mut lives = 0;
    while run.is_none() && lives < 40 {
        lives += 1;
        match go_on(&mut site).await {
            Ok(done) => run = Some(done),
            Err(error) if error.is::<Gone>() => {
                if site.clawd.pid().is_some() {
                    assert_eq!(site.clawd.wait_exit(Duration::from_secs(20)).await.unwrap(), None);
                }
            }
            Err(error) => panic!("in life {lives}: {error:#}"),
        }
    }
    println!("{lives} lives");
    let run = run.expect("it got there");
    site.clawd.kill().await.unwrap();
    site.clawd.set_env(Vec::new());
    site.restart().await.unwrap();
    let end = end(&site, &run).await.unwrap();
    assert!(
        lives > 1 && end.steps.values().all(|status| status != "unknown"),
        "{end:#?}"
    );
}
