//! A run that goes on between the caller's permit and the look at it.

use clawd_model::api::CastVote;
use clawd_model::{Event, RunStatus, Verdict};
use futures::StreamExt;

use super::show_run;
use crate::testing::World;
use crate::{
    ApprovalOn, ApprovalRead, ListApprovals, RunRead, RunRow, VoteCast, cast_vote, list_approvals, run_events,
};

/// Votes yes as `who` on the only open request.
async fn approve(world: &World, who: &str) {
    let caller = world.caller(who).await;
    let reading = world.app.permit::<ApprovalRead>(&caller).await.unwrap();
    let open = list_approvals(&reading, ListApprovals::default())
        .await
        .unwrap()
        .items;
    let permit = world
        .app
        .permit_on::<VoteCast, ApprovalOn>(&caller, &open[0].approval.id)
        .await
        .unwrap();
    let cast = CastVote {
        verdict: Verdict::Approve,
        subject: open[0].subject_digest,
        comment: String::new(),
    };
    cast_vote(&permit, cast).await.unwrap();
}

#[tokio::test]
async fn the_summary_is_as_new_as_the_last_event_that_it_comes_with() {
    let world = World::new().await;
    let started = world.start_patch().await;
    let ana = world.caller("ana").await;
    let earlier = world
        .app
        .permit_on::<RunRead, RunRow>(&ana, &started.id)
        .await
        .unwrap();
    let before = show_run(&earlier).await.unwrap();
    assert_eq!(before.summary.status, RunStatus::Waiting);
    assert_eq!(before.summary.finished_at, None);

    for who in ["ben", "cho"] {
        approve(&world, who).await;
    }
    let later = world
        .app
        .permit_on::<RunRead, RunRow>(&ana, &started.id)
        .await
        .unwrap();
    let mut events = std::pin::pin!(run_events(&later, before.last_seq));
    let mut last = before.last_seq;
    while let Some(recorded) = events.next().await {
        let recorded = recorded.unwrap();
        last = recorded.seq;
        if matches!(recorded.event, Event::RunFinished { .. }) {
            break;
        }
    }

    // The permit of before still holds the row of a run that waits.
    let after = show_run(&earlier).await.unwrap();
    assert_eq!(after.last_seq, last);
    assert_eq!(after.summary.status, RunStatus::Succeeded);
    assert!(
        after.summary.finished_at.is_some(),
        "its end is known with its outcome"
    );
}
