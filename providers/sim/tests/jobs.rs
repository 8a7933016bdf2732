//! Jobs: they take their time, go wrong on demand, outlive their watcher, and are fenced.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "the whole file is a test"
)]

mod support;

use clawd_model::{DurationMs, ErrorKind};
use clawd_provider::{Context, ProviderError, Recovered};
use clawd_provider_sim::Delays;
use serde_json::{Value, json};
use support::Lab;
use tokio::time::{Duration, Instant, timeout};

fn openssl() -> Value {
    json!({"set": [
        {"name": "openssl", "from": "3.0.15-1~deb12u1", "to": "3.0.17-1~deb12u3", "security": true}
    ]})
}

fn sudo() -> Value {
    json!({"set": [
        {"name": "sudo", "from": "1.9.13p3-1+deb12u1", "to": "1.9.13p3-1+deb12u2", "security": true}
    ]})
}

fn kind(error: &ProviderError) -> &ErrorKind {
    match error {
        ProviderError::Failed(error) | ProviderError::OutcomeUnknown(error) => &error.kind,
    }
}

#[tokio::test(start_paused = true)]
async fn a_job_takes_its_time_and_prints_labelled_lines() {
    let dir = tempfile::tempdir().unwrap();
    let lab = Lab::open(dir.path(), Delays::watchable(), &[]);
    let began = Instant::now();
    lab.operation("pkg.apply@v1")
        .apply(&lab.context(Some(1)), &openssl())
        .await
        .unwrap();
    assert!(began.elapsed() >= Delays::watchable().packages.to_std());
    let text = lab.printed.text();
    assert!(
        text.contains("[simulated] Setting up openssl (3.0.17-1~deb12u3) ...\n"),
        "{text}"
    );
    assert!(
        text.lines().all(|line| line.starts_with("[simulated] ")),
        "{text}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_job_whose_watcher_went_away_is_found_again() {
    let dir = tempfile::tempdir().unwrap();
    let lab = Lab::open(dir.path(), Delays::watchable(), &[]);
    let operation = lab.operation("pkg.apply@v1");
    let context = lab.context(Some(1));
    let watched = timeout(Duration::from_millis(500), operation.apply(&context, &openssl())).await;
    assert!(watched.is_err(), "the job must still run");
    assert!(lab.effects().is_empty());

    let again = Lab::open_at(dir.path(), Delays::watchable(), &[], lab.clock.clone());
    let began = Instant::now();
    let found = again
        .operation("pkg.apply@v1")
        .recover(&context, &openssl())
        .await
        .unwrap();
    let Recovered::Done(Ok(applied)) = found else {
        panic!("{found:?}");
    };
    assert!(applied.changed);
    assert!(
        began.elapsed() >= Duration::from_millis(1400),
        "it must run for the rest of its time"
    );
    assert_eq!(again.effects().len(), 1);
    assert_eq!(again.effects()[0].attempt, support::attempt_id(1));
    assert_eq!(again.effects()[0].operation.as_str(), "pkg.apply@v1");
    let once_more = operation.apply(&context, &openssl()).await.unwrap();
    assert_eq!(once_more, applied);
    assert_eq!(again.effects().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_effect_on_record_is_not_recorded_again_when_the_world_was_not_saved() {
    let dir = tempfile::tempdir().unwrap();
    let lab = Lab::open(dir.path(), Delays::watchable(), &[]);
    let operation = lab.operation("pkg.apply@v1");
    let context = lab.context(Some(1));
    let watched = timeout(Duration::from_millis(500), operation.apply(&context, &openssl())).await;
    assert!(watched.is_err(), "the job must still run");
    let world = dir.path().join("demo/web-1/world.json");
    let running = std::fs::read(&world).unwrap();
    let applied = operation.apply(&context, &openssl()).await.unwrap();
    assert_eq!(lab.effects().len(), 1);
    // As after a crash between the two writes.
    std::fs::write(&world, running).unwrap();
    let found = operation.recover(&context, &openssl()).await.unwrap();
    assert_eq!(found, Recovered::Done(Ok(applied)));
    assert_eq!(lab.effects().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_job_that_outlives_its_call_is_not_called_failed() {
    let dir = tempfile::tempdir().unwrap();
    let lab = Lab::open(dir.path(), Delays::watchable(), &[("sim.slow", "30s")]);
    let operation = lab.operation("pkg.apply@v1");
    let short = Context {
        timeout: DurationMs::from_secs(5),
        ..lab.context(Some(1))
    };
    let error = operation.apply(&short, &openssl()).await.unwrap_err();
    assert!(matches!(error, ProviderError::OutcomeUnknown(_)), "{error:?}");
    assert_eq!(kind(&error), &ErrorKind::Timeout);
    let ask_later = operation.recover(&short, &openssl()).await.unwrap_err();
    assert_eq!(kind(&ask_later), &ErrorKind::Timeout);
    let found = operation
        .recover(&lab.context(Some(1)), &openssl())
        .await
        .unwrap();
    assert!(matches!(found, Recovered::Done(Ok(_))), "{found:?}");
    assert_eq!(lab.effects().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn two_package_jobs_do_not_overlap() {
    let dir = tempfile::tempdir().unwrap();
    let lab = Lab::open(dir.path(), Delays::watchable(), &[]);
    let operation = lab.operation("pkg.apply@v1");
    let (first, second) = (lab.context(Some(1)), lab.context(Some(2)));
    let began = Instant::now();
    let (openssl, sudo) = (openssl(), sudo());
    let (one, two) = tokio::join!(operation.apply(&first, &openssl), operation.apply(&second, &sudo));
    assert!(one.unwrap().changed && two.unwrap().changed);
    assert!(began.elapsed() >= 2 * Delays::watchable().packages.to_std());
    assert!(lab.printed.text().contains("Waiting for cache lock"));
    assert_eq!(lab.effects().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_health_check_waits_for_a_server_that_comes_back() {
    let dir = tempfile::tempdir().unwrap();
    let lab = Lab::open(dir.path(), Delays::watchable(), &[]);
    let reboot = lab.operation("host.reboot@v1");
    let check = lab.operation("check.http@v1");
    let (rebooting, checking) = (lab.context(Some(1)), lab.context(Some(2)));
    let always = json!({"when": "always"});
    let watched = timeout(Duration::from_millis(500), reboot.apply(&rebooting, &always)).await;
    assert!(watched.is_err(), "the server must still be down");
    let impatient = json!({"path": "/healthz", "within": "100ms"});
    let error = check.apply(&checking, &impatient).await.unwrap_err();
    assert_eq!(kind(&error), &ErrorKind::Connection);
    let seen = check
        .apply(&checking, &json!({"path": "/healthz"}))
        .await
        .unwrap();
    assert_eq!(seen.output["status"], 200);
}

#[tokio::test]
async fn flaky_servers_connect_after_some_attempts() {
    let dir = tempfile::tempdir().unwrap();
    let lab = Lab::open(dir.path(), Delays::none(), &[("sim.flaky", "2")]);
    let operation = lab.operation("pkg.apply@v1");
    for attempt in [1, 1, 2] {
        let error = operation
            .apply(&lab.context(Some(attempt)), &openssl())
            .await
            .unwrap_err();
        assert_eq!(kind(&error), &ErrorKind::Connection);
        let found = operation
            .recover(&lab.context(Some(attempt)), &openssl())
            .await
            .unwrap();
        assert_eq!(found, Recovered::NotStarted);
    }
    operation.apply(&lab.context(Some(3)), &openssl()).await.unwrap();
    assert_eq!(lab.effects().len(), 1);
}

#[tokio::test]
async fn operations_fail_on_demand_and_change_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let labels = [("sim.fail", "pkg.apply:1,check.http")];
    let lab = Lab::open(dir.path(), Delays::none(), &labels);
    let operation = lab.operation("pkg.apply@v1");
    let error = operation
        .apply(&lab.context(Some(1)), &openssl())
        .await
        .unwrap_err();
    assert_eq!(kind(&error), &ErrorKind::Failed);
    let found = operation
        .recover(&lab.context(Some(1)), &openssl())
        .await
        .unwrap();
    assert!(matches!(found, Recovered::Done(Err(_))), "{found:?}");
    assert!(lab.effects().is_empty());
    operation.apply(&lab.context(Some(2)), &openssl()).await.unwrap();
    let check = lab.operation("check.http@v1");
    let error = check
        .apply(&lab.context(Some(3)), &json!({"path": "/healthz"}))
        .await
        .unwrap_err();
    assert_eq!(kind(&error), &ErrorKind::NotVerified);
}

#[tokio::test]
async fn after_a_power_cut_nobody_knows() {
    let dir = tempfile::tempdir().unwrap();
    let lab = Lab::open(
        dir.path(),
        Delays::none(),
        &[("sim.indeterminate", "pkg.apply:1")],
    );
    let facts = lab.operation("host.facts@v1");
    let boot_id = async || {
        let seen = facts.apply(&lab.context(None), &json!({})).await.unwrap();
        seen.output["boot_id"].clone()
    };
    let before = boot_id().await;
    let operation = lab.operation("pkg.apply@v1");
    let error = operation
        .apply(&lab.context(Some(1)), &openssl())
        .await
        .unwrap_err();
    assert!(matches!(error, ProviderError::OutcomeUnknown(_)), "{error:?}");
    for _ in 0..2 {
        let found = operation
            .recover(&lab.context(Some(1)), &openssl())
            .await
            .unwrap();
        assert!(matches!(found, Recovered::Indeterminate(_)), "{found:?}");
    }
    assert_ne!(boot_id().await, before);
    operation.apply(&lab.context(Some(2)), &openssl()).await.unwrap();
    assert_eq!(lab.effects().len(), 1);
}

#[tokio::test]
async fn input_that_does_not_fit_starts_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let lab = Lab::open(dir.path(), Delays::none(), &[]);
    let operation = lab.operation("service.state@v1");
    let input = json!({"name": "ngnix", "state": "running"});
    let error = operation.apply(&lab.context(Some(1)), &input).await.unwrap_err();
    assert_eq!(kind(&error), &ErrorKind::InvalidInput);
    let found = operation.recover(&lab.context(Some(1)), &input).await.unwrap();
    assert_eq!(found, Recovered::NotStarted);
}

#[tokio::test]
async fn packages_are_upgraded_all_or_none() {
    let dir = tempfile::tempdir().unwrap();
    let lab = Lab::open(dir.path(), Delays::none(), &[]);
    let operation = lab.operation("pkg.apply@v1");
    let mut set = openssl();
    let missing = json!({"name": "zsh", "from": "5.8", "to": "5.9", "security": false});
    set["set"].as_array_mut().unwrap().push(missing);
    let error = operation.apply(&lab.context(Some(1)), &set).await.unwrap_err();
    assert_eq!(kind(&error), &ErrorKind::Drift);
    assert!(lab.effects().is_empty());
    let world = lab
        .simulation
        .world(&lab.server.tenant, &lab.server.name)
        .unwrap()
        .unwrap();
    assert_eq!(world.packages["openssl"].version, "3.0.15-1~deb12u1");
}

#[tokio::test]
async fn a_label_that_is_not_understood_stops_the_operation() {
    let dir = tempfile::tempdir().unwrap();
    let lab = Lab::open(dir.path(), Delays::none(), &[("sim.fail", "pkg.aply")]);
    let error = lab
        .operation("pkg.apply@v1")
        .apply(&lab.context(Some(1)), &openssl())
        .await
        .unwrap_err();
    assert_eq!(kind(&error), &ErrorKind::InvalidInput);
}

#[tokio::test]
async fn an_old_epoch_and_another_input_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let lab = Lab::open(dir.path(), Delays::none(), &[]);
    let operation = lab.operation("pkg.apply@v1");
    let newer = Context {
        epoch: 7,
        ..lab.context(Some(1))
    };
    // The same attempt, taken over by a node with a newer lease: whoever held the old one is too late.
    operation.apply(&lab.context(Some(1)), &openssl()).await.unwrap();
    operation.apply(&newer, &openssl()).await.unwrap();
    let fenced = operation
        .apply(&lab.context(Some(1)), &openssl())
        .await
        .unwrap_err();
    assert!(fenced.to_string().contains("fenced"), "{fenced}");
    let other = operation.apply(&newer, &sudo()).await.unwrap_err();
    assert!(other.to_string().contains("another input"), "{other}");
    assert_eq!(lab.effects().len(), 1);
}

#[tokio::test]
async fn a_lane_without_a_server_is_told_so() {
    let dir = tempfile::tempdir().unwrap();
    let lab = Lab::open(dir.path(), Delays::none(), &[]);
    let context = Context {
        server: None,
        ..lab.context(Some(1))
    };
    let error = lab
        .operation("host.facts@v1")
        .apply(&context, &json!({}))
        .await
        .unwrap_err();
    assert_eq!(kind(&error), &ErrorKind::InvalidInput);
}
