//! A site: a running `clawd` with a few people and simulated servers, spoken to over its API.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, Result};
use clawd_integration_tests::{ClawdOptions, ClawdProcess, Ran, wait_for, workspace};
use serde_json::{Value, json};

use super::{Answer, Gone, Request, send};

/// No state of a simulated server is further away than this, even on a busy machine.
const DEADLINE: Duration = Duration::from_secs(90);

/// Who is there besides `admin`, and in which groups.
const PEOPLE: [(&str, &[&str]); 4] = [
    ("ana", &["operator"]),
    ("ben", &["sre", "operator"]),
    ("cho", &["sre"]),
    ("sam", &["security"]),
];

/// A process, and the tokens of its people.
pub(crate) struct Site {
    pub(crate) clawd: ClawdProcess,
    tokens: BTreeMap<String, String>,
}

impl Site {
    /// Starts it, with its people and no servers.
    pub(crate) async fn start() -> Result<Self> {
        Self::start_with(ClawdOptions::default()).await
    }

    /// The same, with options.
    pub(crate) async fn start_with(options: ClawdOptions) -> Result<Self> {
        let clawd = ClawdProcess::start_with(options).await?;
        let own: Value = clawd.json(["token", "create", "tests"]).await?;
        let mut site = Self {
            clawd,
            tokens: BTreeMap::from([("admin".to_owned(), secret(&own)?)]),
        };
        for (name, groups) in PEOPLE {
            let person = json!({"kind": "user", "groups": groups});
            site.put("admin", &format!("/principals/{name}"), &person).await?;
            let made = site
                .post("admin", "/tokens", &json!({"principal": name, "label": "tests"}))
                .await?;
            site.tokens.insert(name.to_owned(), secret(&made)?);
        }
        Ok(site)
    }

    /// A copy of a site whose process has ended; nothing runs in it until its process is restarted.
    pub(crate) fn fork(&self, env: Vec<(String, String)>) -> Result<Self> {
        let seed = Some(self.clawd.data_dir().to_owned());
        let options = ClawdOptions {
            env,
            seed,
            ..ClawdOptions::default()
        };
        Ok(Self {
            clawd: ClawdProcess::prepare(options)?,
            tokens: self.tokens.clone(),
        })
    }

    pub(crate) fn token(&self, who: &str) -> &str {
        self.tokens.get(who).map_or("", String::as_str)
    }

    /// The command line as one of the people.
    pub(crate) async fn cli(&self, who: &str, args: &[&str]) -> Result<Ran> {
        self.clawd
            .cli(["--token", self.token(who)].iter().chain(args))
            .await
    }

    /// Any request under `/api/v1`, and whatever is answered.
    pub(crate) async fn ask(
        &self,
        who: &str,
        method: &str,
        path: &str,
        headers: &str,
        body: &[u8],
    ) -> Result<Answer> {
        let path = format!("/api/v1{path}");
        let request = Request {
            method,
            path: &path,
            token: Some(self.token(who)),
            headers,
            body,
        };
        send(&self.clawd.url(), &request).await
    }

    pub(crate) async fn get(&self, who: &str, path: &str) -> Result<Value> {
        self.ask(who, "GET", path, "", b"")
            .await?
            .json()
            .with_context(|| format!("GET {path}"))
    }

    pub(crate) async fn post(&self, who: &str, path: &str, body: &Value) -> Result<Value> {
        let answer = self
            .ask(who, "POST", path, JSON, body.to_string().as_bytes())
            .await?;
        answer.json().with_context(|| format!("POST {path}"))
    }

    pub(crate) async fn put(&self, who: &str, path: &str, body: &Value) -> Result<Value> {
        let answer = self
            .ask(who, "PUT", path, JSON, body.to_string().as_bytes())
            .await?;
        answer.json().with_context(|| format!("PUT {path}"))
    }

    /// Adds a simulated web server, and looks at it.
    pub(crate) async fn add_server(&self, name: &str, env: &str) -> Result<()> {
        let server = json!({"name": name, "provider": "sim", "address": "simulated", "env": env,
                            "labels": {"role": "web", "simulated": "true"}});
        self.post("admin", "/servers", &server).await?;
        self.post("admin", &format!("/servers/{name}/facts"), &json!({}))
            .await?;
        Ok(())
    }

    /// Starts a run as ana on all web servers. The same key starts one run, however often it is sent.
    pub(crate) async fn start_run(&self, runbook: &str, inputs: &Value, key: &str) -> Result<String> {
        let body = json!({"inputs": inputs, "on": "role=web"}).to_string();
        let headers = format!("{JSON}idempotency-key: {key}\r\n");
        let path = format!("/runbooks/{runbook}/runs");
        let run: Value = self
            .ask("ana", "POST", &path, &headers, body.as_bytes())
            .await?
            .json()?;
        Ok(text(&run, "id"))
    }

    /// Waits until a run stands there. Another end than the wanted one is an error at once.
    pub(crate) async fn wait_run(&self, run: &str, wanted: &[&str]) -> Result<Value> {
        let path = format!("/runs/{run}");
        self.wait(&format!("run {run} to be {wanted:?}"), async || {
            let view = self.get("ana", &path).await?;
            let status = text(&view, "status");
            if wanted.contains(&status.as_str()) {
                return Ok(Some(view));
            }
            let is_over = ["succeeded", "failed", "denied", "cancelled"].contains(&status.as_str());
            anyhow::ensure!(!is_over, "the run has ended: {view:#}");
            Ok(None)
        })
        .await
    }

    /// Waits until the open request of a run misses just these votes of groups.
    pub(crate) async fn wait_missing(&self, run: &str, groups: &Value) -> Result<Value> {
        let path = format!("/approvals?run={run}");
        let what = format!("run {run} to miss {groups}");
        let missing = self.wait(&what, async || {
            let requests = self.get("ben", &path).await?;
            let mut open = requests["items"].as_array().into_iter().flatten();
            Ok(open
                .find(|request| request["status"] == "open" && request["missing"][0]["groups"] == *groups)
                .cloned())
        });
        match missing.await {
            Ok(request) => Ok(request),
            Err(error) => {
                let (requests, shown) = (
                    self.get("ben", &path).await?,
                    self.get("ben", &format!("/runs/{run}")).await?,
                );
                Err(error.context(format!("{shown:#}\n{requests:#}")))
            }
        }
    }

    /// Votes on what the request is about.
    pub(crate) async fn vote(&self, who: &str, approval: &Value, verdict: &str) -> Result<Answer> {
        let vote = json!({"verdict": verdict, "subject": approval["subject_digest"]}).to_string();
        let path = format!("/approvals/{}/votes", text(approval, "id"));
        self.ask(who, "POST", &path, JSON, vote.as_bytes()).await
    }

    /// Asks until there is an answer; an error ends the wait.
    pub(crate) async fn wait(
        &self,
        what: &str,
        mut probe: impl AsyncFnMut() -> Result<Option<Value>>,
    ) -> Result<Value> {
        wait_for(what, DEADLINE, async || Ok(probe().await.transpose())).await?
    }

    /// All events of a run that has ended.
    pub(crate) async fn events(&self, run: &str) -> Result<Vec<Value>> {
        let answer = self
            .ask("ana", "GET", &format!("/runs/{run}/events"), "", b"")
            .await?;
        let data = answer.body.lines().filter_map(|line| line.strip_prefix("data:"));
        data.map(|line| serde_json::from_str(line).context("an event"))
            .collect()
    }

    /// Publishes the baseline policies with changes.
    pub(crate) async fn publish(&self, change: impl FnOnce(&mut BTreeMap<String, String>)) -> Result<()> {
        let mut files = BTreeMap::new();
        for entry in std::fs::read_dir(workspace().join("policies/library/baseline"))? {
            let path = entry?.path();
            if path.extension().is_some_and(|extension| extension == "cedar") {
                let name = path
                    .file_name()
                    .unwrap_or_default()
                    .to_string_lossy()
                    .into_owned();
                files.insert(name, std::fs::read_to_string(&path)?);
            }
        }
        change(&mut files);
        self.put("admin", "/policies", &json!({"files": files})).await?;
        Ok(())
    }

    /// The folder in which a simulated server lives.
    pub(crate) fn machine(&self, server: &str) -> PathBuf {
        self.clawd.data_dir().join("sim/main").join(server)
    }

    /// What a simulated server is now, by itself.
    pub(crate) fn world(&self, server: &str) -> Result<Value> {
        let text = std::fs::read_to_string(self.machine(server).join("world.json"))?;
        serde_json::from_str(&text).context("world.json")
    }

    /// What a simulated server says was done to it.
    pub(crate) fn effects(&self, server: &str) -> Result<Vec<Value>> {
        let path = self.machine(server).join("effects.log");
        let text = if path.exists() {
            std::fs::read_to_string(path)?
        } else {
            String::new()
        };
        text.lines()
            .map(|line| serde_json::from_str(line).context("effects.log"))
            .collect()
    }

    /// Exports the audit log over the API, and verifies the file with the offline command.
    pub(crate) async fn verify_audit(&self) -> Result<Ran> {
        let log = self.ask("ben", "GET", "/audit/export", "", b"").await?;
        anyhow::ensure!(log.status == 200, "no export: {}", log.body);
        let file = self.clawd.data_dir().join("export.jsonl");
        std::fs::write(&file, log.body)?;
        self.clawd
            .cli(["audit", "verify", &file.to_string_lossy()])
            .await?
            .ok()
    }

    /// Starts the process again; that it dies on the way is [`Gone`].
    pub(crate) async fn restart(&mut self) -> Result<()> {
        let Err(error) = self.clawd.restart().await else {
            return Ok(());
        };
        match self.clawd.wait_exit(Duration::from_secs(10)).await {
            Ok(None) => Err(Gone::because("killed while it started")),
            _ => Err(error),
        }
    }
}

/// The header of a body.
pub(crate) const JSON: &str = "content-type: application/json\r\n";

/// A field that is a text; empty when it is none.
fn text(value: &Value, field: &str) -> String {
    value[field].as_str().unwrap_or_default().to_owned()
}

fn secret(made: &Value) -> Result<String> {
    made["secret"]
        .as_str()
        .map(str::to_owned)
        .context("a new token has a secret")
}
