//! A store in a folder of its own, with people, servers and policies, and workers that can be killed.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use clawd_audit::{Record, SigningKey};
use clawd_model::{
    Approval, Change, Clock as _, ErrorKind, Event, FixedClock, LaneTarget, Plan, PlannedStep, Principal,
    PrincipalKind, Recorded, RunId, RunStatus, SecretName, SeededEntropy, Server, ServerId, ServerProvider,
    StepError, StepRef, TenantName, Timestamp, Verdict, Vote, VoteId, WillRun,
};
use clawd_policy::{Bundle, Policies, Vocabulary};
use clawd_provider::Registry;
use clawd_store::{
    ApprovalFilter, AuditFilter, CommitPoint, CommitWatch, Message, Options, RunRow, Store, TenantStore,
};
use clawd_worker::{AdmitError, Announce, Announcement, Deps, NewRun, Secrets, Unobserved, Worker};
use clawd_workflow::{Job, Workflow};
use serde_json::{Value, json};
use tokio::runtime::Runtime;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;

use crate::world::{World, registry};

pub(crate) const NOW: Timestamp = Timestamp(1_772_357_400_000);

/// A name from its text.
pub(crate) fn read<T: std::str::FromStr>(text: &str) -> T
where
    T::Err: std::fmt::Debug,
{
    text.parse().unwrap()
}

/// The one secret that there is.
pub(crate) const SECRET: &str = "hunter2-and-more";

struct OneSecret;

impl Secrets for OneSecret {
    fn get(&self, _: &TenantName, name: &SecretName) -> Option<String> {
        (name.as_str() == "TOKEN").then(|| SECRET.to_owned())
    }
}

/// Channels that remember what they were told.
#[derive(Default)]
pub(crate) struct Heard {
    told: Mutex<Vec<Announcement>>,
    /// Channels that take nothing.
    deaf: Mutex<Vec<String>>,
    times: watch::Sender<usize>,
}

impl Heard {
    pub(crate) fn all(&self) -> Vec<Announcement> {
        self.told.lock().unwrap().clone()
    }

    /// These channels take nothing from now on.
    pub(crate) fn deaf(&self, channels: &[&str]) {
        *self.deaf.lock().unwrap() = channels.iter().map(|name| (*name).to_owned()).collect();
    }

    /// Waits until channels were told so often, taken or not.
    pub(crate) async fn times(&self, times: usize) {
        let mut told = self.times.subscribe();
        told.wait_for(|now| *now >= times).await.unwrap();
    }
}

impl Announce for Heard {
    fn announce<'a>(
        &'a self,
        announcement: &'a Announcement,
    ) -> futures::future::BoxFuture<'a, Result<(), StepError>> {
        self.told.lock().unwrap().push(announcement.clone());
        self.times.send_modify(|times| *times += 1);
        let is_deaf = self.deaf.lock().unwrap().contains(&announcement.channel);
        let answer = if is_deaf {
            Err(StepError::new(ErrorKind::Connection, "as the test wants"))
        } else {
            Ok(())
        };
        Box::pin(std::future::ready(answer))
    }
}

pub(crate) struct Fixture {
    files: BTreeMap<String, String>,
    vocabulary: Vocabulary,
    pub(crate) store: Store,
    pub(crate) clock: Arc<FixedClock>,
    pub(crate) world: Arc<World>,
    pub(crate) registry: Arc<Registry>,
    pub(crate) policies: Arc<Policies>,
    /// What channels were told.
    pub(crate) channels: Arc<Heard>,
    entropy: SeededEntropy,
    fuse: Arc<Fuse>,
    pub(crate) folder: tempfile::TempDir,
}

impl Fixture {
    /// The tenant `demo`: ana, who starts runs; ben and cho of `sre`, who vote; the policies of the baseline.
    pub(crate) async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(FixedClock::at(NOW));
        let fuse = Arc::new(Fuse::default());
        let store = Store::open(Options {
            path: folder.path().join("clawd.db"),
            clock: clock.clone(),
            audit_key: SigningKey::from_bytes(&[7; 32]),
            readers: 4,
            watch: Some(watch_commits(&fuse)),
        })
        .await
        .unwrap();
        let tenant = store.create_tenant(read("demo"), &[]).await.unwrap();
        for (name, group) in [
            ("ana", "operator"),
            ("ben", "sre"),
            ("cho", "sre"),
            ("dan", "sre"),
        ] {
            tenant.put_principal(&person(name, group), &[]).await.unwrap();
        }
        let world = Arc::new(World::default());
        let registry = registry(&world);
        let vocabulary = Vocabulary {
            operations: registry.specs().values().cloned().collect(),
            groups: ["admin", "operator", "viewer", "auditor", "sre", "security"]
                .map(read)
                .into(),
        };
        let mut files: BTreeMap<String, String> = clawd_policy::library::baseline();
        files.retain(|name, _| {
            name.ends_with(".cedar") && !name.starts_with("agents") && !name.starts_with("production")
        });
        let production = "
            @id(\"production.two-votes\") @reason(\"changes in production need two votes of `sre`\")
            forbid(principal, action in Action::\"operation.change\", resource is Server)
            when { resource.env == \"prod\" } unless { context.approvals.sre >= 2 };";
        files.insert("production.cedar".into(), production.into());
        let bundle = Bundle::load(&files, &vocabulary).unwrap_or_else(|problems| panic!("{problems:#?}"));
        let policies = Policies::default();
        policies.put(read("demo"), Arc::new(bundle));
        Self {
            files,
            vocabulary,
            store,
            clock,
            world,
            registry: Arc::new(registry),
            policies: Arc::new(policies),
            channels: Arc::default(),
            entropy: SeededEntropy::new(3),
            fuse,
            folder,
        }
    }

    /// Puts policies in force beside those of the baseline.
    pub(crate) fn also(&self, policies: &str) {
        let mut files = self.files.clone();
        files.insert("also.cedar".into(), policies.into());
        let bundle =
            Bundle::load(&files, &self.vocabulary).unwrap_or_else(|problems| panic!("{problems:#?}"));
        self.policies.put(read("demo"), Arc::new(bundle));
    }

    pub(crate) fn demo(&self) -> TenantStore {
        self.store.tenant(read("demo"))
    }

    pub(crate) fn deps(&self, node: &str) -> Deps {
        Deps {
            store: self.store.clone(),
            registry: Arc::clone(&self.registry),
            policies: Arc::clone(&self.policies),
            clock: self.clock.clone(),
            secrets: Arc::new(OneSecret),
            channels: self.channels.clone(),
            observer: Arc::new(Unobserved),
            node: node.to_owned(),
            attempts_max: 64,
        }
    }

    pub(crate) async fn worker(&self) -> Worker {
        Worker::start(self.deps("node-a")).await.unwrap()
    }

    /// A worker that carries out so many attempts at once.
    pub(crate) async fn narrow_worker(&self, attempts_max: usize) -> Worker {
        let deps = Deps {
            attempts_max,
            ..self.deps("node-a")
        };
        Worker::start(deps).await.unwrap()
    }

    /// A worker in a runtime of its own: whoever ends that kills the worker wherever it stands.
    pub(crate) async fn mortal(&self, node: &str) -> Mortal {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        let deps = self.deps(node);
        let worker = runtime.spawn(async move { Worker::start(deps).await.unwrap() });
        let worker = worker.await.unwrap();
        Mortal { worker, runtime }
    }

    pub(crate) async fn servers(&self, count: u64, env: &str) {
        let demo = self.demo();
        let puts = (1..=count).map(|number| {
            let server = Server {
                id: ServerId::new(NOW, &SeededEntropy::new(100 + number)),
                tenant: read("demo"),
                name: read(&format!("web-{number}")),
                provider: ServerProvider::Sim,
                address: "sim".into(),
                env: env.into(),
                labels: [("role".to_owned(), "web".to_owned())].into(),
                protected: false,
                host_key: None,
                identity: None,
                facts: None,
                version: 0,
            };
            let demo = demo.clone();
            async move { demo.put_server(&server, &[]).await.unwrap() }
        });
        futures::future::join_all(puts).await;
    }

    /// A run of these jobs, with a plan that predicted what checks see now.
    pub(crate) async fn run_of(&self, jobs: &str) -> NewRun {
        let source = format!("apiVersion: clawd.dev/v1\nkind: Runbook\nmetadata: {{name: test}}\n{jobs}");
        let checked = clawd_workflow::check(&source, self.registry.specs());
        let workflow = checked
            .workflow
            .unwrap_or_else(|| panic!("{:#?}", checked.problems));
        let (name, ana) = (workflow.name.clone(), read("ana"));
        let demo = self.demo();
        demo.publish_runbook(&name, workflow.digest, &source, &ana, &[])
            .await
            .unwrap();
        let plan = Arc::new(plan(&workflow, &demo.servers().await.unwrap()));
        // As whoever makes a plan does: it is there before a run of it begins.
        demo.put_plan(&plan, &[]).await.unwrap();
        NewRun {
            run: RunId::new(self.clock.now(), &self.entropy),
            tenant: read("demo"),
            workflow: Arc::new(workflow),
            plan_digest: plan.digest(),
            plan,
            requester: ana,
            requester_kind: PrincipalKind::User,
            audit: Vec::new(),
        }
    }

    pub(crate) async fn journal(&self, run: RunId) -> Vec<Event> {
        let journal: Vec<Recorded> = self.store.journal(run).await.unwrap();
        journal.into_iter().map(|recorded| recorded.event).collect()
    }

    pub(crate) async fn row(&self, run: RunId) -> RunRow {
        self.demo().run(run).await.unwrap().unwrap()
    }

    pub(crate) async fn audit(&self) -> Vec<Record> {
        let filter = AuditFilter {
            limit: 10_000,
            ..AuditFilter::default()
        };
        self.demo().audit(&filter).await.unwrap()
    }

    /// Waits until the run's row and journal look like this.
    pub(crate) async fn until(&self, run: RunId, mut holds: impl FnMut(&RunRow, &[Event]) -> bool) {
        let mut commits = self.store.committed();
        loop {
            let (row, journal) = (self.row(run).await, self.journal(run).await);
            if holds(&row, &journal) {
                return;
            }
            // Lagging is no harm: the state is read anew.
            let _ = commits.recv().await;
        }
    }

    pub(crate) async fn until_status(&self, run: RunId, status: RunStatus) {
        self.until(run, |row, _| row.status == status).await;
    }

    pub(crate) async fn approvals(&self, run: RunId) -> Vec<Approval> {
        let filter = ApprovalFilter {
            run: Some(run),
            ..ApprovalFilter::default()
        };
        self.demo().approvals(&filter).await.unwrap()
    }

    /// Votes on the newest request of the run, as the use case does: posted, and nobody told.
    pub(crate) async fn vote(&self, run: RunId, voter: &str, verdict: Verdict) {
        let approval = self.approvals(run).await.remove(0);
        let now = self.clock.now();
        let vote = Vote {
            id: VoteId::new(now, &self.entropy),
            approval: approval.id,
            subject: approval.subject.digest(),
            voter: read(voter),
            verdict,
            comment: String::new(),
            at: now,
            expires_at: now.plus(approval.vote_ttl_ms),
        };
        self.demo().post(&Message::Vote { vote }, run, &[]).await.unwrap();
    }

    pub(crate) async fn cancel(&self, run: RunId) {
        let message = Message::Cancel {
            by: read("ana"),
            reason: "enough".into(),
        };
        self.demo().post(&message, run, &[]).await.unwrap();
    }

    /// The database beside the store, for what only an administrator or a broken disk does.
    pub(crate) async fn sql(&self, text: &'static str) {
        use sqlx::{ConnectOptions as _, Connection as _};
        let options = sqlx::sqlite::SqliteConnectOptions::new()
            .filename(self.folder.path().join("clawd.db"))
            .busy_timeout(std::time::Duration::from_secs(30));
        let mut connection = options.connect().await.unwrap();
        sqlx::raw_sql(text).execute(&mut connection).await.unwrap();
        connection.close().await.unwrap();
    }

    /// No attempt took effect twice.
    pub(crate) fn nothing_twice(&self) {
        let effects = self.world.effects();
        assert!(effects.values().all(|count| *count == 1), "{effects:?}");
    }
}

/// Kills a worker at a commit, before anybody is told of it.
#[derive(Default)]
struct Fuse(Mutex<Option<(u32, Runtime)>>);

fn watch_commits(fuse: &Arc<Fuse>) -> CommitWatch {
    let fuse = Arc::clone(fuse);
    Arc::new(move |point| {
        let CommitPoint::After(_) = point else { return };
        let mut armed = fuse.0.lock().unwrap();
        match armed.take() {
            Some((1, runtime)) => runtime.shutdown_background(),
            Some((left, runtime)) => *armed = Some((left - 1, runtime)),
            None => {}
        }
    })
}

/// A worker that can be killed.
pub(crate) struct Mortal {
    worker: Worker,
    runtime: Runtime,
}

impl Mortal {
    pub(crate) fn begin(&self, new: NewRun) -> JoinHandle<Result<(), AdmitError>> {
        let worker = self.worker.clone();
        self.runtime.spawn(async move { worker.admit(new).await })
    }

    pub(crate) async fn admit(&self, new: NewRun) -> Result<(), AdmitError> {
        self.begin(new).await.unwrap()
    }

    /// Admits a run, and dies at the commit with this number, counted from the admission. The answer comes when it is
    /// dead; never, when there are fewer commits.
    pub(crate) async fn dies_at(self, fixture: &Fixture, commit: u32, new: NewRun) {
        let admission = self.begin_on_signal(new);
        *fixture.fuse.0.lock().unwrap() = Some((commit, self.runtime));
        let (go, mut dead) = admission;
        go.send(()).unwrap();
        while dead.recv().await.is_some() {}
    }

    /// Admits when told to; the channel closes when everything of the worker is gone.
    fn begin_on_signal(&self, new: NewRun) -> (oneshot::Sender<()>, mpsc::Receiver<()>) {
        let (go, told) = oneshot::channel();
        let (alive, dead) = mpsc::channel(1);
        let worker = self.worker.clone();
        self.runtime.spawn(async move {
            let _alive = alive;
            told.await.unwrap();
            let _ = worker.admit(new).await;
            std::future::pending::<()>().await;
        });
        (go, dead)
    }

    /// Ends everything that it does, at once. Nothing of it is left when this returns.
    pub(crate) async fn kill(self) {
        let Self { worker, runtime } = self;
        drop(worker);
        let limit = std::time::Duration::from_secs(60);
        let dead = tokio::task::spawn_blocking(move || runtime.shutdown_timeout(limit));
        dead.await.unwrap();
    }
}

pub(crate) fn person(name: &str, group: &str) -> Principal {
    Principal {
        tenant: read("demo"),
        kind: PrincipalKind::User,
        name: read(name),
        display_name: name.to_uppercase(),
        groups: vec![read(group)],
        operator: None,
        disabled: false,
    }
}

/// What every check of a fresh world sees.
fn change() -> Change {
    Change {
        needed: true,
        summary: "a touch".into(),
        diff: String::new(),
        basis: Value::Null,
    }
}

fn plan(workflow: &Workflow, servers: &[Server]) -> Plan {
    let jobs: Vec<_> = workflow
        .jobs
        .iter()
        .map(|job| clawd_model::PlannedJob {
            job: job.name.clone(),
            waves: job.waves(servers, None),
        })
        .collect();
    let mut steps = Vec::new();
    for (number, (job, planned)) in (0_u16..).zip(workflow.jobs.iter().zip(&jobs)) {
        for (lane, target) in (0_u32..).zip(planned.waves.iter().flatten()) {
            steps.extend(foresee(number, job, lane, target));
        }
    }
    Plan {
        tenant: read("demo"),
        runbook: workflow.name.clone(),
        workflow: workflow.digest,
        inputs: json!({}),
        selector: None,
        requester: read("ana"),
        at: NOW,
        jobs,
        steps,
    }
}

fn foresee(number: u16, job: &Job, lane: u32, target: &LaneTarget) -> impl Iterator<Item = PlannedStep> {
    (0_u16..).zip(&job.steps).map(move |(index, step)| PlannedStep {
        step_ref: StepRef {
            job: number,
            lane,
            step: index,
        },
        step: step.name.clone(),
        job: job.name.clone(),
        target: target.clone(),
        uses: step.uses.clone(),
        will_run: WillRun::Yes,
        input: None,
        change: target.server.is_some().then(change),
        output: None,
        decision: None,
        error: None,
    })
}
