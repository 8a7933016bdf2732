//! On simulated servers: whichever commit of `patch-security` the process dies before or after, those of the start
//! included, the next process ends the same run with the same servers, each effect exactly once by the servers' own
//! records.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use futures::StreamExt as _;
use serde_json::Value;

use super::{COMMITS_MAX, Steps, drive, drive_through, fault, go_on, steps, text};
use crate::support::{Gone, Site};

const SERVERS: [(&str, &str); 3] = [("web-canary-1", "staging"), ("web-1", "prod"), ("web-2", "prod")];

/// Around how many commits it is killed before somebody looks whether there are any more.
const TOGETHER: u64 = 6;

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
    steps: Steps,
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

/// Looks at what came of it, from all sides.
async fn end(site: &Site, run: &str) -> Result<End> {
    let steps = steps(site, run).await?;
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

/// The cases around some commits, as `CLAWD_FAULT` wants them.
fn around(commits: std::ops::Range<u64>) -> Vec<String> {
    commits
        .flat_map(|number| ["before", "after"].map(|side| format!("kill-{side}-commit={number}")))
        .collect()
}

/// Whether the process was killed, when all ended as it should.
async fn case(seed: &Site, what: String, wanted: &End) -> (String, Result<bool>) {
    let outcome = async {
        let mut site = seed.fork(fault(&what))?;
        let (run, was_killed) = drive_through(&mut site).await?;
        let came = end(&site, &run).await?;
        ensure!(
            came == *wanted,
            "the end is another one:\n{came:#?}\nnot\n{wanted:#?}"
        );
        Ok(was_killed)
    };
    let outcome = outcome.await;
    (what, outcome)
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
    for first in (1..COMMITS_MAX).step_by(TOGETHER as usize) {
        let faults = around(first..first + TOGETHER);
        let cases = faults.into_iter().map(|what| case(&seed, what, &wanted));
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
    site.clawd.set_env(fault("kill-before-commit=26"));
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
