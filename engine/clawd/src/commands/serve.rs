//! `clawd serve`: engine, API and console in one process.

use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use axum_server::tls_rustls::RustlsConfig;
use clap::Args;
use clawd_control::Bootstrap;
use clawd_model::env_name;
use clawd_model::product::BINARY;
use clawd_model::{DurationMs, PrincipalName, TenantName};
use clawd_provider_sim::Delays;
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::cli::Globals;
use crate::datadir::DataDir;
use crate::exit::{Exit, Failure, Outcome};
use crate::front::{self, PublicUrl};
use crate::http;
use crate::listen::{Connections, Limits, Listener};
use crate::metrics::{self, Sources};
use crate::profiles::{Profile, Profiles};
use crate::telemetry::{self, LogFormat, Telemetry, Traces};
use crate::wiring::Installation;

/// How long a token of a profile lasts.
const PROFILE_LIFETIME: DurationMs = DurationMs::from_secs(90 * 24 * 3600);
/// How long open connections are waited for at the end.
const GRACE: Duration = Duration::from_secs(2);
/// How many may read metrics at once.
const METRICS_CONNECTIONS: usize = 16;

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
    /// Serve beyond loopback without TLS: something in front of it takes care of that; say where with --public-url.
    #[arg(long)]
    pub(crate) insecure: bool,
    /// The https:// address that people use, when that is not this one: that of a proxy which does TLS, or the name on
    /// the certificate. Cookies, forms and printed links are for it.
    #[arg(long, env = env_name!("PUBLIC_URL"), value_name = "URL")]
    pub(crate) public_url: Option<PublicUrl>,
    /// Serve metrics there, to whoever reaches it: `127.0.0.1:7651`. Not served when absent.
    #[arg(long, env = env_name!("METRICS_LISTEN"), value_name = "ADDRESS:PORT")]
    pub(crate) metrics_listen: Option<SocketAddr>,
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
    #[command(flatten)]
    pub(crate) traces: Traces,
}

/// A server that listens.
pub(crate) struct Listening {
    pub(crate) installation: Installation,
    /// The address of the socket.
    pub(crate) url: String,
    /// Where people reach the console, when that is another address.
    pub(crate) public: Option<PublicUrl>,
    tls: bool,
    main: Listener,
    metrics: Option<(SocketAddr, Listener)>,
}

/// What tells the process to end. From when it is made on, a signal is no sudden death any more.
pub(crate) struct Told {
    interrupt: Signal,
    terminate: Signal,
}

impl Told {
    pub(crate) fn listen() -> std::io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }
}

impl Serve {
    pub(crate) async fn run(self, globals: &Globals) -> Outcome {
        let telemetry = telemetry::start("info", self.log_format, &self.traces)?;
        let dir = DataDir::open(&globals.data_dir)?;
        let listening = self.start(&dir, Delays::none()).await?;
        let others: Vec<&str> = self.issue_for.iter().map(PrincipalName::as_str).collect();
        first_start(&listening, &dir, &self.tenant, "admin", &others).await?;
        for name in others {
            telemetry.say(
                &match Profiles::read(&dir.profiles())?.profiles.contains_key(name) {
                    true => format!("profile `{name}`: {BINARY} … -p {name}"),
                    false => format!("nobody is called `{name}`: add them, and start again"),
                },
            );
        }
        let told = Told::listen()?;
        listening.announce(&telemetry);
        telemetry.say(&format!(
            "sign in to the console with: {BINARY} console{}",
            globals.data_dir_flag()
        ));
        listening.until(told, telemetry).await
    }

    /// Opens the installation and listens.
    pub(crate) async fn start(&self, dir: &DataDir, delays: Delays) -> Result<Listening, Failure> {
        let tls = self.certificate().await?;
        let beyond = !self.listen.ip().is_loopback();
        if tls.is_none() && beyond && !self.insecure {
            return Err(Failure::usage(format!(
                "`{}` is reachable by others, and there is no certificate",
                self.listen
            ))
            .with_hint("give --tls-cert and --tls-key, or --insecure when something in front does TLS"));
        }
        if self.insecure && tls.is_none() && self.public_url.is_none() {
            tracing::warn!(
                "--insecure without --public-url: cookies of the console are good for plain HTTP too; give \
                 --public-url https://… with the address that people use"
            );
        }
        let installation = Installation::open(dir, delays).await?;
        let limits = Limits::default();
        let connections = Arc::new(Connections::new(limits.connections));
        let metrics = match self.metrics_listen {
            Some(address) => Some(metrics_on(address, &installation, &connections)?),
            None => None,
        };
        let is_tls = tls.is_some();
        let front = front::front(self.public_url.as_ref(), is_tls);
        let router = http::router(&installation, front);
        let (socket, address) = bind(self.listen, "--listen")?;
        let main = Listener::start(socket, router, tls, limits, connections)?;
        let scheme = if is_tls { "https" } else { "http" };
        Ok(Listening {
            installation,
            url: format!("{scheme}://{address}"),
            public: self.public_url.clone(),
            tls: is_tls,
            main,
            metrics,
        })
    }

    async fn certificate(&self) -> Result<Option<RustlsConfig>, Failure> {
        let (Some(cert), Some(key)) = (&self.tls_cert, &self.tls_key) else {
            return Ok(None);
        };
        // Fails only when a provider is installed already: then that one is used.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let config = RustlsConfig::from_pem_file(cert, key)
            .await
            .with_context(|| format!("the certificate `{}` cannot be used", cert.display()))?;
        Ok(Some(config))
    }
}

fn bind(address: SocketAddr, flag: &str) -> Result<(TcpListener, SocketAddr), Failure> {
    let socket = TcpListener::bind(address)
        .with_context(|| format!("cannot listen on `{address}`"))
        .map_err(|error| {
            Failure::from(error).with_hint(format!("another process may listen there; choose {flag}"))
        })?;
    let address = socket.local_addr()?;
    Ok((socket, address))
}

fn metrics_on(
    address: SocketAddr,
    installation: &Installation,
    connections: &Arc<Connections>,
) -> Result<(SocketAddr, Listener), Failure> {
    let sources = Sources {
        metrics: installation.metrics.clone(),
        app: installation.app.clone(),
        store: installation.store.clone(),
        worker: installation.worker.clone(),
        connections: Arc::clone(connections),
    };
    let limits = Limits {
        connections: METRICS_CONNECTIONS,
        ..Limits::default()
    };
    let own = Arc::new(Connections::new(limits.connections));
    let (socket, address) = bind(address, "--metrics-listen")?;
    let listener = Listener::start(socket, metrics::router(sources), None, limits, own)?;
    Ok((address, listener))
}

impl Listening {
    /// Says where it listens.
    pub(crate) fn announce(&self, telemetry: &Telemetry) {
        telemetry.say(&format!("listening on {}", self.url));
        if let Some(public) = &self.public {
            telemetry.say(&format!("people reach it at {}", public.as_str()));
        }
        if let Some((address, _)) = &self.metrics {
            telemetry.say(&format!("metrics on http://{address}/metrics"));
        }
    }

    /// Where people reach the console.
    pub(crate) fn console(&self) -> &str {
        self.public.as_ref().map_or(&self.url, |public| public.as_str())
    }

    /// A profile of the command line. Behind a proxy it goes past it, to the socket; where this process does TLS
    /// itself, to the name that its certificate is for.
    fn profile(&self, token: String) -> Profile {
        let console = self.public.as_ref().map(|public| public.as_str().to_owned());
        let url = match &console {
            Some(public) if self.tls => public.clone(),
            _ => self.url.clone(),
        };
        Profile { url, token, console }
    }

    /// Serves until the process is told to end, then ends in order.
    pub(crate) async fn until(mut self, mut told: Told, telemetry: Telemetry) -> Outcome {
        tokio::select! {
            _ = told.interrupt.recv() => {}
            _ = told.terminate.recv() => {}
            ended = &mut self.main.serving => {
                let error = ended.map_err(anyhow::Error::from)?.err();
                return Err(Failure::usage(format!("the server ended: {error:?}")));
            }
        }
        telemetry.say("stopping; runs go on at the next start");
        if let Some((_, metrics)) = self.metrics {
            metrics.stop(Duration::ZERO).await;
        }
        self.main.stop(GRACE).await;
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
        *profile = listening.profile(std::mem::take(&mut profile.token));
    }
    let names = std::iter::once(admin.as_str()).chain(others.iter().copied());
    for name in names {
        if !profiles.profiles.contains_key(name) {
            let person: PrincipalName = name.parse().map_err(anyhow::Error::from)?;
            if let Ok(made) = operator
                .token(tenant, &person, "command line", PROFILE_LIFETIME)
                .await
            {
                let profile = listening.profile(made.secret);
                profiles.profiles.insert(name.to_owned(), profile);
            }
        }
    }
    profiles.default.get_or_insert_with(|| admin.to_string());
    profiles.write(&dir.profiles())?;
    Ok(made.created)
}
