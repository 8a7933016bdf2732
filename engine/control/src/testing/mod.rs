//! A small world for tests of this crate and of the shells above it: a real store in a temporary folder, the policies
//! and runbooks that ship, two tenants with people of every role, servers that answer as told, and a driver that runs
//! steps at once. With the feature `testing` only.

mod driver;
mod servers;

use std::sync::Arc;

use clawd_audit::SigningKey;
use clawd_model::api::{AddServer, HostKey, MakePlan, PutPrincipal};
use clawd_model::{
    Clock, DurationMs, FixedClock, GroupName, Labels, PrincipalKind, PrincipalName, ServerProvider,
    TenantName, Timestamp,
};
use clawd_policy::Policies;
use clawd_provider::secrets::NoSecrets;
use clawd_store::{Options, Store};

pub use self::driver::InlineDriver;
pub use self::servers::FakeServers;
use crate::{
    App, Bootstrap, Caller, HostProbe, LocalOperator, Parts, ProbeError, RunbookOn, ServerAdd, add_server,
};

/// What an operation printed, for tests that write output themselves.
pub const OUT: clawd_store::Stream = clawd_store::Stream::Out;

/// The tenant in which everything happens.
pub const TENANT: &str = "demo";
/// The tenant that sees nothing of it; its one person is `dora`, an admin.
pub const OTHER_TENANT: &str = "acme";
/// The people of the tenant, one of each role, with their groups.
pub const PEOPLE: [(&str, &[&str]); 7] = [
    ("admin", &["admin"]),
    ("ana", &["operator"]),
    ("ben", &["sre"]),
    ("cho", &["sre"]),
    ("vic", &["viewer"]),
    ("aud", &["auditor"]),
    ("nob", &[]),
];
/// The servers of the tenant, with their environments.
pub const SERVERS: [(&str, &str); 3] = [("stage-1", "staging"), ("web-1", "prod"), ("web-2", "prod")];

/// The world.
pub struct World {
    /// The application.
    pub app: App,
    /// The operator of this machine.
    pub operator: LocalOperator,
    /// The store, to look behind the curtain.
    pub store: Store,
    /// The time, moved by hand.
    pub clock: Arc<FixedClock>,
    /// Who drives runs.
    pub driver: Arc<InlineDriver>,
    /// What the servers answer.
    pub servers: Arc<FakeServers>,
    _dir: tempfile::TempDir,
}

/// A machine that shows one host key.
pub struct FixedProbe;

#[async_trait::async_trait]
impl HostProbe for FixedProbe {
    async fn host_key(&self, address: &str) -> Result<HostKey, ProbeError> {
        if address.ends_with(":1") {
            return Err(ProbeError::Unreachable("connection refused".to_owned()));
        }
        if !address.contains('@') {
            return Err(ProbeError::Address(format!(
                "`{address}` is not `user@host:port`"
            )));
        }
        Ok(HostKey {
            algorithm: "ssh-ed25519".to_owned(),
            fingerprint: "SHA256:+DiY3wvvV6TuJJhbpZisF/zLDA0zPMSvHdkr4UvCOqU".to_owned(),
            line: "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl"
                .to_owned(),
        })
    }
}

impl World {
    /// A fresh world.
    ///
    /// # Panics
    /// When it cannot be made.
    pub async fn new() -> Self {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let clock = Arc::new(FixedClock::at(Timestamp(1_772_357_400_000)));
        let entropy = Arc::new(clawd_model::SeededEntropy::new(7));
        let store = Store::open(Options {
            path: dir.path().join("clawd.db"),
            clock: Arc::clone(&clock) as Arc<dyn Clock>,
            audit_key: SigningKey::from_bytes(&[7; 32]),
            readers: 4,
            watch: None,
        })
        .await
        .expect("a store");
        let servers = Arc::new(FakeServers::default());
        let registry = Arc::new(servers.registry());
        let policies = Arc::new(Policies::default());
        let driver = Arc::new(InlineDriver::new(
            store.clone(),
            Arc::clone(&registry),
            Arc::clone(&policies),
            Arc::clone(&clock),
        ));
        let (app, operator) = App::new(Parts {
            store: store.clone(),
            registry,
            policies,
            clock: Arc::clone(&clock) as Arc<dyn Clock>,
            entropy,
            driver: Arc::clone(&driver) as _,
            probe: Arc::new(FixedProbe),
            secrets: Arc::new(NoSecrets),
        });
        let world = Self {
            app,
            operator,
            store,
            clock,
            driver,
            servers,
            _dir: dir,
        };
        world.settle().await;
        world
    }

    async fn settle(&self) {
        for (tenant, admin) in [(TENANT, "admin"), (OTHER_TENANT, "dora")] {
            let wanted = Bootstrap {
                tenant: tenant.parse().expect("a name"),
                admin: admin.parse().expect("a name"),
                display_name: admin.to_owned(),
                groups: std::collections::BTreeSet::new(),
            };
            self.operator.bootstrap(&wanted).await.expect("a tenant");
        }
        let admin = self.caller("admin").await;
        let permit = self
            .app
            .permit::<crate::PrincipalWrite>(&admin)
            .await
            .expect("a permit");
        for (name, groups) in PEOPLE.iter().skip(1) {
            let person = PutPrincipal {
                kind: PrincipalKind::User,
                display_name: (*name).to_owned(),
                groups: groups
                    .iter()
                    .map(|group| group.parse::<GroupName>().expect("a name"))
                    .collect(),
                operator: None,
                disabled: false,
            };
            let name: PrincipalName = name.parse().expect("a name");
            crate::put_principal(&permit, name, person)
                .await
                .expect("a person");
        }
        let permit = self.app.permit::<ServerAdd>(&admin).await.expect("a permit");
        for (name, env) in SERVERS {
            let server = AddServer {
                name: name.parse().expect("a name"),
                provider: ServerProvider::Sim,
                address: "sim".to_owned(),
                env: env.to_owned(),
                labels: Labels::from([("role".to_owned(), "web".to_owned())]),
                protected: false,
                identity: None,
                host_key: None,
            };
            add_server(&permit, server).await.expect("a server");
        }
    }

    /// A token of somebody of the tenant.
    ///
    /// # Panics
    /// When there is nobody of that name.
    pub async fn token(&self, name: &str) -> String {
        self.token_in(TENANT, name).await
    }

    /// A token of somebody of any tenant.
    ///
    /// # Panics
    /// When there is nobody of that name.
    pub async fn token_in(&self, tenant: &str, name: &str) -> String {
        let tenant: TenantName = tenant.parse().expect("a name");
        let name: PrincipalName = name.parse().expect("a name");
        let made = self
            .operator
            .token(&tenant, &name, "test", DurationMs::from_secs(86_400))
            .await;
        made.expect("a token").secret
    }

    /// Somebody of the tenant, signed in.
    ///
    /// # Panics
    /// When there is nobody of that name.
    pub async fn caller(&self, name: &str) -> Caller {
        self.app
            .sign_in_with_token(&self.token(name).await)
            .await
            .expect("a valid token")
    }

    /// Starts the runbook `patch-security` as `ana`. The canary is done when this returns; production waits for two
    /// votes of `sre`.
    ///
    /// # Panics
    /// When it cannot be started.
    pub async fn start_patch(&self) -> clawd_model::api::RunSummary {
        self.start_patch_as(&self.caller("ana").await).await
    }

    /// The same, as somebody else.
    ///
    /// # Panics
    /// When it cannot be started.
    pub async fn start_patch_as(&self, caller: &Caller) -> clawd_model::api::RunSummary {
        let runbook = "patch-security".parse().expect("a name");
        let permit = self
            .app
            .permit_on::<crate::RunStart, RunbookOn>(caller, &runbook)
            .await
            .expect("a permit");
        crate::plan_and_start(&permit, &MakePlan::default(), &crate::Request::unkeyed())
            .await
            .expect("a run")
    }
}
