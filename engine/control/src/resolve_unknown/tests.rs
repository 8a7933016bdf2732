//! A step whose outcome nobody can know, until somebody decides.

use clawd_model::api::{Resolution, ResolveStep, RunView};
use clawd_model::{ErrorKind, Event, Outcome, RunId, RunStatus, StepError, StepStatus};
use futures::StreamExt;
use serde_json::json;

use super::{ResolveUnknownError, resolve_unknown};
use crate::error::{Class, Explained as _};
use crate::testing::World;
use crate::{RunRead, RunResolve, RunRow, run_events, show_run};

async fn unknown() -> (World, RunId) {
    let world = World::new().await;
    let error = StepError::new(ErrorKind::Indeterminate, "the power went");
    world
        .driver
        .script("rollout/apply", Some(Outcome::Unknown { error }));
    let run = world.start_patch().await;
    (world, run.id)
}

async fn resolve(
    world: &World,
    run: RunId,
    step: &str,
    resolution: Resolution,
) -> Result<(), ResolveUnknownError> {
    resolve_attempt(world, run, step, 1, resolution).await
}

async fn resolve_attempt(
    world: &World,
    run: RunId,
    step: &str,
    attempt: u32,
    resolution: Resolution,
) -> Result<(), ResolveUnknownError> {
    let ben = world.caller("ben").await;
    let permit = world
        .app
        .permit_on::<RunResolve, RunRow>(&ben, &run)
        .await
        .unwrap();
    resolve_unknown(
        &permit,
        ResolveStep {
            step: step.to_owned(),
            attempt,
            resolution,
        },
    )
    .await
    .map(drop)
}

async fn view(world: &World, run: RunId) -> RunView {
    let ana = world.caller("ana").await;
    let permit = world.app.permit_on::<RunRead, RunRow>(&ana, &run).await.unwrap();
    show_run(&permit).await.unwrap()
}

async fn wait_for(world: &World, run: RunId, wanted: impl Fn(&Event) -> bool) {
    let ana = world.caller("ana").await;
    let permit = world.app.permit_on::<RunRead, RunRow>(&ana, &run).await.unwrap();
    let mut events = Box::pin(run_events(&permit, 0));
    while let Some(recorded) = events.next().await {
        if wanted(&recorded.unwrap().event) {
            return;
        }
    }
    panic!("the run ended without it");
}

#[tokio::test]
async fn a_person_says_what_happened_and_the_run_goes_on() {
    let (world, run) = unknown().await;
    let before = view(&world, run).await;
    let step = &before.jobs[1].lanes[0].steps[0];
    assert_eq!(
        (step.status, step.error.as_ref().unwrap().message.as_str()),
        (StepStatus::Unknown, "the power went")
    );
    assert_eq!(before.summary.status, RunStatus::Waiting);
    let output = json!({"before": [], "after": [], "reboot_required": false});
    let happened = Resolution::Happened {
        output: output.clone(),
        changed: true,
    };
    resolve(&world, run, "rollout/stage-1/apply", happened)
        .await
        .unwrap();
    wait_for(&world, run, |event| {
        matches!(event, Event::ApprovalRequested { .. })
    })
    .await;
    let after = view(&world, run).await;
    let step = &after.jobs[1].lanes[0].steps[0];
    assert_eq!(
        (step.status, step.output.as_ref()),
        (StepStatus::Changed, Some(&output))
    );
}

#[tokio::test]
async fn it_did_not_happen_means_another_attempt() {
    let (world, run) = unknown().await;
    world.driver.script("rollout/apply", None);
    resolve(&world, run, "rollout/stage-1/apply", Resolution::DidNotHappen)
        .await
        .unwrap();
    wait_for(&world, run, |event| {
        matches!(event, Event::AttemptStarted { attempt: 2, .. })
    })
    .await;
    assert_eq!(view(&world, run).await.jobs[1].lanes[0].steps[0].attempt, 2);
}

#[tokio::test]
async fn a_word_about_an_earlier_attempt_is_refused() {
    let (world, run) = unknown().await;
    let step = "rollout/stage-1/apply";
    resolve(&world, run, step, Resolution::DidNotHappen)
        .await
        .unwrap();
    wait_for(&world, run, |event| {
        matches!(
            event,
            Event::AttemptFinished {
                attempt: 2,
                outcome: Outcome::Unknown { .. },
                ..
            }
        )
    })
    .await;
    let happened = || Resolution::Happened {
        output: json!({}),
        changed: true,
    };
    // The form that somebody opened while the first attempt was the last one.
    let error = resolve_attempt(&world, run, step, 1, happened())
        .await
        .unwrap_err();
    assert_eq!((error.class(), error.code()), (Class::Conflict, "other-attempt"));
    assert_eq!(
        error.to_string(),
        "attempt 1 of step `rollout/stage-1/apply` is not the unknown one: that is attempt 2"
    );
    assert_eq!(
        view(&world, run).await.jobs[1].lanes[0].steps[0].status,
        StepStatus::Unknown
    );
    resolve_attempt(&world, run, step, 2, happened()).await.unwrap();
}

#[tokio::test]
async fn only_what_is_unknown_is_resolved() {
    let (world, run) = unknown().await;
    let error = resolve(&world, run, "plan/stage-1/set", Resolution::DidNotHappen)
        .await
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "step `plan/stage-1/set` is ok: there is nothing to decide"
    );
    let error = resolve(&world, run, "plan/stage-1", Resolution::DidNotHappen)
        .await
        .unwrap_err();
    assert!(matches!(error, ResolveUnknownError::NoSuchStep(_)), "{error}");
    let happened = Resolution::Happened {
        output: json!("done"),
        changed: true,
    };
    let error = resolve(&world, run, "rollout/stage-1/apply", happened)
        .await
        .unwrap_err();
    assert!(matches!(error, ResolveUnknownError::OutputShape), "{error}");
}
