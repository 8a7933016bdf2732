//! Serving the numbers, and counting the requests of the other listener.

use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use axum::Router;
use axum::extract::{MatchedPath, Request, State};
use axum::http::{Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use clawd_control::App;
use clawd_model::RunStatus;
use clawd_store::Store;
use clawd_worker::Worker;
use prometheus_client::encoding::text::{encode_eof, encode_registry};
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::{ConstGauge, Gauge};
use prometheus_client::registry::Registry;

use super::Metrics;
use super::labels::Reply;
use crate::listen::Connections;

/// What is asked when somebody looks.
#[derive(Clone)]
pub(crate) struct Sources {
    pub(crate) metrics: Metrics,
    pub(crate) app: App,
    pub(crate) store: Store,
    pub(crate) worker: Worker,
    pub(crate) connections: Arc<Connections>,
}

/// `/metrics` and nothing else.
pub(crate) fn router(sources: Sources) -> Router {
    Router::new().route("/metrics", get(show)).with_state(sources)
}

async fn show(State(sources): State<Sources>) -> Response {
    let runs = match sources.store.count_unfinished().await {
        Ok(runs) => runs,
        Err(error) => {
            tracing::error!(%error, "runs could not be counted");
            return StatusCode::SERVICE_UNAVAILABLE.into_response();
        }
    };
    match text(&sources, &runs) {
        Ok(text) => {
            let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
            ([(header::CONTENT_TYPE, kind)], text).into_response()
        }
        Err(fmt::Error) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

fn text(sources: &Sources, runs: &[(RunStatus, u64)]) -> Result<String, fmt::Error> {
    let mut text = String::new();
    encode_registry(&mut text, &sources.metrics.0.registry)?;
    encode_registry(&mut text, &now(sources, runs))?;
    encode_eof(&mut text)?;
    Ok(text)
}

fn now(sources: &Sources, runs: &[(RunStatus, u64)]) -> Registry {
    let mut registry = Registry::with_prefix(clawd_model::product::BINARY);
    let by_status = Family::<[(&'static str, &'static str); 1], Gauge>::default();
    for status in [RunStatus::Running, RunStatus::Waiting, RunStatus::Cancelling] {
        let found = runs.iter().find(|(known, _)| *known == status);
        let count = found.map_or(0, |(_, count)| i64::try_from(*count).unwrap_or(i64::MAX));
        by_status.get_or_create(&[("status", status.as_str())]).set(count);
    }
    registry.register("runs", "Runs that are not over, by status", by_status);
    let mut gauge = |name, help, value: usize| {
        let value = ConstGauge::new(i64::try_from(value).unwrap_or(i64::MAX));
        registry.register(name, help, value);
    };
    gauge("runs_active", "Runs in memory", sources.worker.active_runs());
    gauge("http_connections", "Open connections", sources.connections.open());
    gauge(
        "event_streams",
        "Open streams of the events of runs",
        sources.app.open_streams(),
    );
    let counts = sources.store.counts();
    let mut counter = |name, help, value| registry.register(name, help, ConstCounter::new(value));
    counter(
        "http_connections_refused",
        "Connections that were closed at once, since all places were taken",
        sources.connections.refused(),
    );
    counter("store_commits", "All transactions", counts.commits);
    counter("store_turns", "Turns committed", counts.turns);
    counter(
        "store_turn_commits",
        "Transactions that committed turns",
        counts.turn_commits,
    );
    registry
}

/// Counts a request by the route's template, so that what callers write into paths makes no new numbers.
pub(crate) async fn count_request(State(metrics): State<Metrics>, request: Request, next: Next) -> Response {
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map_or("none", MatchedPath::as_str)
        .to_owned();
    let method = known(request.method());
    let began = Instant::now();
    let response = next.run(request).await;
    let inner = &metrics.0;
    inner.request_seconds.observe(began.elapsed().as_secs_f64());
    let status = response.status().as_u16();
    inner
        .requests
        .get_or_create(&Reply {
            method,
            route,
            status,
        })
        .inc();
    response
}

fn known(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::DELETE => "DELETE",
        _ => "other",
    }
}
