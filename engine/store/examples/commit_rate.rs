//! How many turns per second the store makes durable: `cargo run --release --example commit_rate -p clawd-store`.
//!
//! Each committer has a run of its own and commits one turn after the other, each with two events and two audit
//! records, as an attempt's start and end have. Prints a line of JSON per concurrency. The bare fsync of the disk is
//! measured beside it, since a lone committer cannot be faster. Arguments: seconds per line, the folder to write to, and the concurrencies (1,16,64).

use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use clawd_audit::{Draft, SigningKey};
use clawd_model::{
    AttemptId, Clock, Decision, DecisionKind, Digest, DurationMs, Event, FixedClock, Outcome, Plan, RunId,
    RunStatus, SeededEntropy, StepRef, TenantName, Timestamp,
};
use clawd_store::{NewRunRow, Options, SHARDS, Store, Turn, shard_of};
use serde_json::json;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

const NOW: Timestamp = Timestamp(1_772_357_400_000);

#[tokio::main]
async fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let seconds: u64 = arguments.next().unwrap_or_else(|| "5".to_owned()).parse()?;
    let folder = match arguments.next() {
        Some(folder) => tempfile::tempdir_in(folder)?,
        None => tempfile::tempdir()?,
    };
    let concurrencies = arguments.next().unwrap_or_else(|| "1,16,64".to_owned());
    println!(
        "{}",
        json!({"fsyncs_per_s": fsyncs(folder.path(), Duration::from_secs(1))?})
    );
    let entropy = Arc::new(SeededEntropy::new(1));
    for concurrency in concurrencies.split(',') {
        let concurrency: u16 = concurrency.parse()?;
        let path = folder.path().join(format!("{concurrency}.db"));
        let store = Store::open(Options {
            path,
            clock: Arc::new(FixedClock::at(NOW)),
            audit_key: SigningKey::from_bytes(&[1; 32]),
            readers: 2,
            watch: None,
        })
        .await?;
        let tenant: TenantName = "demo".parse()?;
        store.create_tenant(tenant.clone(), &[]).await?;
        for shard in 0..SHARDS {
            store
                .acquire("bench", shard, DurationMs::from_secs(3600), true)
                .await?;
        }
        let end = Instant::now() + Duration::from_secs(seconds);
        let start = Instant::now();
        let cpu = cpu_us();
        let before = store.counts();
        let committers: Vec<_> = (0..concurrency)
            .map(|_| {
                let run = RunId::new(FixedClock::at(NOW).now(), &*entropy);
                tokio::spawn(commit_until(store.clone(), tenant.clone(), run, end))
            })
            .collect();
        let mut latencies = Vec::new();
        for committer in committers {
            latencies.extend(committer.await??);
        }
        let elapsed = start.elapsed().as_secs_f64();
        let counts = store.counts();
        latencies.sort_unstable();
        let at = |share: usize| {
            latencies
                .get(latencies.len() * share / 100)
                .map_or(0, Duration::as_micros)
        };
        println!(
            "{}",
            json!({
                "concurrency": concurrency,
                "turns_per_s": ((counts.turns - before.turns) as f64 / elapsed).round(),
                "commits_per_s": ((counts.turn_commits - before.turn_commits) as f64 / elapsed).round(),
                "turns_per_commit":
                    (counts.turns - before.turns) as f64 / (counts.turn_commits - before.turn_commits).max(1) as f64,
                "cpu_us_per_turn": cpu_us().zip(cpu).map(|(now, then)| (now - then) / (counts.turns - before.turns).max(1)),
                "p50_us": at(50),
                "p99_us": at(99),
            })
        );
        store.close().await;
    }
    Ok(())
}

/// The limit that the disk sets: small appends to one file, each made durable.
fn fsyncs(folder: &Path, during: Duration) -> Result<u64> {
    let mut file = std::fs::File::create(folder.join("fsync"))?;
    let end = Instant::now() + during;
    let mut count = 0;
    while Instant::now() < end {
        file.write_all(&[0; 4096])?;
        file.sync_data()?;
        count += 1;
    }
    Ok(count)
}

/// The processor time of this process so far, where the system tells it.
fn cpu_us() -> Option<u64> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    let (_, fields) = stat.rsplit_once(") ")?;
    // User and system time, in hundredths of a second.
    let times = fields.split(' ').skip(11).take(2);
    times
        .map(|ticks| ticks.parse::<u64>().ok())
        .sum::<Option<u64>>()
        .map(|ticks| ticks * 10_000)
}

async fn commit_until(store: Store, tenant: TenantName, run: RunId, end: Instant) -> Result<Vec<Duration>> {
    let mut latencies = Vec::new();
    let mut seq = 1;
    while Instant::now() < end {
        let turn = if seq == 1 {
            first(&tenant, run)
        } else {
            step(&tenant, run, seq)
        };
        seq += turn.events.len() as u64;
        let start = Instant::now();
        store.commit(turn).await?;
        latencies.push(start.elapsed());
    }
    Ok(latencies)
}

fn draft(kind: &'static str, run: RunId, attempt: u64) -> Draft {
    Draft {
        kind,
        actor: "engine".to_owned(),
        run: Some(run),
        subject: "rollout/web-1/apply".to_owned(),
        data: json!({"attempt": attempt, "bundle": Digest::of(b"bundle"), "policies": ["baseline.operator"]}),
    }
}

fn step(tenant: &TenantName, run: RunId, seq: u64) -> Turn {
    let step = StepRef {
        job: 0,
        lane: 0,
        step: 0,
    };
    let attempt = u32::try_from(seq).unwrap_or(1);
    Turn {
        tenant: tenant.clone(),
        run,
        shard: shard_of(run),
        epoch: 1,
        first_seq: seq,
        at: NOW,
        events: vec![
            Event::AttemptFinished {
                step,
                attempt,
                outcome: Outcome::Succeeded {
                    output: json!({"before": "1.2.3", "after": "1.2.4"}),
                    changed: true,
                },
            },
            Event::AttemptStarted {
                step,
                attempt: attempt + 1,
                id: AttemptId::derive(tenant, run, step, attempt + 1),
                input: Digest::of(b"input"),
                decision: Decision {
                    kind: DecisionKind::Allow,
                    policies: vec!["roles.operations".to_owned()],
                    reasons: Vec::new(),
                    voters: Vec::new(),
                    bundle: Digest::of(b"bundle"),
                },
            },
        ],
        audit: vec![
            draft("attempt.succeeded", run, seq),
            draft("attempt.started", run, seq),
        ],
        new_run: None,
        status: None,
        finished: false,
        approvals: Vec::new(),
        locks: Vec::new(),
        inbox_done: Vec::new(),
    }
}

fn first(tenant: &TenantName, run: RunId) -> Turn {
    let plan = Plan {
        tenant: tenant.clone(),
        runbook: "bench".parse().expect("a name"),
        workflow: Digest::of(b"workflow"),
        inputs: json!({}),
        selector: None,
        requester: "ana".parse().expect("a name"),
        at: NOW,
        jobs: Vec::new(),
        steps: Vec::new(),
    };
    Turn {
        new_run: Some(NewRunRow {
            runbook: plan.runbook.clone(),
            workflow: plan.workflow,
            plan_digest: plan.digest(),
            requester: plan.requester.clone(),
            plan: Arc::new(plan),
        }),
        status: Some(RunStatus::Running),
        ..step(tenant, run, 1)
    }
}
