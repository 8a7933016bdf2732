//! A store in a folder of its own, and the smallest documents to put in.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clawd_audit::{Draft, SigningKey};
use clawd_model::{
    Approval, ApprovalId, ApprovalStatus, ApprovalSubject, Clock, Digest, DurationMs, Event, FixedClock,
    Plan, Principal, PrincipalKind, RunId, RunOutcome, RunStatus, SeededEntropy, Server, ServerId,
    ServerProvider, StepRef, TenantName, Timestamp,
};
use clawd_store::{Lease, NewRunRow, Options, Store, TenantStore, Turn, shard_of};
use serde_json::json;

/// A moment to begin with.
pub(crate) const NOW: Timestamp = Timestamp(1_772_357_400_000);

/// A name, id or digest from its text.
pub(crate) fn read<T: std::str::FromStr>(text: &str) -> T
where
    T::Err: std::fmt::Debug,
{
    text.parse().unwrap()
}

pub(crate) struct Fixture {
    pub(crate) store: Store,
    pub(crate) clock: Arc<FixedClock>,
    pub(crate) entropy: SeededEntropy,
    /// Removed with everything in it at the end of the test.
    pub(crate) folder: tempfile::TempDir,
}

pub(crate) fn key() -> SigningKey {
    SigningKey::from_bytes(&[7; 32])
}

pub(crate) async fn open(path: &Path, clock: Arc<FixedClock>) -> Store {
    open_with(path, clock, [7; 32]).await
}

pub(crate) async fn open_with(path: &Path, clock: Arc<FixedClock>, key: [u8; 32]) -> Store {
    Store::open(Options {
        path: path.to_owned(),
        clock,
        audit_key: SigningKey::from_bytes(&key),
        readers: 2,
        watch: None,
    })
    .await
    .unwrap()
}

impl Fixture {
    /// A store with the tenants `demo` and `acme`.
    pub(crate) async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(FixedClock::at(NOW));
        let store = open(&folder.path().join("clawd.db"), clock.clone()).await;
        for tenant in ["demo", "acme"] {
            store
                .create_tenant(read(tenant), &[draft("tenant.created", tenant)])
                .await
                .unwrap();
        }
        Self {
            store,
            clock,
            entropy: SeededEntropy::new(1),
            folder,
        }
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().join("clawd.db")
    }

    pub(crate) fn demo(&self) -> TenantStore {
        self.store.tenant(read("demo"))
    }

    pub(crate) fn acme(&self) -> TenantStore {
        self.store.tenant(read("acme"))
    }

    pub(crate) fn run_id(&self) -> RunId {
        RunId::new(self.clock.now(), &self.entropy)
    }

    /// The lease on a run's shard.
    pub(crate) async fn lease(&self, run: RunId) -> Lease {
        self.store
            .acquire("test", shard_of(run), DurationMs::from_secs(3600), true)
            .await
            .unwrap()
            .unwrap()
    }

    /// A run of `demo` with its first turn committed.
    pub(crate) async fn begun(&self) -> (RunId, Lease) {
        let run = self.run_id();
        let lease = self.lease(run).await;
        self.store.commit(first_turn("demo", run, &lease)).await.unwrap();
        (run, lease)
    }

    pub(crate) fn server(&self, tenant: &str, name: &str) -> Server {
        Server {
            id: ServerId::new(self.clock.now(), &self.entropy),
            tenant: read(tenant),
            name: read(name),
            provider: ServerProvider::Sim,
            address: format!("sim://{name}"),
            env: "prod".to_owned(),
            labels: [("role".to_owned(), "web".to_owned())].into(),
            protected: false,
            host_key: None,
            identity: None,
            facts: None,
            version: 0,
        }
    }
}

pub(crate) fn principal(tenant: &str, name: &str) -> Principal {
    Principal {
        tenant: read(tenant),
        kind: PrincipalKind::User,
        name: read(name),
        display_name: name.to_uppercase(),
        groups: vec![read("operator"), read("sre")],
        operator: None,
        disabled: false,
    }
}

pub(crate) fn draft(kind: &'static str, subject: &str) -> Draft {
    Draft {
        kind,
        actor: "user:ana".to_owned(),
        run: None,
        subject: subject.to_owned(),
        data: json!({"why": "a \"test\" with ünïcode\n"}),
    }
}

pub(crate) fn plan(tenant: &str) -> Plan {
    Plan {
        tenant: read(tenant),
        runbook: read("patch-security"),
        workflow: Digest::of(b"workflow"),
        inputs: json!({}),
        selector: None,
        requester: read("ana"),
        at: NOW,
        jobs: Vec::new(),
        steps: Vec::new(),
    }
}

pub(crate) fn first_turn(tenant: &str, run: RunId, lease: &Lease) -> Turn {
    let plan = plan(tenant);
    let tenant: TenantName = read(tenant);
    Turn {
        events: vec![Event::RunStarted {
            run,
            tenant: tenant.clone(),
            runbook: plan.runbook.clone(),
            workflow: plan.workflow,
            plan: plan.digest(),
            inputs: json!({}),
            requester: plan.requester.clone(),
            requester_kind: clawd_model::PrincipalKind::User,
            jobs: Arc::default(),
        }],
        audit: vec![draft("run.started", "patch-security")],
        new_run: Some(NewRunRow {
            runbook: plan.runbook.clone(),
            workflow: plan.workflow,
            plan_digest: plan.digest(),
            requester: plan.requester.clone(),
            plan: Arc::new(plan),
        }),
        status: Some(RunStatus::Running),
        ..empty_turn(tenant, run, lease, 1)
    }
}

/// A turn of `events` skipped steps.
pub(crate) fn next_turn(tenant: &str, run: RunId, lease: &Lease, first_seq: u64, events: u16) -> Turn {
    Turn {
        events: (0..events)
            .map(|step| Event::StepSkipped {
                step: StepRef {
                    job: 0,
                    lane: 0,
                    step,
                },
                reason: format!("because \"{step}\" \\ is {first_seq}\t\u{1F980}"),
            })
            .collect(),
        audit: vec![draft("step.skipped", "job/web-1/step")],
        ..empty_turn(read(tenant), run, lease, first_seq)
    }
}

pub(crate) fn last_turn(tenant: &str, run: RunId, lease: &Lease, first_seq: u64) -> Turn {
    Turn {
        events: vec![Event::RunFinished {
            outcome: RunOutcome::Succeeded,
            error: None,
        }],
        status: Some(RunStatus::Succeeded),
        finished: true,
        ..empty_turn(read(tenant), run, lease, first_seq)
    }
}

pub(crate) fn approval(fixture: &Fixture, tenant: &str, run: RunId) -> Approval {
    Approval {
        id: ApprovalId::new(fixture.clock.now(), &fixture.entropy),
        subject: ApprovalSubject {
            tenant: read(tenant),
            run,
            runbook: read("patch-security"),
            job: read("rollout"),
            plan: plan(tenant).digest(),
            drifted: Vec::new(),
            inputs: Vec::new(),
            more: None,
        },
        requester: read("ana"),
        status: ApprovalStatus::Open,
        missing: Vec::new(),
        reasons: vec!["prod needs two votes of sre".to_owned()],
        vote_ttl_ms: DurationMs::from_secs(3600),
        opened_at: NOW,
        votes: Vec::new(),
    }
}

fn empty_turn(tenant: TenantName, run: RunId, lease: &Lease, first_seq: u64) -> Turn {
    Turn {
        tenant,
        run,
        shard: lease.shard,
        epoch: lease.epoch,
        first_seq,
        at: NOW,
        events: Vec::new(),
        audit: Vec::new(),
        new_run: None,
        status: None,
        finished: false,
        approvals: Vec::new(),
        locks: Vec::new(),
        inbox_done: Vec::new(),
    }
}
