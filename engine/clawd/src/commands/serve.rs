//! `clawd serve`: engine, API and console in one process.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context as _;
use axum_server::Handle;
use axum_server::tls_rustls::RustlsConfig;
use clap::Args;
use clawd_control::Bootstrap;
use clawd_model::env_name;
use clawd_model::product::BINARY;
use clawd_model::{DurationMs, PrincipalName, TenantName};
use clawd_provider_sim::Delays;

use crate::cli::Globals;
use crate::datadir::DataDir;
use crate::exit::{Exit, Failure, Outcome};
use crate::http;
use crate::profiles::{Profile, Profiles};
use crate::telemetry::{self, LogFormat};
use crate::wiring::Installation;

/// How long a token of a profile lasts.
const PROFILE_LIFETIME: DurationMs = DurationMs::from_secs(90 * 24 * 3600);
/// How long open connections are waited for at the end.
const GRACE: Duration = Duration::from_secs(2);

/// Start the server: engine, API and console.
#[derive(Clone, Debug, Args)]
pub(crate) struct Serve {
    /// Where to listen. Beyond loopback, give a certificate too.
    #[arg(
        long,
        env = env_name!("LISTEN"),
        default_value = "127.0.0.1:7650",
        value_name = "ADDRESS:PORT"
    )]
    pub(crate) listen: SocketAddr,
    /// A PEM certificate chain: serve over TLS.
    #[arg(long, env = env_name!("TLS_CERT"), requires = "tls_key", value_name = "FILE")]
    pub(crate) tls_cert: Option<PathBuf>,
    /// The certificate's PEM private key.
    #[arg(long, env = env_name!("TLS_KEY"), requires = "tls_cert", value_name = "FILE")]
    pub(crate) tls_key: Option<PathBuf>,
    /// Serve beyond loopback without TLS: something in front of it takes care of that.
    #[arg(long)]
    pub(crate) insecure: bool,
    /// The first tenant, made at the first start.
    #[arg(long, default_value = "main", value_name = "NAME")]
    pub(crate) tenant: TenantName,
    /// Issue a token for this person as the operator of this machine, and keep it as a profile of the command line; may
    /// be given several times. Nobody votes with a token that the one who asks has issued: this is how people get one
    /// from nobody.
    #[arg(long = "issue-for", value_name = "NAME")]
    pub(crate) issue_for: Vec<PrincipalName>,
    /// How logs look.
    #[arg(long, env = env_name!("LOG_FORMAT"), value_enum, default_value = "text")]
    pub(crate) log_format: LogFormat,
    /// Send traces to this OTLP collector: `http://127.0.0.1:4318`.
    #[arg(long, env = "OTEL_EXPORTER_OTLP_ENDPOINT", value_name = "URL")]
    pub(crate) otlp: Option<String>,
}

/// A server that listens.
pub(crate) struct Listening {
    pub(crate) installation: Installation,
    pub(crate) url: String,
    handle: Handle<SocketAddr>,
    serving: tokio::task::JoinHandle<std::io::Result<()>>,
}

impl Serve {
    pub(crate) async fn run(self, globals: &Globals) -> Outcome {
        let telemetry = telemetry::start("info", self.log_format, self.otlp.as_deref())?;
        let dir = DataDir::open(&globals.data_dir)?;
        let listening = self.start(&dir, Delays::none()).await?;
        let others: Vec<&str> = self.issue_for.iter().map(PrincipalName::as_str).collect();
        first_start(&listening, &dir, &self.tenant, "admin", &others).await?;
        for name in others {
            match Profiles::read(&dir.profiles())?.profiles.contains_key(name) {
                true => eprintln!("profile `{name}`: {BINARY} … -p {name}"),
                false => eprintln!("nobody is called `{name}`: add them, and start again"),
            }
        }
        eprintln!("listening on {}", listening.url);
        eprintln!(
            "sign in to the console with: {BINARY} console{}",
            globals.data_dir_flag()
        );
        let outcome = listening.until_told().await;
        drop(telemetry);
        outcome
    }

    /// Opens the installation and listens.
    pub(crate) async fn start(&self, dir: &DataDir, delays: Delays) -> Result<Listening, Failure> {
        let secure = self.tls_cert.is_some();
        if !secure && !self.listen.ip().is_loopback() && !self.insecure {
            return Err(Failure::usage(format!(
                "`{}` is reachable by others, and there is no certificate",
                self.listen
            ))
            .with_hint("give --tls-cert and --tls-key, or --insecure when something in front does TLS"));
        }
        let installation = Installation::open(dir, delays).await?;
        let router = http::router(&installation, secure);
        let listener = std::net::TcpListener::bind(self.listen)
            .with_context(|| format!("cannot listen on `{}`", self.listen))
            .map_err(|error| {
                Failure::from(error).with_hint("another process may listen there; choose --listen")
            })?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let handle = Handle::new();
        let service = router.into_make_service_with_connect_info::<SocketAddr>();
        let serving = match (&self.tls_cert, &self.tls_key) {
            (Some(cert), Some(key)) => {
                let config = RustlsConfig::from_pem_file(cert, key)
                    .await
                    .with_context(|| format!("the certificate `{}` cannot be used", cert.display()))?;
                let server = axum_server::from_tcp_rustls(listener, config)?.handle(handle.clone());
                tokio::spawn(server.serve(service))
            }
            _ => tokio::spawn(
                axum_server::from_tcp(listener)?
                    .handle(handle.clone())
                    .serve(service),
            ),
        };
        let scheme = if secure { "https" } else { "http" };
        Ok(Listening {
            installation,
            url: format!("{scheme}://{address}"),
            handle,
            serving,
        })
    }
}

impl Listening {
    /// Serves until the process is told to end, then ends in order.
    pub(crate) async fn until_told(self) -> Outcome {
        let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
        let serving = self.serving;
        tokio::pin!(serving);
        tokio::select! {
            _ = tokio::signal::ctrl_c() => {}
            _ = terminate.recv() => {}
            ended = &mut serving => {
                let error = ended.map_err(anyhow::Error::from)?.err();
                return Err(Failure::usage(format!("the server ended: {error:?}")));
            }
        }
        eprintln!("stopping; runs go on at the next start");
        self.handle.graceful_shutdown(Some(GRACE));
        let _ = serving.await;
        self.installation.close().await;
        Ok(Exit::Ok)
    }
}

/// Makes the tenant at the first start, and keeps the command line's profiles fresh.
pub(crate) async fn first_start(
    listening: &Listening,
    dir: &DataDir,
    tenant: &TenantName,
    admin: &str,
    others: &[&str],
) -> Result<bool, Failure> {
    let operator = &listening.installation.operator;
    let admin: PrincipalName = admin.parse().map_err(anyhow::Error::from)?;
    let wanted = Bootstrap {
        tenant: tenant.clone(),
        admin: admin.clone(),
        display_name: "Administrator".to_owned(),
        groups: ["operator", "sre", "security"]
            .iter()
            .filter_map(|group| group.parse().ok())
            .collect(),
    };
    let made = operator.bootstrap(&wanted).await.map_err(anyhow::Error::from)?;
    let mut profiles = Profiles::read(&dir.profiles())?;
    for profile in profiles.profiles.values_mut() {
        profile.url.clone_from(&listening.url);
    }
    let names = std::iter::once(admin.as_str()).chain(others.iter().copied());
    for name in names {
        if !profiles.profiles.contains_key(name) {
            let person: PrincipalName = name.parse().map_err(anyhow::Error::from)?;
            if let Ok(made) = operator
                .token(tenant, &person, "command line", PROFILE_LIFETIME)
                .await
            {
                profiles.profiles.insert(
                    name.to_owned(),
                    Profile {
                        url: listening.url.clone(),
                        token: made.secret,
                    },
                );
            }
        }
    }
    profiles.default.get_or_insert_with(|| admin.to_string());
    profiles.write(&dir.profiles())?;
    Ok(made.created)
}
