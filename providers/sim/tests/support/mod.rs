//! What the tests of the simulation share: a server, a context, a clock that follows tokio's timers.

#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "shared by test files, each of which uses a part"
)]

use std::path::Path;
use std::sync::{Arc, Mutex};

use clawd_model::{
    AttemptId, Clock, DurationMs, Labels, SeededEntropy, Server, ServerId, ServerProvider, Timestamp,
};
use clawd_provider::{Context, Operation, OutputSink, Registry, Stream};
use clawd_provider_sim::{Delays, EffectRecord, Simulation};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

pub(crate) const NOW: Timestamp = Timestamp(1_772_357_400_000);

/// Time that passes with tokio's timers, paused or not.
pub(crate) struct TimerClock(Instant);

impl Clock for TimerClock {
    fn now(&self) -> Timestamp {
        let passed = self.0.elapsed().as_millis();
        NOW.plus(DurationMs(u64::try_from(passed).unwrap()))
    }
}

/// Keeps what was printed.
#[derive(Default)]
pub(crate) struct Printed(Mutex<String>);

impl OutputSink for Printed {
    fn write(&self, _stream: Stream, bytes: &[u8]) {
        self.0
            .lock()
            .unwrap()
            .push_str(std::str::from_utf8(bytes).unwrap());
    }
}

impl Printed {
    pub(crate) fn text(&self) -> String {
        self.0.lock().unwrap().clone()
    }
}

/// A simulated web server under a folder, as one process sees it.
pub(crate) struct Lab {
    pub(crate) simulation: Simulation,
    pub(crate) registry: Registry,
    pub(crate) server: Arc<Server>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) printed: Arc<Printed>,
}

impl Lab {
    pub(crate) fn open(dir: &Path, delays: Delays, labels: &[(&str, &str)]) -> Self {
        Self::open_at(dir, delays, labels, Arc::new(TimerClock(Instant::now())))
    }

    pub(crate) fn open_at(
        dir: &Path,
        delays: Delays,
        labels: &[(&str, &str)],
        clock: Arc<dyn Clock>,
    ) -> Self {
        let simulation = Simulation::open(dir, delays).unwrap();
        let mut registry = Registry::default();
        simulation.register(&mut registry).unwrap();
        Self {
            simulation,
            registry,
            server: Arc::new(server(labels)),
            clock,
            printed: Arc::default(),
        }
    }

    pub(crate) fn operation(&self, name: &str) -> Arc<dyn Operation> {
        let name = name.parse().unwrap();
        self.registry.resolve(&name, Some(&self.server)).unwrap()
    }

    pub(crate) fn context(&self, attempt: Option<u32>) -> Context {
        Context {
            tenant: self.server.tenant.clone(),
            server: Some(Arc::clone(&self.server)),
            attempt: attempt.map(attempt_id),
            epoch: 1,
            timeout: DurationMs::from_secs(60),
            clock: Arc::clone(&self.clock),
            redactor: clawd_provider::Redactor::default(),
            output: Arc::clone(&self.printed) as Arc<dyn OutputSink>,
            cancel: CancellationToken::new(),
        }
    }

    pub(crate) fn effects(&self) -> Vec<EffectRecord> {
        self.simulation
            .effects(&self.server.tenant, &self.server.name)
            .unwrap()
    }
}

pub(crate) fn attempt_id(number: u32) -> AttemptId {
    format!("att_{number:032x}").parse().unwrap()
}

fn server(labels: &[(&str, &str)]) -> Server {
    let labels: Labels = [("role", "web"), ("simulated", "true")]
        .iter()
        .chain(labels)
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
        .collect();
    Server {
        id: ServerId::new(NOW, &SeededEntropy::new(1)),
        tenant: "demo".parse().unwrap(),
        name: "web-1".parse().unwrap(),
        provider: ServerProvider::Sim,
        address: "simulated".to_owned(),
        env: "prod".to_owned(),
        labels,
        protected: false,
        host_key: None,
        identity: None,
        facts: None,
        version: 1,
    }
}
