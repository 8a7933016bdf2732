//! Logs and traces: for people or as JSON on standard error, and to an OTLP collector when one is configured.

use anyhow::Context as _;
use clawd_model::Clock as _;
use clawd_model::product::BINARY;
use clawd_model::{binary, env_name};
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_otlp::WithExportConfig as _;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer as _, fmt};

use crate::system::SystemClock;

/// How logs look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum LogFormat {
    /// For people.
    Text,
    /// One object a line.
    Json,
}

/// Where traces go.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Traces {
    /// Send traces to this OTLP collector: `http://127.0.0.1:4318`.
    #[arg(long, env = "OTEL_EXPORTER_OTLP_ENDPOINT", value_name = "URL")]
    pub(crate) otlp: Option<String>,
    /// Which spans are sent; what is logged does not depend on it.
    #[arg(
        long,
        env = env_name!("OTLP_FILTER"),
        default_value = concat!(binary!(), "=info"),
        value_name = "FILTER"
    )]
    pub(crate) otlp_filter: String,
}

/// Sends what is left when it is dropped.
pub(crate) struct Telemetry {
    format: LogFormat,
    provider: Option<SdkTracerProvider>,
}

impl Telemetry {
    /// Says something to the operator, whatever is logged: a line of the log's form.
    pub(crate) fn say(&self, message: &str) {
        match self.format {
            LogFormat::Text => eprintln!("{message}"),
            LogFormat::Json => {
                let at = SystemClock.now().to_string();
                let line =
                    serde_json::json!({"timestamp": at, "level": "INFO", "fields": {"message": message}});
                eprintln!("{line}");
            }
        }
    }
}

impl Drop for Telemetry {
    fn drop(&mut self) {
        if let Some(provider) = self.provider.take()
            && let Err(error) = provider.shutdown()
        {
            self.say(&format!("the last traces were not sent: {error}"));
        }
    }
}

/// Starts logging, and tracing where a collector is named. `level` is a filter such as `info` or
/// `clawd_worker=debug`; the variable `CLAWD_LOG` wins. What is logged and what is sent are filtered apart.
pub(crate) fn start(level: &str, format: LogFormat, traces: &Traces) -> anyhow::Result<Telemetry> {
    let logged = EnvFilter::try_from_env(env_name!("LOG")).unwrap_or_else(|_| EnvFilter::new(level));
    let layer = fmt::layer().with_writer(std::io::stderr).with_target(false);
    let layer = match format {
        LogFormat::Text => layer.compact().boxed(),
        LogFormat::Json => layer.json().boxed(),
    };
    let provider = traces.otlp.as_deref().map(exporter).transpose()?;
    let sent = provider
        .as_ref()
        .map(|provider| {
            let filter = EnvFilter::builder()
                .parse(format!("off,{}", traces.otlp_filter))
                .with_context(|| format!("`{}` is not a filter of spans", traces.otlp_filter))?;
            let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer(BINARY));
            anyhow::Ok(layer.with_filter(filter))
        })
        .transpose()?;
    tracing_subscriber::registry()
        .with(sent)
        .with(layer.with_filter(logged))
        .try_init()
        .context("logging cannot be started")?;
    Ok(Telemetry { format, provider })
}

/// Spans are sent by a thread of its own, whatever the rest of the process is busy with.
fn exporter(collector: &str) -> anyhow::Result<SdkTracerProvider> {
    // Fails only when a provider is installed already: then that one is used.
    let _ = rustls::crypto::ring::default_provider().install_default();
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
