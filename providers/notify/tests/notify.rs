//! `notify` against a real receiver on the loopback interface.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "the whole file is a test"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use clawd_model::{AttemptId, DurationMs, ErrorKind, FixedClock, StepError, Timestamp};
use clawd_provider::conformance::{self, Case};
use clawd_provider::egress::Guard;
use clawd_provider::{Checked, Context, Operation, OutputSink, ProviderError, Stream};
use clawd_provider_notify::{Channel, Channels, Notify};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;

const SECRET: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
const PATH: &str = "/T0SECRET/B0SECRET";

#[derive(Clone, Debug)]
struct Request {
    head: String,
    headers: BTreeMap<String, String>,
    body: String,
}

/// Takes what is sent to it, and answers with one status; an empty one breaks the connection off.
struct Receiver {
    url: String,
    requests: Arc<Mutex<Vec<Request>>>,
}

impl Receiver {
    async fn start(status: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}{PATH}", listener.local_addr().unwrap());
        let requests = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&requests);
        tokio::spawn(async move {
            while let Ok((mut connection, _)) = listener.accept().await {
                let request = read(&mut connection).await;
                log.lock().unwrap().push(request);
                if !status.is_empty() {
                    let answer =
                        format!("HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n");
                    connection.write_all(answer.as_bytes()).await.unwrap();
                }
            }
        });
        Self { url, requests }
    }

    fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }
}

async fn read(connection: &mut TcpStream) -> Request {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(connection.read_u8().await.unwrap());
    }
    let text = String::from_utf8(head).unwrap();
    let mut lines = text.trim_end().lines();
    let head = lines.next().unwrap().to_owned();
    let headers: BTreeMap<String, String> = lines
        .map(|line| {
            let (name, value) = line.split_once(": ").unwrap();
            (name.to_ascii_lowercase(), value.to_owned())
        })
        .collect();
    let mut body = vec![0; headers["content-length"].parse().unwrap()];
    connection.read_exact(&mut body).await.unwrap();
    Request {
        head,
        headers,
        body: String::from_utf8(body).unwrap(),
    }
}

#[derive(Default)]
struct Printed(Mutex<String>);

impl OutputSink for Printed {
    fn write(&self, _: Stream, bytes: &[u8]) {
        self.0
            .lock()
            .unwrap()
            .push_str(std::str::from_utf8(bytes).unwrap());
    }
}

fn notify(url: &str, allowed: &[&str]) -> Notify {
    // The other tests of this process may have installed it.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let webhook = Channel::webhook(url.into(), &SECRET.into()).unwrap();
    let channels = Channels::from([("ops".to_owned(), Channel::Log), ("pager".to_owned(), webhook)]);
    let guard = Guard::new(allowed.iter().map(|network| network.parse().unwrap()));
    Notify::new(channels, guard).unwrap()
}

fn attempt() -> AttemptId {
    "att_0123456789abcdef0123456789abcdef".parse().unwrap()
}

fn context(printed: &Arc<Printed>) -> Context {
    Context {
        tenant: "demo".parse().unwrap(),
        server: None,
        attempt: Some(attempt()),
        epoch: 1,
        timeout: DurationMs::from_secs(30),
        clock: Arc::new(FixedClock::at(Timestamp(1_772_357_400_250))),
        redactor: clawd_provider::Redactor::default(),
        output: Arc::clone(printed) as Arc<dyn OutputSink>,
        cancel: CancellationToken::new(),
    }
}

async fn send(operation: &Notify, input: Value) -> Result<bool, ProviderError> {
    let printed = Arc::default();
    let applied = operation.apply(&context(&printed), &input).await?;
    let text = printed.0.lock().unwrap().clone();
    assert!(!text.contains("SECRET") && !text.contains("127.0.0.1"), "{text}");
    Ok(applied.output["delivered"].as_bool().unwrap())
}

fn pager() -> Value {
    json!({"to": "pager", "text": "web-1 is patched"})
}

#[tokio::test]
async fn a_message_arrives_signed() {
    let receiver = Receiver::start("204 No Content").await;
    let operation = notify(&receiver.url, &["127.0.0.1"]);
    assert_eq!(send(&operation, pager()).await, Ok(true));
    let [request] = receiver.requests().try_into().unwrap();
    assert_eq!(request.head, format!("POST {PATH} HTTP/1.1"));
    assert_eq!(request.headers["webhook-id"], attempt().to_string());
    assert_eq!(request.headers["webhook-timestamp"], "1772357400");
    let body: Value = serde_json::from_str(&request.body).unwrap();
    assert_eq!(body["type"], "notification");
    assert_eq!(body["timestamp"], "2026-03-01T09:30:00.25Z");
    assert_eq!(body["text"], "web-1 is patched");
    assert_eq!(body["data"]["channel"], "pager");
    assert_eq!(request.headers["webhook-signature"], signature(&request));
}

/// The signature as a receiver computes it, from the bytes that it got.
fn signature(request: &Request) -> String {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use hmac::{KeyInit as _, Mac as _};
    let key = STANDARD.decode(SECRET.strip_prefix("whsec_").unwrap()).unwrap();
    let mut mac = hmac::Hmac::<sha2::Sha256>::new_from_slice(&key).unwrap();
    let (id, at) = (
        &request.headers["webhook-id"],
        &request.headers["webhook-timestamp"],
    );
    mac.update(format!("{id}.{at}.{}", request.body).as_bytes());
    format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
}

#[tokio::test]
async fn it_conforms_as_a_receiver_that_drops_repeated_ids_sees_it() {
    let receiver = Receiver::start("200 OK").await;
    let operation = Arc::new(notify(&receiver.url, &["127.0.0.1"]));
    let requests = Arc::clone(&receiver.requests);
    let case = Case::new(operation, context(&Arc::default()), pager())
        .repeating()
        .counting(move || {
            let requests = requests.lock().unwrap();
            let ids: BTreeSet<&String> = requests.iter().map(|r| &r.headers["webhook-id"]).collect();
            ids.len()
        });
    conformance::all(&case).await.unwrap();
}

#[tokio::test]
async fn a_log_channel_conforms_and_delivers_nothing() {
    let receiver = Receiver::start("200 OK").await;
    let operation = Arc::new(notify(&receiver.url, &["127.0.0.1"]));
    assert_eq!(send(&operation, json!({"to": "ops"})).await, Ok(false));
    let case = Case::new(
        operation,
        context(&Arc::default()),
        json!({"to": "ops", "text": "hello"}),
    )
    .repeating();
    conformance::all(&case).await.unwrap();
    assert!(receiver.requests().is_empty());
}

#[tokio::test]
async fn an_unknown_channel_is_named_with_those_that_exist() {
    let operation = notify("https://hooks.example.net/x", &[]);
    let context = context(&Arc::default());
    let error = operation
        .check(&context, &json!({"to": "opps"}))
        .await
        .unwrap_err();
    let error = inner(error);
    assert_eq!(error.kind, ErrorKind::InvalidInput);
    assert!(error.message.contains("`opps`"));
    assert_eq!(error.hint.unwrap(), "the configured channels are ops, pager");
    let known = operation.check(&context, &pager()).await.unwrap();
    assert_eq!(known, Checked::Unpredictable);
    let long = json!({"to": "ops", "text": "x".repeat(17 * 1024)});
    assert_eq!(
        inner(operation.check(&context, &long).await.unwrap_err()).kind,
        ErrorKind::InvalidInput
    );
}

fn inner(error: ProviderError) -> StepError {
    match error {
        ProviderError::Failed(error) | ProviderError::OutcomeUnknown(error) => error,
    }
}

#[tokio::test]
async fn what_the_receiver_answers_decides() {
    for (status, kind, unknown) in [
        ("503 Wait", ErrorKind::Connection, false),
        ("429 Slow Down", ErrorKind::Connection, false),
        ("401 No", ErrorKind::Failed, false),
        ("410 Gone", ErrorKind::Failed, false),
        (
            "307 There\r\nlocation: http://127.0.0.1:1/",
            ErrorKind::Failed,
            false,
        ),
        ("", ErrorKind::Connection, true),
    ] {
        let receiver = Receiver::start(status).await;
        let operation = notify(&receiver.url, &["127.0.0.1"]);
        let error = send(&operation, pager()).await.unwrap_err();
        assert_eq!(
            matches!(error, ProviderError::OutcomeUnknown(_)),
            unknown,
            "{status}"
        );
        let shown = format!("{error:?} {error}");
        assert!(
            !shown.contains("SECRET") && !shown.contains("127.0.0.1"),
            "{shown}"
        );
        assert_eq!(inner(error).kind, kind, "{status}");
        assert_eq!(receiver.requests().len(), 1, "{status}");
    }
}

#[tokio::test]
async fn a_receiver_that_is_not_there_or_does_not_answer_is_told_apart() {
    let free = TcpListener::bind("127.0.0.1:0")
        .await
        .unwrap()
        .local_addr()
        .unwrap();
    let operation = notify(&format!("http://{free}{PATH}"), &["127.0.0.1"]);
    let error = send(&operation, pager()).await.unwrap_err();
    assert!(
        matches!(&error, ProviderError::Failed(error) if error.kind == ErrorKind::Connection),
        "{error:?}"
    );
    assert!(!format!("{error:?}").contains("127.0.0.1"), "{error:?}");

    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let operation = notify(
        &format!("http://{}{PATH}", silent.local_addr().unwrap()),
        &["127.0.0.1"],
    );
    let short = Context {
        timeout: DurationMs(20),
        ..context(&Arc::default())
    };
    let error = operation.apply(&short, &pager()).await.unwrap_err();
    assert!(
        matches!(&error, ProviderError::OutcomeUnknown(error) if error.kind == ErrorKind::Timeout),
        "{error:?}"
    );
    assert!(!format!("{error:?}").contains("127.0.0.1"), "{error:?}");
}

#[tokio::test]
async fn the_guard_holds_here_too() {
    let receiver = Receiver::start("200 OK").await;
    let by_name = receiver.url.replace("127.0.0.1", "localhost");
    for url in [
        receiver.url.as_str(),
        &by_name,
        "https://169.254.169.254/latest",
        "https://10.0.0.1/",
    ] {
        let error = send(&notify(url, &[]), pager()).await.unwrap_err();
        let shown = format!("{error:?}");
        assert!(!shown.contains("SECRET") && !shown.contains("169.254"), "{shown}");
        assert_eq!(inner(error).kind, ErrorKind::InvalidInput, "{url}");
    }
    let open = notify("https://169.254.169.254/latest", &["0.0.0.0/0"]);
    assert_eq!(
        inner(send(&open, pager()).await.unwrap_err()).kind,
        ErrorKind::InvalidInput
    );
    assert!(receiver.requests().is_empty(), "nothing may have been sent");
    assert_eq!(
        send(&notify(&by_name, &["127.0.0.0/8", "::1"]), pager()).await,
        Ok(true)
    );
}
