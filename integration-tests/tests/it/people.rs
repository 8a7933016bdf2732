//! People at their terminals: what the tests of whole runs share. Everything goes through the CLI, as somebody.

use std::collections::BTreeMap;
use std::time::Duration;

use clawd_integration_tests::{ClawdProcess, Host, Ran, wait_for};
use serde_json::Value;

/// Who works here, and in which groups.
const PEOPLE: [(&str, &[&str]); 4] = [
    ("ana", &["operator"]),
    ("ben", &["sre"]),
    ("cho", &["sre"]),
    ("dan", &["viewer"]),
];

/// How long a run may take to come where it is awaited.
const PATIENCE: Duration = Duration::from_secs(60);

/// A running server and the people who use it: admin keeps the servers, ana operates, ben and cho are
/// `sre`, dan only looks.
pub(crate) struct Office {
    pub(crate) clawd: ClawdProcess,
    tokens: BTreeMap<&'static str, String>,
}

impl Office {
    pub(crate) async fn open() -> Self {
        Self::over(ClawdProcess::start().await.unwrap()).await
    }

    /// The same with a server that runs.
    pub(crate) async fn over(clawd: ClawdProcess) -> Self {
        let own: Value = clawd.json(["token", "create", "test"]).await.unwrap();
        let mut tokens = BTreeMap::from([("admin", text(&own["secret"]))]);
        for (name, groups) in PEOPLE {
            let mut put = vec!["principal", "put", name];
            for group in groups {
                put.extend(["--group", group]);
            }
            clawd.cli(put).await.unwrap().ok().unwrap();
            let made: Value = clawd
                .json(["token", "create", "test", "--for", name])
                .await
                .unwrap();
            tokens.insert(name, text(&made["secret"]));
        }
        Self { clawd, tokens }
    }

    /// Runs a command as one of them, whatever its exit code.
    pub(crate) async fn cli(&self, who: &str, args: &[&str]) -> Ran {
        let token = ["--token", self.tokens[who].as_str()];
        self.clawd.cli(args.iter().chain(&token)).await.unwrap()
    }

    /// The same with `-o json`, where `code` is expected.
    pub(crate) async fn json(&self, who: &str, code: i32, args: &[&str]) -> Value {
        let args: Vec<&str> = args.iter().copied().chain(["-o", "json"]).collect();
        let ran = self.cli(who, &args).await.expect_code(code).unwrap();
        ran.json().unwrap()
    }

    /// Registers a host of `env`, to be signed into as `ops`.
    pub(crate) async fn add(&self, host: &Host, env: &str) {
        self.clawd
            .add_server(host, "ops", env, &["role=web"])
            .await
            .unwrap();
    }

    /// Publishes a runbook with one job, `work`, of these steps.
    pub(crate) async fn publish(&self, name: &str, steps: &str) {
        let head = "apiVersion: clawd.dev/v1\nkind: Runbook\nmetadata:\n";
        let runbook = format!(
            "{head}  name: {name}\n  description: A test.\ntargets: {{selector: \"*\"}}\njobs:\n  work:\n    steps:\n{steps}"
        );
        let file = self.clawd.data_dir().join(format!("{name}.yaml"));
        std::fs::write(&file, &runbook).unwrap();
        let ran = self
            .cli("ana", &["runbook", "publish", &file.to_string_lossy()])
            .await;
        assert!(ran.success(), "{ran}\n{runbook}");
    }

    /// Starts a run as ana; gives its id.
    pub(crate) async fn start(&self, args: &[&str]) -> String {
        let args: Vec<&str> = ["run", "start"].into_iter().chain(args.iter().copied()).collect();
        text(&self.json("ana", 0, &args).await["id"])
    }

    /// Waits until a run waits for people, and gives its view.
    pub(crate) async fn until_it_waits(&self, run: &str) -> Value {
        let ran = self
            .cli("dan", &["run", "watch", run, "--exit-on-approval"])
            .await;
        ran.expect_code(6).unwrap();
        self.view(run).await
    }

    /// Waits until a run is over; what watching it said, and its view.
    pub(crate) async fn until_it_is_over(&self, run: &str) -> (Ran, Value) {
        let ran = self.cli("dan", &["run", "watch", run]).await;
        (ran, self.view(run).await)
    }

    /// Starts a run and waits for a good end.
    pub(crate) async fn run(&self, args: &[&str]) -> Value {
        let run = self.start(args).await;
        let (ran, view) = self.until_it_is_over(&run).await;
        ran.ok().unwrap();
        view
    }

    /// Waits until a step stands there.
    pub(crate) async fn until_step(&self, run: &str, path: &str, status: &str) -> Value {
        wait_for(&format!("`{path}` to be {status}"), PATIENCE, async || {
            let step = step(&self.view(run).await, path).clone();
            if step["status"] == status {
                return Ok(Some(step));
            }
            Err(anyhow::anyhow!("it is {}: {}", step["status"], step["error"]))
        })
        .await
        .unwrap()
    }

    pub(crate) async fn view(&self, run: &str) -> Value {
        self.json("dan", 0, &["run", "show", run]).await
    }

    /// The request for votes of a run that is open.
    pub(crate) async fn open_approval(&self, run: &str) -> Value {
        let open = self.json("ben", 0, &["approval", "ls"]).await;
        let of_run: Vec<&Value> = open
            .as_array()
            .unwrap()
            .iter()
            .filter(|approval| approval["subject"]["run"] == run)
            .collect();
        assert_eq!(of_run.len(), 1, "{open:#}");
        self.json("ben", 0, &["approval", "show", of_run[0]["id"].as_str().unwrap()])
            .await
    }

    /// What a step has printed on standard output.
    pub(crate) async fn output(&self, run: &str, path: &str) -> String {
        let ran = self.cli("dan", &["run", "output", run, path]).await;
        ran.ok().unwrap().stdout
    }

    /// The audit records of a run, the oldest first.
    pub(crate) async fn audit(&self, run: &str) -> Vec<Value> {
        let args = ["audit", "ls", "--run", run, "--limit", "500"];
        let mut records = self.json("ben", 0, &args).await.as_array().unwrap().clone();
        records.reverse();
        records
    }
}

/// A step of a run's view.
pub(crate) fn step<'a>(view: &'a Value, path: &str) -> &'a Value {
    let jobs = view["jobs"].as_array().unwrap().iter();
    jobs.flat_map(|job| job["lanes"].as_array().unwrap())
        .flat_map(|lane| lane["steps"].as_array().unwrap())
        .find(|step| step["path"] == path)
        .unwrap_or_else(|| panic!("no step `{path}` in {view:#}"))
}

/// A step of a plan.
pub(crate) fn planned<'a>(plan: &'a Value, job: &str, server: &str, step: &str) -> &'a Value {
    plan["plan"]["steps"]
        .as_array()
        .unwrap()
        .iter()
        .find(|planned| {
            planned["job"] == job && planned["target"]["name"] == server && planned["step"] == step
        })
        .unwrap_or_else(|| panic!("no step `{job}/{server}/{step}` in {plan:#}"))
}

/// A string of a JSON document.
pub(crate) fn text(value: &Value) -> String {
    value
        .as_str()
        .unwrap_or_else(|| panic!("no text: {value}"))
        .to_owned()
}

/// Asserts that a text says all of this.
#[track_caller]
pub(crate) fn assert_says(text: &str, all: &[&str]) {
    for part in all {
        assert!(text.contains(part), "`{part}` is missing in:\n{text}");
    }
}
