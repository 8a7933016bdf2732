//! SIGKILL of a real process that drives simulated servers: the world is still there, and each effect took place
//! exactly once by the server's own record.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "the whole file is a test"
)]

mod support;

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use clawd_model::{DurationMs, FixedClock};
use clawd_provider::Recovered;
use clawd_provider_sim::Delays;
use serde_json::{Value, json};
use support::{Lab, NOW, attempt_id};

const RESTARTS: u32 = 60;
const DIR: &str = "CLAWD_SIM_TEST_DIR";

fn restart() -> Value {
    json!({"name": "nginx", "state": "restarted"})
}

fn lab(dir: &Path, service: DurationMs, after: DurationMs) -> Lab {
    let delays = Delays {
        service,
        ..Delays::none()
    };
    Lab::open_at(dir, delays, &[], Arc::new(FixedClock::at(NOW.plus(after))))
}

/// What the killed processes run; does nothing when the tests run.
#[tokio::test]
async fn child_restarts_many_times() {
    if let Ok(dir) = std::env::var(DIR) {
        let lab = lab(Path::new(&dir), DurationMs(0), DurationMs(0));
        let operation = lab.operation("service.state@v1");
        for attempt in 1..=RESTARTS {
            operation
                .apply(&lab.context(Some(attempt)), &restart())
                .await
                .unwrap();
        }
    }
}

/// What the killed processes run; does nothing when the tests run.
#[tokio::test]
async fn child_starts_a_long_job() {
    if let Ok(dir) = std::env::var(DIR) {
        let lab = lab(Path::new(&dir), DurationMs::from_secs(40), DurationMs(0));
        let operation = lab.operation("service.state@v1");
        operation.apply(&lab.context(Some(1)), &restart()).await.unwrap();
    }
}

fn child(test: &str, dir: &Path) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args([test, "--exact"])
        .env(DIR, dir)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

fn kill_when(mut child: Child, state: impl Fn() -> bool) {
    while !state() {
        assert!(
            child.try_wait().unwrap().is_none(),
            "the child ended before it could be killed"
        );
        std::thread::yield_now();
    }
    child.kill().unwrap();
    child.wait().unwrap();
}

fn text(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_default()
}

#[tokio::test]
async fn killed_anywhere_each_effect_takes_place_once() {
    for lines in [1, 2, 9, 25] {
        let dir = tempfile::tempdir().unwrap();
        let log = dir.path().join("demo/web-1/effects.log");
        kill_when(child("child_restarts_many_times", dir.path()), || {
            text(&log).lines().count() >= lines
        });

        let lab = lab(dir.path(), DurationMs(0), DurationMs(0));
        let operation = lab.operation("service.state@v1");
        for attempt in 1..=RESTARTS {
            let context = lab.context(Some(attempt));
            match operation.recover(&context, &restart()).await.unwrap() {
                Recovered::NotStarted => {
                    operation.apply(&context, &restart()).await.unwrap();
                }
                Recovered::Done(result) => assert!(result.unwrap().changed),
                Recovered::Indeterminate(error) => panic!("{error:?}"),
            }
        }
        let recorded: Vec<_> = lab.effects().into_iter().map(|effect| effect.attempt).collect();
        let wanted: Vec<_> = (1..=RESTARTS).map(attempt_id).collect();
        assert_eq!(recorded, wanted, "killed at {lines} lines");
        let world = lab
            .simulation
            .world(&lab.server.tenant, &lab.server.name)
            .unwrap()
            .unwrap();
        assert_eq!(
            world.services["nginx"].restarts, RESTARTS,
            "killed at {lines} lines"
        );
    }
}

#[tokio::test]
async fn a_job_goes_on_while_its_process_is_dead() {
    let dir = tempfile::tempdir().unwrap();
    let world = dir.path().join("demo/web-1/world.json");
    let attempt = attempt_id(1).to_string();
    kill_when(child("child_starts_a_long_job", dir.path()), || {
        text(&world).contains(&attempt)
    });
    assert!(text(&dir.path().join("demo/web-1/effects.log")).is_empty());

    // 30 ms before its end it still has to be waited for; its effect is dated by its own end.
    let lab = lab(dir.path(), DurationMs::from_secs(40), DurationMs(39_970));
    let operation = lab.operation("service.state@v1");
    let began = tokio::time::Instant::now();
    let found = operation
        .recover(&lab.context(Some(1)), &restart())
        .await
        .unwrap();
    assert!(matches!(found, Recovered::Done(Ok(_))), "{found:?}");
    assert!(began.elapsed() >= DurationMs(30).to_std());
    let effects = lab.effects();
    assert_eq!(effects.len(), 1);
    assert_eq!(effects[0].at, NOW.plus(DurationMs::from_secs(40)).to_rfc3339());
}
