//! `check.http` against real servers on the loopback interface.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "the whole file is a test"
)]

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use clawd_model::{DurationMs, ErrorKind};
use clawd_provider::conformance::{self, Case};
use clawd_provider::{Context, Operation, ProviderError};
use clawd_provider_http::{CheckHttp, Settings};
use serde_json::{Value, json};
use support::{TinyHttp, context, kind, redirect, reply, settings};

const LOOPBACK: &[&str] = &["127.0.0.0/8"];

async fn ask(allowed: &[&str], input: Value) -> Result<u64, ProviderError> {
    let operation = CheckHttp::new(settings(allowed)).unwrap();
    let applied = operation.apply(&context(None), &input).await?;
    Ok(applied.output["status"].as_u64().unwrap())
}

#[tokio::test]
async fn it_conforms() {
    let server = TinyHttp::start(|_| reply("200 OK", "fine\n")).await;
    let operation = Arc::new(CheckHttp::new(settings(LOOPBACK)).unwrap());
    let input = json!({"url": server.url("/healthz"), "contains": "fine", "ok_for": "5ms"});
    conformance::all(&Case::new(operation, context(None), input))
        .await
        .unwrap();
}

#[tokio::test]
async fn status_and_body_are_expected() {
    let server = TinyHttp::start(|path| match path {
        "/made" => reply("201 Created", "made"),
        "/gone" => reply("410 Gone", "gone"),
        _ => reply("500 Oops", "broken"),
    })
    .await;
    let now = |path: &str, more: Value| {
        let mut input = json!({"url": server.url(path), "within": "0s"});
        input
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        input
    };
    assert_eq!(ask(LOOPBACK, now("/made", json!({}))).await, Ok(201));
    assert_eq!(
        ask(LOOPBACK, now("/gone", json!({"status": 410, "contains": "gone"}))).await,
        Ok(410)
    );
    for input in [
        now("/made", json!({"status": 200})),
        now("/made", json!({"contains": "baked"})),
        now("/gone", json!({})),
        now("/other", json!({})),
    ] {
        assert_eq!(kind(ask(LOOPBACK, input).await), ErrorKind::NotVerified);
    }
}

#[tokio::test]
async fn a_service_may_take_a_moment_to_come_up() {
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let server = TinyHttp::start(move |_| match count.fetch_add(1, Ordering::SeqCst) {
        0..3 => reply("503 Wait", ""),
        _ => reply("200 OK", ""),
    })
    .await;
    assert_eq!(ask(LOOPBACK, json!({"url": server.url("/")})).await, Ok(200));
    assert_eq!(asked.load(Ordering::SeqCst), 4);
}

#[tokio::test]
async fn the_lanes_own_server_is_asked_by_path() {
    let server = TinyHttp::start(|_| reply("200 OK", "")).await;
    let operation = CheckHttp::new(settings(&[])).unwrap();
    let input = json!({"path": "/healthz?full=1", "port": server.address.port()});
    operation
        .apply(&context(Some("root@127.0.0.1:22")), &input)
        .await
        .unwrap();
    operation
        .apply(&context(Some("root@localhost:22")), &input)
        .await
        .unwrap();
    assert_eq!(server.seen(), ["/healthz?full=1", "/healthz?full=1"]);
    assert_eq!(
        kind(operation.apply(&context(None), &input).await),
        ErrorKind::InvalidInput
    );
}

#[tokio::test]
async fn the_guard_refuses_at_once_what_nobody_allowed() {
    let server = TinyHttp::start(|_| reply("200 OK", "")).await;
    let port = server.address.port();
    let operation = CheckHttp::new(settings(&[])).unwrap();
    for url in [
        server.url("/"),
        format!("http://localhost:{port}/"),
        format!("http://2130706433:{port}/"),
        format!("http://[::ffff:127.0.0.1]:{port}/"),
        "http://169.254.169.254/latest/meta-data/".to_owned(),
        "http://10.0.0.1/".to_owned(),
    ] {
        // Another server's own address opens no other door.
        let lane = context(Some("root@127.0.0.2:22"));
        let result = operation.apply(&lane, &json!({"url": url})).await;
        assert_eq!(kind(result), ErrorKind::InvalidInput, "{url}");
    }
    let open = ["0.0.0.0/0", "::/0"];
    for url in ["http://169.254.169.254/", "http://[fe80::1]/", "http://0.0.0.0/"] {
        let result = ask(&open, json!({"url": url})).await;
        assert_eq!(kind(result), ErrorKind::InvalidInput, "{url}");
    }
    let metadata_as_server = context(Some("root@169.254.169.254:22"));
    let result = operation.apply(&metadata_as_server, &json!({"path": "/"})).await;
    assert_eq!(kind(result), ErrorKind::InvalidInput);
    assert!(server.seen().is_empty(), "nothing may have been asked");
}

#[tokio::test]
async fn redirects_stay_on_the_host() {
    let other = TinyHttp::start(|_| reply("200 OK", "secret")).await;
    let elsewhere = format!("http://localhost:{}/", other.address.port());
    let server = TinyHttp::start(move |path| match path {
        "/old" => redirect("/new"),
        "/new" => reply("200 OK", ""),
        "/loop" => redirect("/loop"),
        "/file" => redirect("file:///etc/passwd"),
        _ => redirect(&elsewhere),
    })
    .await;
    let now = |path: &str| json!({"url": server.url(path), "within": "0s"});
    assert_eq!(ask(LOOPBACK, now("/old")).await, Ok(200));
    for path in ["/away", "/loop", "/file"] {
        assert_eq!(
            kind(ask(LOOPBACK, now(path)).await),
            ErrorKind::NotVerified,
            "{path}"
        );
    }
    assert!(other.seen().is_empty(), "the other host must not be asked");
    let expected = json!({"url": server.url("/old"), "status": 302});
    assert_eq!(ask(LOOPBACK, expected).await, Ok(302));
}

#[tokio::test]
async fn only_the_first_mebibyte_is_read() {
    // The needle ends exactly at the limit, then just beyond it; the body never ends.
    let body = |padding: usize| {
        let mut answer = b"200 OK\r\n\r\n".to_vec();
        answer.extend(std::iter::repeat_n(b'.', padding));
        answer.extend(b"needle");
        answer.extend(std::iter::repeat_n(b'.', 1024 * 1024));
        answer
    };
    let server = TinyHttp::start(move |path| match path {
        "/in" => body(1024 * 1024 - 6),
        _ => body(1024 * 1024 - 5),
    })
    .await;
    let now = |path: &str| json!({"url": server.url(path), "contains": "needle", "within": "0s"});
    assert_eq!(ask(LOOPBACK, now("/in")).await, Ok(200));
    assert_eq!(kind(ask(LOOPBACK, now("/beyond")).await), ErrorKind::NotVerified);
}

#[tokio::test]
async fn a_server_that_does_not_answer_is_told_apart() {
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let operation = CheckHttp::new(Settings {
        look_timeout: DurationMs(20),
        ..settings(LOOPBACK)
    })
    .unwrap();
    let input = json!({"url": format!("http://{}/", silent.local_addr().unwrap()), "within": "0s"});
    assert_eq!(
        kind(operation.apply(&context(None), &input).await),
        ErrorKind::Timeout
    );

    let free = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .unwrap()
        .local_addr()
        .unwrap();
    let input = json!({"url": format!("http://{free}/"), "within": "0s"});
    assert_eq!(kind(ask(LOOPBACK, input).await), ErrorKind::Connection);
}

#[tokio::test]
async fn errors_do_not_show_what_may_be_secret() {
    let server = TinyHttp::start(|_| reply("500 Oops", "")).await;
    let input = json!({"url": server.url("/x?token=hunter2"), "within": "0s"});
    let error = ask(LOOPBACK, input).await.unwrap_err();
    assert!(!format!("{error:?}").contains("hunter2"), "{error:?}");
    let input = json!({"url": "http://user:hunter2@127.0.0.1/"});
    let error = ask(LOOPBACK, input).await.unwrap_err();
    assert!(!format!("{error:?}").contains("hunter2"), "{error:?}");
    assert_eq!(kind::<()>(Err(error)), ErrorKind::InvalidInput);
}

#[tokio::test]
async fn wrong_input_is_refused_before_anything_is_asked() {
    let operation = CheckHttp::new(settings(LOOPBACK)).unwrap();
    let lane = context(Some("root@127.0.0.1:22"));
    for input in [
        json!({}),
        json!({"url": "http://127.0.0.1/", "path": "/"}),
        json!({"url": "http://127.0.0.1/", "port": 80}),
        json!({"url": "ftp://127.0.0.1/"}),
        json!({"url": "127.0.0.1"}),
        json!({"path": "healthz"}),
        json!({"path": "/", "within": "soon"}),
        json!({"path": "/", "ok_for": "5"}),
        json!({"path": "/", "port": 70000}),
    ] {
        let refused = operation.check(&lane, &input).await;
        assert_eq!(kind(refused), ErrorKind::InvalidInput, "{input}");
    }
}

#[tokio::test]
async fn a_cancelled_check_ends_at_once() {
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let operation = CheckHttp::new(settings(LOOPBACK)).unwrap();
    let context: Context = context(None);
    let cancel = context.cancel.clone();
    let input = json!({"url": format!("http://{}/", silent.local_addr().unwrap())});
    let asking = operation.apply(&context, &input);
    let (result, ()) = tokio::join!(asking, async {
        // The request is under way once the connection is there.
        let _connection = silent.accept().await.unwrap();
        cancel.cancel();
    });
    assert_eq!(kind(result), ErrorKind::Cancelled);
}
