//! Lists are filtered, newest first, and continued from where the page before ended.

use clawd_model::{Approval, ApprovalStatus, DurationMs, RunId, RunStatus};
use clawd_store::{ApprovalFilter, RunFilter, Turn};

use crate::fixture::{Fixture, approval, first_turn, last_turn, next_turn, read};

#[tokio::test]
async fn runs_are_paged() {
    let fixture = Fixture::new().await;
    let mut runs: Vec<RunId> = Vec::new();
    for number in 0..7 {
        fixture.clock.advance(DurationMs(1));
        let run = fixture.run_id();
        let lease = fixture.lease(run).await;
        let mut turn = first_turn("demo", run, &lease);
        if let (3, Some(new)) = (number, turn.new_run.as_mut()) {
            new.requester = read("ben");
            new.runbook = read("harden");
        }
        fixture.store.commit(turn).await.unwrap();
        if number % 2 == 0 {
            fixture
                .store
                .commit(last_turn("demo", run, &lease, 2))
                .await
                .unwrap();
        }
        runs.insert(0, run);
    }
    let list = |filter: RunFilter| {
        let demo = fixture.demo();
        async move {
            demo.runs(&filter)
                .await
                .unwrap()
                .into_iter()
                .map(|run| run.id)
                .collect::<Vec<_>>()
        }
    };
    let all = RunFilter::default;
    assert_eq!(list(all()).await, runs);
    assert_eq!(list(RunFilter { limit: 3, ..all() }).await, runs[..3]);
    assert_eq!(
        list(RunFilter {
            limit: 3,
            before: Some(runs[2]),
            ..all()
        })
        .await,
        runs[3..6]
    );
    assert_eq!(
        list(RunFilter {
            before: Some(runs[6]),
            ..all()
        })
        .await,
        []
    );
    let running = RunFilter {
        statuses: vec![RunStatus::Running, RunStatus::Waiting],
        ..all()
    };
    assert_eq!(list(running).await, [runs[1], runs[3], runs[5]]);
    assert_eq!(
        list(RunFilter {
            runbook: Some(read("harden")),
            ..all()
        })
        .await,
        [runs[3]]
    );
    assert_eq!(
        list(RunFilter {
            requester: Some(read("ben")),
            ..all()
        })
        .await,
        [runs[3]]
    );
    let unfinished = fixture
        .store
        .unfinished(&(0..16).collect::<Vec<_>>())
        .await
        .unwrap();
    assert_eq!(
        unfinished.iter().map(|run| run.id).collect::<Vec<_>>(),
        [runs[5], runs[3], runs[1]]
    );
    assert_eq!(fixture.store.unfinished(&[]).await.unwrap(), []);
}

#[tokio::test]
async fn approvals_follow_their_turns_and_are_paged() {
    let fixture = Fixture::new().await;
    let (run, lease) = fixture.begun().await;
    let mut approvals: Vec<Approval> = Vec::new();
    for _ in 0..5 {
        fixture.clock.advance(DurationMs(1));
        approvals.insert(0, approval(&fixture, "demo", run));
    }
    let turn = Turn {
        approvals: approvals.clone(),
        ..next_turn("demo", run, &lease, 2, 1)
    };
    fixture.store.commit(turn).await.unwrap();
    let list = |filter: ApprovalFilter| {
        let demo = fixture.demo();
        async move { demo.approvals(&filter).await.unwrap() }
    };
    let all = ApprovalFilter::default;
    assert_eq!(list(all()).await, approvals);
    assert_eq!(
        list(ApprovalFilter {
            limit: 2,
            before: Some(approvals[1].id),
            ..all()
        })
        .await,
        approvals[2..4]
    );
    approvals[2].status = ApprovalStatus::Granted;
    let turn = Turn {
        approvals: vec![approvals[2].clone()],
        ..next_turn("demo", run, &lease, 3, 1)
    };
    fixture.store.commit(turn).await.unwrap();
    let granted = ApprovalFilter {
        status: Some(ApprovalStatus::Granted),
        ..all()
    };
    assert_eq!(list(granted).await, [approvals[2].clone()]);
    assert_eq!(
        list(ApprovalFilter {
            status: Some(ApprovalStatus::Open),
            ..all()
        })
        .await
        .len(),
        4
    );
    assert_eq!(
        list(ApprovalFilter {
            run: Some(fixture.run_id()),
            ..all()
        })
        .await,
        []
    );
    assert_eq!(
        list(ApprovalFilter {
            run: Some(run),
            ..all()
        })
        .await
        .len(),
        5
    );
}
