//! On real hosts, with real sshd and apt: whichever commit of `patch-security` the process dies around, the next
//! process ends the same run, each host has the update, and by its own record was updated exactly once.
//!
//! By default around a third of the commits, spread over the whole run; `CLAWD_MATRIX=full`: before and after every one.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Instant;

use anyhow::{Result, ensure};
use clawd_integration_tests::{Host, Lab};

use super::{COMMITS_MAX, Steps, drive, drive_through, fault, steps};
use crate::support::Site;

const HOSTS: [(&str, &str); 2] = [("canary-1", "staging"), ("web-1", "prod")];

/// How many labs work at once.
const LABS: usize = 2;

/// What must not depend on when the process was killed.
#[derive(Clone, Debug, PartialEq)]
struct End {
    installed: BTreeMap<&'static str, Option<String>>,
    /// What was done to each host, by its own record.
    effects: BTreeMap<&'static str, Vec<(String, String)>>,
    steps: Steps,
}

/// Hosts that wait for an update, and a process that knows them, stopped just before a run would be started.
struct Stage {
    // Declared before the lab that they stand in.
    hosts: [Host; 2],
    seed: Site,
    _lab: Lab,
}

impl Stage {
    async fn set() -> Result<Self> {
        let lab = Lab::start().await?;
        let hosts = Host::boot_all(&lab, HOSTS.map(|(name, _)| name)).await?;
        let mut seed = Site::start().await?;
        for (host, (_, env)) in hosts.iter().zip(HOSTS) {
            seed.clawd.add_server(host, "ops", env, &["role=web"]).await?;
        }
        seed.clawd.stop().await?;
        Ok(Self {
            hosts,
            seed,
            _lab: lab,
        })
    }

    async fn end(&self, site: &Site, run: &str) -> Result<End> {
        let (mut installed, mut effects) = (BTreeMap::new(), BTreeMap::new());
        for (host, (name, _)) in self.hosts.iter().zip(HOSTS) {
            installed.insert(name, host.installed("clawd-lab-web").await?);
            let recorded = host.effects().await?;
            ensure!(recorded.len() == 1, "{name} was not updated once: {recorded:#?}");
            let recorded = recorded
                .into_iter()
                .map(|effect| (effect.package, effect.version));
            effects.insert(name, recorded.collect());
        }
        Ok(End {
            installed,
            effects,
            steps: steps(site, run).await?,
        })
    }

    /// What it comes to without a kill.
    async fn calm(&self) -> Result<End> {
        let mut site = self.seed.fork(Vec::new())?;
        let (run, _) = drive(&mut site).await?;
        self.end(&site, &run).await
    }

    /// Whether the process was killed, when all ended as it should.
    async fn case(&self, what: &str, wanted: &End) -> Result<bool> {
        for host in &self.hosts {
            host.reset().await?;
        }
        let mut site = self.seed.fork(fault(what))?;
        let (run, was_killed) = drive_through(&mut site).await?;
        let came = self.end(&site, &run).await?;
        ensure!(
            came == *wanted,
            "the end is another one:\n{came:#?}\nnot\n{wanted:#?}"
        );
        Ok(was_killed)
    }
}

/// What this lab's process is killed at next: commits in their order, shared by all labs.
fn next(number: &AtomicU64) -> (u64, Vec<String>) {
    let is_full = std::env::var("CLAWD_MATRIX").is_ok_and(|size| size == "full");
    let number = number.fetch_add(1, Ordering::Relaxed);
    let sides: &[&str] = match (is_full, number % 3) {
        (true, _) => &["before", "after"],
        (false, 0) => &["before"],
        (false, 1) => &["after"],
        (false, _) => &[],
    };
    (
        number,
        sides
            .iter()
            .map(|side| format!("kill-{side}-commit={number}"))
            .collect(),
    )
}

/// Takes cases until there are no more commits to be killed at.
async fn work(stage: &Stage, wanted: &End, number: &AtomicU64, killed: &AtomicUsize) -> Vec<String> {
    let mut wrong = Vec::new();
    loop {
        let (at, cases) = next(number);
        if at > COMMITS_MAX {
            return wrong;
        }
        for what in cases {
            match stage.case(&what, wanted).await {
                Ok(true) => drop(killed.fetch_add(1, Ordering::Relaxed)),
                Ok(false) => number.store(COMMITS_MAX + 1, Ordering::Relaxed),
                Err(error) => wrong.push(format!("{what}: {error:#}")),
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kill_around_any_commit_changes_nothing_on_real_hosts() {
    let mut stages = Vec::new();
    for _ in 0..LABS {
        stages.push(Stage::set().await.unwrap());
    }
    let (first, began) = (stages.first().unwrap(), Instant::now());
    let wanted = first.calm().await.unwrap();
    let updated = Some("1.1".to_owned());
    assert!(
        wanted.installed.values().all(|version| *version == updated),
        "{wanted:#?}"
    );

    let (number, killed) = (AtomicU64::new(1), AtomicUsize::new(0));
    let labs = stages.iter().map(|stage| work(stage, &wanted, &number, &killed));
    let wrong: Vec<String> = futures::future::join_all(labs)
        .await
        .into_iter()
        .flatten()
        .collect();
    let killed = killed.into_inner();
    println!("killed {killed} times in {:?}", began.elapsed());
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
    assert!(killed >= 10, "killed only {killed} times");
}
