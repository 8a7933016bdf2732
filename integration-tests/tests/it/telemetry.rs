//! What a running process tells of itself: traces to a collector, logs as JSON, numbers.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use clawd_integration_tests::{ClawdOptions, wait_for};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};

use crate::support::{Answer, Request, Site, send};

const DEADLINE: Duration = Duration::from_secs(60);

/// A collector that takes everything, and keeps the bodies.
struct Collector {
    url: String,
    bodies: Arc<Mutex<Vec<u8>>>,
}

impl Collector {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let bodies = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&bodies);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(take(stream, Arc::clone(&kept)));
            }
        });
        Self { url, bodies }
    }

    /// Whether a span of this name has arrived: field 5 of a span, as protobuf writes a short text.
    fn has_span(&self, name: &str) -> bool {
        let length = u8::try_from(name.len()).unwrap();
        let field = [&[0x2a, length], name.as_bytes()].concat();
        let bodies = self.bodies.lock().unwrap();
        bodies.windows(field.len()).any(|window| window == field)
    }
}

/// Takes requests from one connection, one after the other.
async fn take(stream: TcpStream, bodies: Arc<Mutex<Vec<u8>>>) {
    let mut stream = BufReader::new(stream);
    loop {
        let (mut line, mut length, mut head) = (String::new(), 0, String::new());
        while stream.read_line(&mut line).await.is_ok_and(|read| read > 2) {
            let text = line.to_ascii_lowercase();
            if let Some(value) = text.strip_prefix("content-length:") {
                length = value.trim().parse().unwrap();
            }
            head.push_str(&text);
            line.clear();
        }
        if head.is_empty() {
            return;
        }
        assert!(head.starts_with("post /v1/traces "), "{head}");
        let mut body = vec![0; length];
        stream.read_exact(&mut body).await.unwrap();
        bodies.lock().unwrap().extend(body);
        let answer = b"HTTP/1.1 200 OK\r\ncontent-type: application/x-protobuf\r\ncontent-length: 0\r\n\r\n";
        stream.write_all(answer).await.unwrap();
    }
}

/// A site with one server, on which a run has ended.
async fn worked(options: ClawdOptions) -> Site {
    let site = Site::start_with(options).await.unwrap();
    site.add_server("web-1", "staging").await.unwrap();
    let run = site.start_run("patch-security", &json!({}), "one").await.unwrap();
    site.wait_run(&run, &["succeeded"]).await.unwrap();
    site
}

#[tokio::test]
async fn traces_reach_a_collector_whatever_is_logged() {
    let collector = Collector::start().await;
    let mut site = worked(ClawdOptions {
        args: vec!["--otlp".to_owned(), collector.url.clone()],
        env: vec![("CLAWD_LOG".to_owned(), "error".to_owned())],
        ..ClawdOptions::default()
    })
    .await;
    // What is left is sent at the end.
    assert_eq!(site.clawd.stop().await.unwrap(), Some(0));
    for span in ["http", "run", "step", "attempt", "db.run.get"] {
        assert!(collector.has_span(span), "no span `{span}` arrived");
    }
    assert!(
        !collector.has_span("db.journal.commit"),
        "a span of level debug was sent"
    );
    assert!(!site.clawd.log().contains("INFO"), "{}", site.clawd.log());
}

#[tokio::test]
async fn the_demo_sends_traces_too_and_one_may_choose_which() {
    let collector = Collector::start().await;
    let mut clawd = clawd_integration_tests::ClawdProcess::start_with(ClawdOptions {
        demo: true,
        args: vec!["--otlp".to_owned(), collector.url.clone()],
        env: vec![("CLAWD_OTLP_FILTER".to_owned(), "clawd_api=info".to_owned())],
        ..ClawdOptions::default()
    })
    .await
    .unwrap();
    clawd.wait_for_line("Stop it with", DEADLINE).await.unwrap();
    assert_eq!(clawd.stop().await.unwrap(), Some(0));
    assert!(collector.has_span("http"));
    assert!(!collector.has_span("db.run.get"));
}

#[tokio::test]
async fn json_logs_are_json_line_by_line() {
    let mut site = worked(ClawdOptions {
        args: ["--log-format", "json", "--metrics-listen", "127.0.0.1:0"]
            .map(str::to_owned)
            .to_vec(),
        ..ClawdOptions::default()
    })
    .await;
    site.clawd.restart().await.unwrap();
    assert_eq!(site.clawd.stop().await.unwrap(), Some(0));
    let log = site.clawd.log();
    let said: Vec<String> = log
        .lines()
        .map(|line| {
            let line: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
            assert!(
                line["timestamp"].is_string() && line["level"].is_string(),
                "{line}"
            );
            line["fields"]["message"].as_str().unwrap().to_owned()
        })
        .collect();
    for beginning in ["listening on http://", "metrics on http://", "stopping"] {
        assert!(said.iter().any(|line| line.starts_with(beginning)), "{said:#?}");
    }
}

async fn get(url: &str, path: &str) -> Answer {
    let request = Request {
        method: "GET",
        path,
        token: None,
        headers: "",
        body: b"",
    };
    send(url, &request).await.unwrap()
}

/// The value of a number.
fn value(text: &str, name: &str) -> f64 {
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    line.unwrap_or_else(|| panic!("no `{name}` in\n{text}"))
        .parse()
        .unwrap()
}

#[tokio::test]
async fn metrics_have_an_address_of_their_own_and_name_nobody() {
    let mut site = worked(ClawdOptions {
        args: ["--metrics-listen", "127.0.0.1:0"].map(str::to_owned).to_vec(),
        ..ClawdOptions::default()
    })
    .await;
    site.add_server("web-2", "prod").await.unwrap();
    let run = site.start_run("patch-security", &json!({}), "two").await.unwrap();
    site.wait_run(&run, &["waiting"]).await.unwrap();
    get(&site.clawd.url(), "/runs/run_of_an_attacker").await;
    get(&site.clawd.url(), "/no/such/page").await;

    let line = site.clawd.wait_for_line("metrics on ", DEADLINE).await.unwrap();
    let address = line.split_whitespace().last().unwrap();
    let url = address.strip_suffix("/metrics").unwrap();
    assert_eq!(get(&site.clawd.url(), "/metrics").await.status, 404);
    assert_eq!(get(url, "/api/v1/runs").await.status, 404);
    // The counts of runs follow the commits, not the other way round.
    let answer = wait_for("the waiting run to be counted", DEADLINE, async || {
        let answer = get(url, "/metrics").await;
        let counted = value(&answer.body, "clawd_runs_started_total") >= 2.0
            && answer.body.contains("answer=\"needs_approval\"");
        Ok(counted.then_some(answer))
    })
    .await
    .unwrap();
    assert!(
        answer
            .header("content-type")
            .unwrap()
            .starts_with("application/openmetrics-text")
    );
    let text = answer.body;
    for (name, at_least) in [
        ("clawd_build_info{version=\"0.1.0\"}", 1.0),
        ("clawd_runs{status=\"waiting\"}", 1.0),
        ("clawd_runs_finished_total{outcome=\"succeeded\"}", 1.0),
        ("clawd_gate_decisions_total{answer=\"allow\"}", 3.0),
        ("clawd_gate_decisions_total{answer=\"needs_approval\"}", 1.0),
        (
            "clawd_attempts_total{operation=\"pkg.apply@v1\",outcome=\"succeeded\"}",
            1.0,
        ),
        (
            "clawd_attempt_duration_seconds_count{operation=\"pkg.apply@v1\"}",
            1.0,
        ),
        ("clawd_store_commit_duration_seconds_count", 10.0),
        ("clawd_store_commit_jobs_count", 10.0),
        ("clawd_store_commits_total", 10.0),
        ("clawd_turns_missed_total", 0.0),
        ("clawd_http_request_duration_seconds_count", 10.0),
        (
            "clawd_http_requests_total{method=\"GET\",route=\"/api/v1/runs/{run}\",status=\"200\"}",
            1.0,
        ),
        (
            "clawd_http_requests_total{method=\"GET\",route=\"none\",status=\"404\"}",
            1.0,
        ),
    ] {
        assert!(value(&text, name) >= at_least, "{name} in\n{text}");
    }
    assert!(text.ends_with("# EOF\n"));
    for name in [
        "web-1",
        "web-2",
        "ana",
        "admin",
        "main",
        "patch-security",
        "attacker",
        "run_",
    ] {
        let named = text.lines().filter(|line| !line.starts_with('#'));
        let named: Vec<&str> = named.filter(|line| line.contains(&format!("\"{name}"))).collect();
        assert!(named.is_empty(), "{name}: {named:?}");
    }
}
