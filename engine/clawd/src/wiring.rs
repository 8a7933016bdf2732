//! Puts the parts together: store, operations, policies, worker, use cases.

use std::sync::Arc;

use anyhow::Context as _;
use clawd_audit::SigningKey;
use clawd_control::{App, LocalOperator, Parts};
use clawd_model::{Clock, Entropy as _};
use clawd_policy::Policies;
use clawd_provider::{Noop, Registry, Serves};
use clawd_provider_host::{Hosts, Keys, SshOptions};
use clawd_provider_notify::Notify;
use clawd_provider_sim::{Delays, Simulation};
use clawd_store::{Options, Store};
use clawd_worker::{Deps, Worker};

use crate::channels::Channels;
use crate::config::Config;
use crate::datadir::{DataDir, Lock};
use crate::driver::{Driver, SshProbe};
use crate::fault;
use crate::metrics::Metrics;
use crate::system::{OsEntropy, SecretFiles, SystemClock};

/// How many attempts may run at once on this node.
const ATTEMPTS_MAX: usize = 256;

/// A whole installation, running.
pub(crate) struct Installation {
    pub(crate) app: App,
    pub(crate) operator: LocalOperator,
    pub(crate) store: Store,
    pub(crate) worker: Worker,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) metrics: Metrics,
    _lock: Lock,
}

impl Installation {
    /// Opens the data directory, and takes up every unfinished run.
    pub(crate) async fn open(dir: &DataDir, delays: Delays) -> anyhow::Result<Self> {
        // Fails only when a provider is installed already: then that one is used.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let lock = dir.lock()?;
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let audit_key = SigningKey::from_bytes(&dir.audit_key(&OsEntropy)?);
        let metrics = Metrics::new();
        let options = Options {
            path: dir.database(),
            clock: Arc::clone(&clock),
            audit_key,
            readers: 4,
            watch: Some(metrics.commits(fault::from_environment()?)),
        };
        let store = Store::open(options).await.context("the store cannot be opened")?;
        tokio::spawn(metrics.clone().follow(store.committed()));
        let config = Config::read(dir)?;
        let notify = Arc::new(Notify::new(config.channels(dir)?, config.guard()?)?);
        let registry = Arc::new(operations(dir, delays, &config, &notify)?);
        let policies = Arc::new(Policies::default());
        let secrets = Arc::new(SecretFiles(dir.secrets()));
        let driver = Driver::default();
        let (app, operator) = App::new(Parts {
            store: store.clone(),
            registry: Arc::clone(&registry),
            policies: Arc::clone(&policies),
            clock: Arc::clone(&clock),
            entropy: Arc::new(OsEntropy),
            driver: Arc::new(driver.clone()),
            probe: Arc::new(SshProbe),
            secrets: Arc::clone(&secrets) as _,
        });
        for unusable in operator.load_policies().await? {
            let first = unusable
                .problems
                .first()
                .map_or("", |problem| problem.message.as_str());
            tracing::error!(tenant = %unusable.tenant, "the policies in force cannot be used, so nothing is allowed: {first}");
        }
        let node = format!(
            "node-{}",
            hex::encode(OsEntropy.bytes().first_chunk::<6>().unwrap_or(&[0; 6]))
        );
        let shared = Arc::clone(&clock);
        let deps = Deps {
            store: store.clone(),
            registry,
            policies,
            clock,
            secrets,
            channels: Arc::new(Channels {
                notify,
                clock: Arc::clone(&shared),
            }),
            observer: Arc::new(metrics.clone()),
            node,
            attempts_max: ATTEMPTS_MAX,
        };
        let worker = Worker::start(deps)
            .await
            .context("the worker cannot be started")?;
        let _ = driver.0.set(worker.clone());
        Ok(Self {
            app,
            operator,
            store,
            worker,
            clock: shared,
            metrics,
            _lock: lock,
        })
    }

    /// Begins nothing new, commits what waits, and closes the store.
    pub(crate) async fn close(self) {
        self.worker.shutdown().await;
        self.store.close().await;
    }
}

/// All operations of this process.
fn operations(
    dir: &DataDir,
    delays: Delays,
    config: &Config,
    notify: &Arc<Notify>,
) -> anyhow::Result<Registry> {
    let mut registry = Registry::default();
    registry.register(Serves::Everywhere, Arc::new(Noop::default()))?;
    clawd_provider_host::register(
        &mut registry,
        &Hosts::new(SshOptions::default(), Keys::new(dir.keys())),
    )?;
    Simulation::open(dir.simulation(), delays)?.register(&mut registry)?;
    clawd_provider_http::register(
        &mut registry,
        &clawd_provider_http::Settings::new(config.guard()?),
    )?;
    registry.register(Serves::Everywhere, Arc::clone(notify) as _)?;
    Ok(registry)
}
