//! Numbers for operators, in the format of Prometheus (OpenMetrics text).
//!
//! They are about the whole process, over all tenants: no permission of one tenant covers them. Hence they are not
//! served beside the API at all, but on an address of their own that the operator chooses (`--metrics-listen`), without a
//! token: who reaches that address may read them. They name operations, routes and outcomes; never a tenant, a person,
//! a server or a runbook.
//!
//! Nothing here is on the way of a commit but two reads of the clock and a few additions in memory: runs and gates are
//! counted by a task that follows the committed turns, attempts in the attempt's own task, and the rest is asked for
//! when somebody looks.

mod labels;
mod serve;
mod watch;

use std::sync::{Arc, Mutex};
use std::time::Instant;

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};

use self::labels::{Answer, Ended, Of, Reply, Tried};
pub(crate) use self::serve::{Sources, count_request, router};

/// Seconds that a commit takes: an fsync, as a rule.
const COMMIT_BUCKETS: [f64; 11] = [
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0,
];
/// Jobs that share a transaction.
const GROUP_BUCKETS: [f64; 8] = [1.0, 2.0, 4.0, 8.0, 16.0, 64.0, 256.0, 1024.0];
/// Seconds that an attempt takes.
const ATTEMPT_BUCKETS: [f64; 10] = [0.01, 0.1, 0.5, 1.0, 5.0, 15.0, 60.0, 300.0, 900.0, 3600.0];
/// Seconds until the head of an answer.
const REQUEST_BUCKETS: [f64; 9] = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 30.0];

fn attempt_histogram() -> Histogram {
    Histogram::new(ATTEMPT_BUCKETS)
}

/// What is counted while it happens. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Metrics(Arc<Inner>);

struct Inner {
    registry: Registry,
    runs_started: Counter,
    runs_finished: Family<Ended, Counter>,
    gate: Family<Answer, Counter>,
    missed: Counter,
    attempts: Family<Tried, Counter>,
    attempt_seconds: Family<Of, Histogram, fn() -> Histogram>,
    commit_seconds: Histogram,
    commit_jobs: Histogram,
    /// When the transaction that is open began.
    commit_began: Mutex<Option<Instant>>,
    requests: Family<Reply, Counter>,
    request_seconds: Histogram,
}

impl Metrics {
    pub(crate) fn new() -> Self {
        let mut inner = Inner {
            registry: Registry::with_prefix(clawd_model::product::BINARY),
            runs_started: Counter::default(),
            runs_finished: Family::default(),
            gate: Family::default(),
            missed: Counter::default(),
            attempts: Family::default(),
            attempt_seconds: Family::new_with_constructor(attempt_histogram),
            commit_seconds: Histogram::new(COMMIT_BUCKETS),
            commit_jobs: Histogram::new(GROUP_BUCKETS),
            commit_began: Mutex::new(None),
            requests: Family::default(),
            request_seconds: Histogram::new(REQUEST_BUCKETS),
        };
        inner.register();
        Self(Arc::new(inner))
    }
}

impl Inner {
    fn register(&mut self) {
        let registry = &mut self.registry;
        registry.register(
            "build",
            "The version that runs",
            Info::new(vec![("version", env!("CARGO_PKG_VERSION"))]),
        );
        registry.register(
            "runs_started",
            "Runs that were started",
            self.runs_started.clone(),
        );
        registry.register(
            "runs_finished",
            "Runs that are over, by outcome",
            self.runs_finished.clone(),
        );
        registry.register(
            "gate_decisions",
            "Answers of the gate to steps of runs",
            self.gate.clone(),
        );
        registry.register(
            "turns_missed",
            "Turns that the numbers of runs and gates lack, since they came too fast",
            self.missed.clone(),
        );
        registry.register(
            "attempts",
            "Attempts that ended, by operation and outcome",
            self.attempts.clone(),
        );
        registry.register_with_unit(
            "attempt_duration",
            "How long attempts took, by operation",
            Unit::Seconds,
            self.attempt_seconds.clone(),
        );
        registry.register_with_unit(
            "store_commit_duration",
            "How long a transaction took until it was durable",
            Unit::Seconds,
            self.commit_seconds.clone(),
        );
        registry.register(
            "store_commit_jobs",
            "How many jobs shared a transaction",
            self.commit_jobs.clone(),
        );
        registry.register(
            "http_requests",
            "Answered requests, by route and status",
            self.requests.clone(),
        );
        registry.register_with_unit(
            "http_request_duration",
            "How long requests took until the head of their answer",
            Unit::Seconds,
            self.request_seconds.clone(),
        );
    }
}
