//! Stale and outdated plans; keys that start one run, also over a cut.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use clawd_model::api::{MakePlan, PlanView, RunSummary};
use clawd_model::{Digest, DurationMs, RunStatus};

use super::{StartRunError, start_run};
use crate::once::{OnceError, Request};
use crate::testing::World;
use crate::{ListRuns, Permit, PlanCreate, PlanOn, RunRead, RunStart, RunbookOn, list_runs, plan_run};

async fn plan(world: &World) -> PlanView {
    let ana = world.caller("ana").await;
    let permit = world
        .app
        .permit_on::<PlanCreate, RunbookOn>(&ana, &"patch-security".parse().unwrap())
        .await
        .unwrap();
    plan_run(&permit, &MakePlan::default()).await.unwrap()
}

async fn permit(world: &World, plan: Digest) -> Permit<RunStart, PlanOn> {
    let ana = world.caller("ana").await;
    world
        .app
        .permit_on::<RunStart, PlanOn>(&ana, &plan)
        .await
        .unwrap()
}

async fn runs(world: &World) -> Vec<RunSummary> {
    let ana = world.caller("ana").await;
    let permit = world.app.permit::<RunRead>(&ana).await.unwrap();
    list_runs(&permit, ListRuns::default()).await.unwrap().items
}

#[tokio::test]
async fn a_plan_is_started_within_an_hour() {
    let world = World::new().await;
    let view = plan(&world).await;
    world.clock.advance(DurationMs::from_secs(3600));
    let run = start_run(&permit(&world, view.digest).await, &Request::unkeyed())
        .await
        .unwrap();
    assert_eq!((run.plan, run.requester.as_str()), (view.digest, "ana"));
    assert_eq!(run.status, RunStatus::Waiting, "production waits for votes");
    world.clock.advance(DurationMs(1));
    let error = start_run(&permit(&world, view.digest).await, &Request::unkeyed())
        .await
        .unwrap_err();
    assert!(matches!(error, StartRunError::Stale { .. }), "{error}");
    assert_eq!(runs(&world).await.len(), 1);
}

#[tokio::test]
async fn a_plan_of_another_version_is_not_started() {
    let world = World::new().await;
    let view = plan(&world).await;
    let admin = world.caller("admin").await;
    let publish = world.app.permit::<crate::RunbookPublish>(&admin).await.unwrap();
    let source = clawd_workflow::library::runbooks()
        .iter()
        .find(|(name, _)| *name == "patch-security")
        .unwrap()
        .1;
    crate::publish_runbook(&publish, &source.replace("risk: medium", "risk: high"))
        .await
        .unwrap();
    let error = start_run(&permit(&world, view.digest).await, &Request::unkeyed())
        .await
        .unwrap_err();
    assert!(matches!(error, StartRunError::Outdated { .. }), "{error}");
}

#[tokio::test]
async fn a_keyed_request_starts_one_run() {
    let world = World::new().await;
    let view = plan(&world).await;
    let permit = permit(&world, view.digest).await;
    let what = Digest::of(b"request");
    let once = |key: &'static str, what| {
        permit.once(Some(key), what, async |request| {
            start_run(&permit, &request).await
        })
    };
    let first = once("k1", what).await.unwrap();
    let again = once("k1", what).await.unwrap();
    assert_eq!(first.id, again.id);
    let other = once("k1", Digest::of(b"another")).await;
    assert!(matches!(other, Err(OnceError::Different)));
    let another = once("k2", what).await.unwrap();
    assert_ne!(first.id, another.id);
    assert_eq!(runs(&world).await.len(), 2);
    for bad in ["", "with space", "ü"] {
        assert!(matches!(once(bad, what).await, Err(OnceError::BadKey)), "{bad}");
    }
}

#[tokio::test]
async fn a_request_that_was_cut_off_after_its_run_began_finds_that_run() {
    let world = World::new().await;
    let view = plan(&world).await;
    let permit = permit(&world, view.digest).await;
    let what = Digest::of(b"request");
    // The run begins, and the process is gone before the answer is kept.
    let started = Arc::new(std::sync::Mutex::new(None));
    let work = {
        let started = Arc::clone(&started);
        let permit = &permit;
        async move |request: Request| -> Result<RunSummary, StartRunError> {
            let run = start_run(permit, &request).await?;
            *started.lock().unwrap() = Some(run.id);
            std::future::pending().await
        }
    };
    tokio::select! {
        biased;
        _ = permit.once(Some("k"), what, work) => panic!("it never answers"),
        () = async { while started.lock().unwrap().is_none() { tokio::task::yield_now().await } } => {}
    }
    let calls = AtomicU32::new(0);
    let again = permit
        .once(Some("k"), what, async |request| {
            calls.fetch_add(1, Ordering::SeqCst);
            start_run(&permit, &request).await
        })
        .await
        .unwrap();
    assert_eq!(Some(again.id), *started.lock().unwrap());
    assert_eq!(calls.load(Ordering::SeqCst), 1);
    assert_eq!(runs(&world).await.len(), 1);
}

#[tokio::test]
async fn a_failed_request_gives_its_key_back() {
    let world = World::new().await;
    let view = plan(&world).await;
    world.clock.advance(DurationMs::from_secs(7200));
    let old = permit(&world, view.digest).await;
    let what = Digest::of(b"request");
    let failed = old
        .once(Some("k"), what, async |request| start_run(&old, &request).await)
        .await;
    assert!(matches!(
        failed,
        Err(OnceError::Failed(StartRunError::Stale { .. }))
    ));
    let view = plan(&world).await;
    let fresh = permit(&world, view.digest).await;
    fresh
        .once(Some("k"), what, async |request| start_run(&fresh, &request).await)
        .await
        .unwrap();
}
