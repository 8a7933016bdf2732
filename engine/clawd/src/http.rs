//! The router: API, console, metrics.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use axum::routing::get;
use clawd_store::Store;
use clawd_worker::Worker;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Registry;

use crate::wiring::Installation;

/// Everything that listens on one port.
pub(crate) fn router(installation: &Installation, secure: bool) -> Router {
    let sources = Arc::new((installation.store.clone(), installation.worker.clone()));
    let metrics = Router::new().route("/metrics", get(metrics)).with_state(sources);
    clawd_api::router(installation.app.clone())
        .merge(clawd_web::router(
            installation.app.clone(),
            Arc::clone(&installation.clock),
            secure,
        ))
        .merge(metrics)
}

/// Numbers of the whole process; no names of tenants, people or servers.
async fn metrics(State(sources): State<Arc<(Store, Worker)>>) -> impl IntoResponse {
    let (store, worker) = &*sources;
    let counts = store.counts();
    let mut registry = Registry::default();
    registry.register(
        "clawd_runs_active",
        "Runs in memory",
        ConstGauge::new(i64::try_from(worker.active_runs()).unwrap_or(i64::MAX)),
    );
    registry.register(
        "clawd_store_commits",
        "All transactions",
        ConstCounter::new(counts.commits),
    );
    registry.register(
        "clawd_store_turns",
        "Turns committed",
        ConstCounter::new(counts.turns),
    );
    registry.register(
        "clawd_store_turn_commits",
        "Transactions that committed turns",
        ConstCounter::new(counts.turn_commits),
    );
    let mut text = String::new();
    // Writing into a string cannot fail.
    let _ = encode(&mut text, &registry);
    (
        [(
            header::CONTENT_TYPE,
            "application/openmetrics-text; version=1.0.0; charset=utf-8",
        )],
        text,
    )
}
