//! `clawd server`: managed machines.

use std::io::{BufRead as _, IsTerminal as _, Write as _};
use std::path::PathBuf;

use clap::{Args, Subcommand};
use clawd_client::Client;
use clawd_model::api::{AddServer, HostKey, ServerView};
use clawd_model::{Clock as _, Labels, ServerName, ServerProvider};

use crate::cli::Globals;
use crate::connect::{client, failure};
use crate::exit::{Exit, Failure, Outcome};
use crate::keys;
use crate::render::simulated::provider;
use crate::render::{ago, print, print_list, printable, table};
use crate::system::SystemClock;

/// Servers: add, list, show, refresh, remove.
#[derive(Debug, Subcommand)]
pub(crate) enum Server {
    /// Add a server. Shows the host key's fingerprint, and pins the key once you accept it.
    Add(Add),
    /// List servers.
    Ls {
        /// Only those that the selector matches: `role=web,env=prod`.
        #[arg(long, value_name = "SELECTOR")]
        on: Option<String>,
    },
    /// Show a server and what is known of it.
    Show { name: ServerName },
    /// Read a server's facts anew.
    Facts { name: ServerName },
    /// Forget a server. Nothing is done to the machine.
    Rm { name: ServerName },
}

/// Add a server.
#[derive(Debug, Args)]
pub(crate) struct Add {
    /// Its name.
    name: ServerName,
    /// `user@host:port`; the port is 22 when absent.
    #[arg(long)]
    address: String,
    /// The environment that policies look at.
    #[arg(long, default_value = "prod")]
    env: String,
    /// A label, `key=value`; may be given several times.
    #[arg(long = "label", value_name = "KEY=VALUE", value_parser = label)]
    labels: Vec<(String, String)>,
    /// The private key to sign in with. On the machine where `clawd` serves: a file, `~/.ssh/id_ed25519` when absent,
    /// which your tenant may use from then on (a link to it is put into DATA_DIR/keys/TENANT/). From elsewhere: the
    /// name of a key of that folder. A certificate beside the file (`KEY-cert.pub`) is used too.
    #[arg(long, value_name = "FILE or NAME")]
    identity: Option<String>,
    /// Never to be changed by anybody, whatever the votes.
    #[arg(long)]
    protected: bool,
    /// The host key's fingerprint that you have compared (`SHA256:…`). Needed where nobody can be asked.
    #[arg(long, value_name = "FINGERPRINT")]
    accept_host_key: Option<String>,
}

fn label(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err("expected KEY=VALUE".to_owned()),
    }
}

impl Server {
    pub(crate) async fn run(self, globals: &Globals) -> Outcome {
        let client = client(globals)?;
        match self {
            Self::Add(add) => return add.run(globals, &client).await,
            Self::Ls { on } => {
                let servers = client.servers(on.as_deref()).await.map_err(failure)?;
                print_list(globals.output, &servers.items, list)?;
            }
            Self::Show { name } => {
                print(
                    globals.output,
                    &client.server(&name).await.map_err(failure)?,
                    show,
                )?;
            }
            Self::Facts { name } => {
                print(
                    globals.output,
                    &client.refresh_facts(&name).await.map_err(failure)?,
                    show,
                )?;
            }
            Self::Rm { name } => {
                client.remove_server(&name).await.map_err(failure)?;
                eprintln!("removed `{name}`; nothing was done to the machine");
            }
        }
        Ok(Exit::Ok)
    }
}

impl Add {
    async fn run(self, globals: &Globals, client: &Client) -> Outcome {
        let tenant = client.whoami().await.map_err(failure)?.principal.tenant;
        let folder = keys::here(globals)?;
        let key = keys::choose(
            folder.as_deref(),
            &tenant,
            self.identity.as_deref(),
            default_identity(),
        )?;
        let host_key = match &self.accept_host_key {
            Some(fingerprint) => fingerprint.clone(),
            None => ask(
                &self.name,
                &client.probe_server(&self.address).await.map_err(failure)?,
            )?,
        };
        // Only now: a key is granted for a machine that somebody has looked at.
        let key = key.grant()?;
        let labels: Labels = self.labels.into_iter().collect();
        let add = AddServer {
            name: self.name,
            provider: ServerProvider::Ssh,
            address: self.address,
            env: self.env,
            labels,
            protected: self.protected,
            identity: Some(key.name.clone()),
            host_key: Some(host_key),
        };
        let server = match client.add_server(&add, None).await {
            Ok(server) => server,
            Err(error) => {
                if error.problem().is_some() {
                    key.take_back();
                }
                return Err(failure(error));
            }
        };
        print(globals.output, &server, |server| {
            eprintln!("added `{}`", server.name);
            show(server);
        })?;
        Ok(Exit::Ok)
    }
}

fn default_identity() -> Option<PathBuf> {
    let path = PathBuf::from(std::env::var_os("HOME")?).join(".ssh/id_ed25519");
    path.exists().then_some(path)
}

/// Trust on first use is explicit: a person compares the fingerprint, or a flag carries it.
fn ask(name: &ServerName, key: &HostKey) -> Result<String, Failure> {
    eprintln!(
        "`{name}` presents this host key:\n  {} {}",
        printable(&key.algorithm),
        printable(&key.fingerprint)
    );
    if !std::io::stdin().is_terminal() {
        return Err(
            Failure::usage("the host key was not accepted: there is nobody to ask").with_hint(format!(
                "compare it, then add --accept-host-key {}",
                key.fingerprint
            )),
        );
    }
    eprint!(
        "Compare it with `ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub` on the machine. Pin it? [y/N] "
    );
    std::io::stderr().flush()?;
    let mut answer = String::new();
    std::io::stdin().lock().read_line(&mut answer)?;
    if matches!(answer.trim(), "y" | "Y" | "yes") {
        Ok(key.fingerprint.clone())
    } else {
        Err(Failure::usage("the host key was not accepted; nothing was added"))
    }
}

fn list(servers: &[ServerView]) {
    let now = SystemClock.now();
    let fact = |server: &ServerView, key: &str| {
        server
            .facts
            .as_ref()
            .and_then(|facts| facts.values.get(key))
            .map(|value| match value {
                serde_json::Value::String(text) => printable(text),
                other => printable(&other.to_string()),
            })
    };
    let rows = servers.iter().map(|server| {
        let labels: Vec<String> = server
            .labels
            .iter()
            .map(|(key, value)| format!("{key}={value}"))
            .collect();
        let security = fact(server, "security_updates").unwrap_or_else(|| "?".to_owned());
        let age = server
            .facts
            .as_ref()
            .map_or_else(|| "never".to_owned(), |facts| ago(now, facts.at));
        let kind = provider(server.provider);
        let protected = if server.protected { " protected" } else { "" };
        vec![
            server.name.to_string(),
            format!("{kind}{protected}"),
            printable(&server.env),
            printable(&server.address),
            security,
            age,
            printable(&labels.join(",")),
        ]
    });
    let header = ["NAME", "KIND", "ENV", "ADDRESS", "SECURITY", "FACTS", "LABELS"];
    table::print(&header, rows.collect(), "no servers");
}

fn show(server: &ServerView) {
    let mut rows = vec![
        vec!["name".to_owned(), server.name.to_string()],
        vec!["id".to_owned(), server.id.to_string()],
        vec!["kind".to_owned(), provider(server.provider).to_owned()],
        vec!["address".to_owned(), printable(&server.address)],
        vec!["env".to_owned(), printable(&server.env)],
        vec!["protected".to_owned(), server.protected.to_string()],
    ];
    rows.extend(
        server
            .labels
            .iter()
            .map(|(key, value)| vec![printable(&format!("label {key}")), printable(value)]),
    );
    if let Some(fingerprint) = &server.host_key_fingerprint {
        rows.push(vec!["host key".to_owned(), fingerprint.clone()]);
    }
    if let Some(facts) = &server.facts {
        rows.push(vec!["facts of".to_owned(), facts.at.to_string()]);
        for (key, value) in facts.values.as_object().into_iter().flatten() {
            let text = printable(&value.as_str().map_or_else(|| value.to_string(), str::to_owned));
            rows.push(vec![printable(&format!("  {key}")), text]);
        }
    }
    table::print(&["FIELD", "VALUE"], rows, "nothing is known");
}
