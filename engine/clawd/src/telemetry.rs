//! Logs and traces: for people or as JSON on standard error, and to an OTLP collector when one is configured.

use anyhow::Context as _;
use clawd_model::env_name;
use clawd_model::product::BINARY;
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_otlp::WithExportConfig as _;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer as _, fmt};

/// How logs look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum LogFormat {
    /// For people.
    Text,
    /// One object a line.
    Json,
}

/// Sends what is left when it is dropped.
pub(crate) struct Telemetry(Option<SdkTracerProvider>);

impl Drop for Telemetry {
    fn drop(&mut self) {
        if let Some(provider) = &self.0
            && let Err(error) = provider.shutdown()
        {
            eprintln!("the last traces were not sent: {error}");
        }
    }
}

/// Starts logging. `level` is a filter such as `info` or `clawd_worker=debug`; the variable `CLAWD_LOG` wins.
pub(crate) fn start(level: &str, format: LogFormat, collector: Option<&str>) -> anyhow::Result<Telemetry> {
    let filter = EnvFilter::try_from_env(env_name!("LOG")).unwrap_or_else(|_| EnvFilter::new(level));
    let layer = fmt::layer().with_writer(std::io::stderr).with_target(false);
    let layer = match format {
        LogFormat::Text => layer.compact().boxed(),
        LogFormat::Json => layer.json().boxed(),
    };
    let provider = collector.map(exporter).transpose()?;
    let traces = provider
        .as_ref()
        .map(|provider| tracing_opentelemetry::layer().with_tracer(provider.tracer(BINARY)));
    tracing_subscriber::registry()
        .with(traces)
        .with(layer)
        .with(filter)
        .try_init()
        .context("logging cannot be started")?;
    Ok(Telemetry(provider))
}

fn exporter(collector: &str) -> anyhow::Result<SdkTracerProvider> {
    let endpoint = format!("{}/v1/traces", collector.trim_end_matches('/'));
    let exporter = opentelemetry_otlp::SpanExporter::builder()
        .with_http()
        .with_endpoint(endpoint)
        .build()
        .with_context(|| format!("traces cannot be sent to `{collector}`"))?;
    let resource = Resource::builder().with_service_name(BINARY).build();
    Ok(SdkTracerProvider::builder()
        .with_batch_exporter(exporter)
        .with_resource(resource)
        .build())
}
