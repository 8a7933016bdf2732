//! The application: what every use case stands on.

use std::fmt;
use std::sync::Arc;

use clawd_model::{Clock, Entropy, Timestamp};
use clawd_policy::Policies;
use clawd_provider::{Registry, Secrets};
use clawd_store::Store;

use super::busy::Requests;
use super::local::LocalOperator;
use super::ports::{HostProbe, RunDriver};
use super::streams::Streams;
use super::workflows::Workflows;
use crate::folded::FoldedRuns;

/// What the binary gives.
#[derive(Clone)]
pub struct Parts {
    /// The store. Nothing outside of this module's folder can reach it but through a permit.
    pub store: Store,
    /// All operations of this process.
    pub registry: Arc<Registry>,
    /// The bundle in force, by tenant; shared with the worker.
    pub policies: Arc<Policies>,
    /// Where the time comes from.
    pub clock: Arc<dyn Clock>,
    /// Where chance comes from.
    pub entropy: Arc<dyn Entropy>,
    /// Who drives runs.
    pub driver: Arc<dyn RunDriver>,
    /// Who asks a machine for its host key.
    pub probe: Arc<dyn HostProbe>,
    /// Values of secrets, for the checks of a plan; read at the moment of use.
    pub secrets: Arc<dyn Secrets>,
}

/// The application. Cheap to clone.
#[derive(Clone)]
pub struct App {
    pub(super) parts: Arc<Parts>,
    pub(super) workflows: Arc<Workflows>,
    pub(super) requests: Arc<Requests>,
    pub(super) streams: Arc<Streams>,
    pub(super) folded: Arc<FoldedRuns>,
    pub(super) publishing: Arc<tokio::sync::Mutex<()>>,
}

impl fmt::Debug for App {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("App")
    }
}

impl App {
    /// The application over these parts, and the operator of this machine, whom only the binary speaks for.
    #[must_use]
    pub fn new(parts: Parts) -> (Self, LocalOperator) {
        let app = Self {
            parts: Arc::new(parts),
            workflows: Arc::default(),
            requests: Arc::default(),
            streams: Arc::default(),
            folded: Arc::default(),
            publishing: Arc::default(),
        };
        let operator = LocalOperator(app.clone());
        (app, operator)
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.parts.clock.now()
    }

    pub(crate) fn clock(&self) -> &Arc<dyn Clock> {
        &self.parts.clock
    }

    pub(crate) fn entropy(&self) -> &dyn Entropy {
        &*self.parts.entropy
    }

    pub(crate) fn registry(&self) -> &Arc<Registry> {
        &self.parts.registry
    }

    pub(crate) fn policies(&self) -> &Policies {
        &self.parts.policies
    }

    pub(crate) fn driver(&self) -> Arc<dyn RunDriver> {
        Arc::clone(&self.parts.driver)
    }

    pub(crate) fn probe(&self) -> &dyn HostProbe {
        &*self.parts.probe
    }

    pub(crate) fn secrets(&self) -> &dyn Secrets {
        &*self.parts.secrets
    }

    /// Runs as they were last folded.
    pub(crate) fn folded(&self) -> &FoldedRuns {
        &self.folded
    }

    /// Held while policies are being published, so that what is in force is what was stored last.
    pub(crate) async fn publishing(&self) -> tokio::sync::MutexGuard<'_, ()> {
        self.publishing.lock().await
    }
}
