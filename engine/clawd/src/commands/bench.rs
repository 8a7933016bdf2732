//! `clawd bench`: real workflows on a store of their own, with everything on: expressions, the gate with 1,000
//! policies, audit, durable settings. The operation does nothing, so that what is measured is the engine.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, anyhow};
use clap::Args;
use clawd_audit::SigningKey;
use clawd_model::product::API_VERSION;
use clawd_model::{
    Clock as _, Digest, Entropy as _, LaneTarget, Plan, PlannedJob, Principal, PrincipalKind, PrincipalName,
    RunId, TenantName,
};
use clawd_policy::{Bundle, Policies, Vocabulary};
use clawd_provider::{Noop, Registry, Serves, contract};
use clawd_store::{Options, Store};
use clawd_worker::{Deps, NewRun, NoSecrets, Unobserved, Worker};
use clawd_workflow::Workflow;
use serde::Serialize;
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use crate::cli::{Format, Globals};
use crate::datadir::DATABASE;
use crate::exit::{Exit, Failure, Outcome};
use crate::render::document::Series;
use crate::render::table;
use crate::system::{OsEntropy, SystemClock};

/// Measure the engine: real workflows on a store of their own.
#[derive(Debug, Args)]
pub(crate) struct Bench {
    /// What is run.
    #[arg(long, value_enum, default_value = "sequential-10")]
    workload: Workload,
    /// How many runs are under way at once; several points, separated by commas.
    #[arg(long, value_delimiter = ',', default_value = "1,16,64")]
    concurrency: Vec<usize>,
    /// How long each point is measured, in seconds.
    #[arg(long, default_value = "6")]
    seconds: u64,
    /// How many policies the gate holds.
    #[arg(long, default_value = "1000")]
    policies: usize,
    /// The folder for the store, which must not be there yet; one beside the data directory when absent. Removed at the
    /// end.
    #[arg(long)]
    dir: Option<PathBuf>,
}

/// What is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Workload {
    /// Ten steps, one after the other; each one's input is computed from the one before.
    #[value(name = "sequential-10")]
    Sequential10,
}

/// One point.
#[derive(Debug, Serialize)]
struct Point {
    workload: &'static str,
    concurrency: usize,
    workflows_per_s: f64,
    steps_per_s: f64,
    p50_ms: f64,
    p99_ms: f64,
    commits_per_workflow: f64,
    store: &'static str,
}

const STEPS: usize = 10;

impl Bench {
    pub(crate) async fn run(self, globals: &Globals) -> Outcome {
        let Workload::Sequential10 = self.workload;
        let dir = self.dir.clone().unwrap_or_else(|| beside(&globals.data_dir));
        if dir.exists() {
            return Err(Failure::usage(format!("`{}` exists already", dir.display()))
                .with_hint("remove it, or choose another --dir"));
        }
        std::fs::create_dir_all(&dir)?;
        let stop = stop();
        let measured = self.measure(&dir, globals.output, &stop).await;
        std::fs::remove_dir_all(&dir)?;
        let points = measured?;
        if globals.output == Format::Table {
            show(&points);
        }
        Ok(if stop.is_cancelled() {
            Exit::Interrupted
        } else {
            Exit::Ok
        })
    }

    async fn measure(
        &self,
        dir: &Path,
        format: Format,
        stop: &CancellationToken,
    ) -> Result<Vec<Point>, Failure> {
        let mut points = Vec::new();
        let mut series = (format != Format::Table).then(|| Series::new(format));
        for &concurrency in &self.concurrency {
            if stop.is_cancelled() {
                break;
            }
            let stage = Stage::set(&dir.join(format!("at-{concurrency}")), self.policies).await?;
            let length = Duration::from_secs(self.seconds);
            let Some(point) = stage.point(concurrency, length, stop).await? else {
                break;
            };
            if let Some(series) = &mut series {
                series.item(&point)?;
            }
            points.push(point);
        }
        if let Some(series) = &series {
            series.end();
        }
        Ok(points)
    }
}

/// A folder that is there only for this process, on the disk of the data directory: that is the disk that counts.
fn beside(data_dir: &Path) -> PathBuf {
    let chance = hex::encode(OsEntropy.bytes().first_chunk::<4>().unwrap_or(&[0; 4]));
    data_dir.with_extension(format!("bench-{chance}"))
}

/// Set by ctrl-c: what is under way is ended in order, so that the folder can be removed.
fn stop() -> CancellationToken {
    let stop = CancellationToken::new();
    let told = stop.clone();
    tokio::spawn(async move {
        if tokio::signal::ctrl_c().await.is_ok() {
            eprintln!("stopping");
            told.cancel();
        }
    });
    stop
}

/// Everything that a point needs, on a fresh store.
struct Stage {
    store: Store,
    worker: Worker,
    workflow: Arc<Workflow>,
    plan: Arc<Plan>,
    digest: Digest,
    tenant: TenantName,
    requester: PrincipalName,
}

impl Stage {
    async fn set(dir: &Path, policies: usize) -> anyhow::Result<Arc<Self>> {
        std::fs::create_dir_all(dir)?;
        let clock = Arc::new(SystemClock);
        let key = SigningKey::from_bytes(&OsEntropy.bytes());
        let options = Options {
            path: dir.join(DATABASE),
            clock: clock.clone(),
            audit_key: key,
            readers: 2,
            watch: None,
        };
        let store = Store::open(options).await.context("the store of the benchmark")?;
        let tenant: TenantName = "bench".parse()?;
        let requester: PrincipalName = "ana".parse()?;
        store.create_tenant(tenant.clone(), &[]).await?;
        let ana = Principal {
            tenant: tenant.clone(),
            kind: PrincipalKind::User,
            name: requester.clone(),
            display_name: "Ana".to_owned(),
            groups: vec!["operator".parse()?],
            operator: None,
            disabled: false,
        };
        store.tenant(tenant.clone()).put_principal(&ana, &[]).await?;

        let mut registry = Registry::default();
        registry.register(Serves::Everywhere, Arc::new(Noop::default()))?;
        let current = Policies::default();
        current.put(tenant.clone(), Arc::new(bundle(policies)?));
        let source = source();
        let specs = registry.specs().clone();
        let checked = clawd_workflow::check(&source, &specs);
        let workflow = checked
            .workflow
            .ok_or_else(|| anyhow!("the workload is not valid: {:?}", checked.problems))?;
        store
            .tenant(tenant.clone())
            .publish_runbook(&workflow.name, workflow.digest, &source, &requester, &[])
            .await?;
        let plan = plan(&tenant, &requester, &workflow);
        let worker = Worker::start(Deps {
            store: store.clone(),
            registry: Arc::new(registry),
            policies: Arc::new(current),
            clock,
            secrets: Arc::new(NoSecrets),
            channels: Arc::new(clawd_worker::NoChannels),
            observer: Arc::new(Unobserved),
            node: "bench".to_owned(),
            attempts_max: 1024,
        })
        .await?;
        let digest = plan.digest();
        Ok(Arc::new(Self {
            store,
            worker,
            workflow: Arc::new(workflow),
            plan: Arc::new(plan),
            digest,
            tenant,
            requester,
        }))
    }

    async fn one(&self) -> anyhow::Result<f64> {
        let began = Instant::now();
        let run = RunId::new(SystemClock.now(), &OsEntropy);
        let new = NewRun {
            run,
            tenant: self.tenant.clone(),
            workflow: Arc::clone(&self.workflow),
            plan: Arc::clone(&self.plan),
            plan_digest: self.digest,
            requester: self.requester.clone(),
            requester_kind: clawd_model::PrincipalKind::User,
            audit: Vec::new(),
        };
        self.worker.admit(new).await?;
        self.worker.join(run).await;
        Ok(began.elapsed().as_secs_f64() * 1e3)
    }

    /// Measures; nothing when it was stopped.
    async fn point(
        self: &Arc<Self>,
        concurrency: usize,
        length: Duration,
        stop: &CancellationToken,
    ) -> anyhow::Result<Option<Point>> {
        // One run outside of the count: caches, prepared statements.
        self.one().await?;
        let (commits, began) = (self.store.commits(), Instant::now());
        let over = stop.child_token();
        let tasks: Vec<_> = (0..concurrency)
            .map(|_| {
                let (stage, over) = (Arc::clone(self), over.clone());
                tokio::spawn(async move {
                    let mut times = Vec::new();
                    while !over.is_cancelled() {
                        times.push(stage.one().await?);
                    }
                    anyhow::Ok(times)
                })
            })
            .collect();
        // Over by itself when the whole is stopped.
        let _ = tokio::time::timeout(length, over.cancelled()).await;
        over.cancel();
        let mut times = Vec::new();
        for task in tasks {
            times.extend(task.await??);
        }
        let elapsed = began.elapsed().as_secs_f64();
        let commits = self.store.commits() - commits;
        self.worker.shutdown().await;
        self.store.close().await;
        if stop.is_cancelled() {
            return Ok(None);
        }
        times.sort_by(f64::total_cmp);
        let count = times.len() as f64;
        let at = |share: f64| {
            times
                .get(((count * share) as usize).min(times.len().saturating_sub(1)))
                .copied()
                .unwrap_or(0.0)
        };
        Ok(Some(Point {
            workload: "sequential-10",
            concurrency,
            workflows_per_s: round(count / elapsed),
            steps_per_s: round(count * STEPS as f64 / elapsed),
            p50_ms: round(at(0.50)),
            p99_ms: round(at(0.99)),
            commits_per_workflow: round(commits as f64 / count.max(1.0)),
            store: "sqlite",
        }))
    }
}

fn round(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}

/// Ten steps; each input is an expression over the output of the step before.
fn source() -> String {
    let mut text = format!(
        "apiVersion: {API_VERSION}\nkind: Runbook\nmetadata: {{name: sequential-10}}\njobs:\n  ten:\n    targets: controller\n    steps:\n",
    );
    text.push_str("      - {id: s1, uses: noop@v1, with: {value: 1}}\n");
    for step in 2..=STEPS {
        let before = step - 1;
        text.push_str(&format!(
            "      - {{id: s{step}, uses: noop@v1, if: \"${{{{ steps.s{before}.value >= 1 }}}}\", with: {{value: \"${{{{ steps.s{before}.value + 1 }}}}\"}}}}\n"
        ));
    }
    text
}

/// The baseline pack, filled up to so many policies: most are about other operations and groups, every tenth is
/// about the very operation that is asked for.
fn bundle(policies: usize) -> anyhow::Result<Bundle> {
    let operations = contract::all();
    let groups: Vec<String> = (0..20).map(|number| format!("team_{number}")).collect();
    let mut known: std::collections::BTreeSet<clawd_model::GroupName> =
        ["admin", "operator", "viewer", "auditor", "sre", "security"]
            .iter()
            .map(|name| name.parse())
            .collect::<Result<_, _>>()?;
    for group in &groups {
        known.insert(group.parse()?);
    }
    let vocabulary = Vocabulary {
        operations,
        groups: known,
    };
    let mut files: BTreeMap<String, String> = clawd_policy::library::baseline();
    files.retain(|name, _| name.ends_with(".cedar"));
    let base = Bundle::load(&files, &vocabulary)
        .map_err(|problems| anyhow!("{problems:?}"))?
        .len();
    let actions = [
        "noop",
        "pkg.apply",
        "file.write",
        "service.state",
        "host.reboot",
        "shell",
        "notify",
        "pkg.plan",
        "check.tcp",
        "check.http",
    ];
    let mut text = String::new();
    for number in 0..policies.saturating_sub(base) {
        let action = actions.get(number % actions.len()).copied().unwrap_or("noop");
        let group = groups.get(number % groups.len()).map_or("team_0", String::as_str);
        text.push_str(&format!(
            "@id(\"bench-{number}\")\npermit(principal in Group::\"{group}\", action == Action::\"{action}\", resource);\n"
        ));
    }
    files.insert("bench.cedar".to_owned(), text);
    Bundle::load(&files, &vocabulary).map_err(|problems| anyhow!("{problems:?}"))
}

fn plan(tenant: &TenantName, requester: &PrincipalName, workflow: &Workflow) -> Plan {
    let jobs = workflow
        .jobs
        .iter()
        .map(|job| PlannedJob {
            job: job.name.clone(),
            waves: vec![vec![LaneTarget::controller()]],
        })
        .collect();
    Plan {
        tenant: tenant.clone(),
        runbook: workflow.name.clone(),
        workflow: workflow.digest,
        inputs: Value::Object(serde_json::Map::new()),
        selector: None,
        requester: requester.clone(),
        at: SystemClock.now(),
        jobs,
        steps: Vec::new(),
    }
}

fn show(points: &[Point]) {
    let rows = points.iter().map(|point| {
        vec![
            point.concurrency.to_string(),
            point.steps_per_s.to_string(),
            point.workflows_per_s.to_string(),
            point.p50_ms.to_string(),
            point.p99_ms.to_string(),
            point.commits_per_workflow.to_string(),
        ]
    });
    let header = [
        "CONCURRENCY",
        "STEPS/S",
        "WORKFLOWS/S",
        "P50 MS",
        "P99 MS",
        "COMMITS/WORKFLOW",
    ];
    table::print(&header, rows.collect(), "nothing was measured");
}
