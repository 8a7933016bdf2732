//! `check.tcp` against real ports on the loopback interface.

#![allow(clippy::unwrap_used, reason = "the whole file is a test")]

mod support;

use std::sync::Arc;

use clawd_model::ErrorKind;
use clawd_provider::conformance::{self, Case};
use clawd_provider::{Operation, Registry};
use clawd_provider_http::CheckTcp;
use serde_json::json;
use support::{context, kind, settings};
use tokio::net::TcpListener;

#[tokio::test]
async fn it_conforms() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let operation = Arc::new(CheckTcp::new(settings(&[])));
    let lane = context(Some("root@127.0.0.1:22"));
    conformance::all(&Case::new(operation, lane, json!({"port": port})))
        .await
        .unwrap();
}

#[tokio::test]
async fn a_port_is_waited_for() {
    let operation = CheckTcp::new(settings(&["127.0.0.1"]));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let closed = json!({"host": "127.0.0.1", "port": address.port(), "within": "5ms"});
    assert_eq!(
        kind(operation.apply(&context(None), &closed).await),
        ErrorKind::Connection
    );

    let open = json!({"host": "127.0.0.1", "port": address.port()});
    let lane = context(None);
    let (applied, _listener) = tokio::join!(operation.apply(&lane, &open), async {
        TcpListener::bind(address).await.unwrap()
    });
    assert!(!applied.unwrap().changed);
}

#[tokio::test]
async fn the_guard_holds_here_too() {
    let operation = CheckTcp::new(settings(&[]));
    for host in ["127.0.0.1", "localhost", "169.254.169.254", "10.0.0.1", "::1"] {
        let result = operation
            .apply(&context(None), &json!({"host": host, "port": 22}))
            .await;
        assert_eq!(kind(result), ErrorKind::InvalidInput, "{host}");
    }
    let zero = operation
        .check(&context(None), &json!({"host": "127.0.0.1", "port": 0}))
        .await;
    assert_eq!(kind(zero), ErrorKind::InvalidInput);
    let nowhere = operation.check(&context(None), &json!({"port": 22})).await;
    assert_eq!(kind(nowhere), ErrorKind::InvalidInput);
}

#[tokio::test]
async fn both_checks_register_for_everybody() {
    let mut registry = Registry::default();
    clawd_provider_http::register(&mut registry, &settings(&[])).unwrap();
    for name in ["check.http@v1", "check.tcp@v1"] {
        assert!(registry.resolve(&name.parse().unwrap(), None).is_some(), "{name}");
    }
    assert!(clawd_provider_http::register(&mut registry, &settings(&[])).is_err());
}
