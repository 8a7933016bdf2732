//! New runs: how much they cost, and that one that may be stored is driven.

use std::task::Poll;

use clawd_model::{Digest, Event, Outcome, RunOutcome, RunStatus};
use clawd_worker::AdmitError;

use crate::fixture::{Fixture, SECRET};

fn ten_steps() -> String {
    let mut text = String::from("jobs:\n  ten:\n    targets: controller\n    steps:\n");
    for step in 0..10 {
        text.push_str(&format!(
            "      - {{id: s{step}, uses: reattach@v1, with: {{value: {step}}}}}\n"
        ));
    }
    text
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_steps_take_eleven_commits_at_most() {
    let fixture = Fixture::new().await;
    let worker = fixture.worker().await;
    let new = fixture.run_of(&ten_steps()).await;
    let (run, before) = (new.run, fixture.store.commits());
    worker.admit(new).await.unwrap();
    worker.join(run).await;
    let commits = fixture.store.commits() - before;
    assert!(commits <= 11, "{commits}");
    assert_eq!(fixture.row(run).await.status, RunStatus::Succeeded);
    assert_eq!(fixture.world.effects().len(), 10);
    fixture.nothing_twice();
    let kinds: Vec<_> = fixture
        .audit()
        .await
        .into_iter()
        .map(|record| record.kind)
        .collect();
    let count = |kind: &str| kinds.iter().filter(|known| **known == kind).count();
    for (kind, wanted) in [
        ("run.started", 1),
        ("attempt.started", 10),
        ("attempt.succeeded", 10),
        ("run.finished", 1),
    ] {
        assert_eq!(count(kind), wanted, "{kind}: {kinds:?}");
    }
    assert_eq!(worker.active_runs(), 0);
    worker.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_that_goes_away_leaves_a_run_that_is_driven() {
    let fixture = Fixture::new().await;
    let worker = fixture.worker().await;
    let new = fixture.run_of(&ten_steps()).await;
    let run = new.run;
    let mut commits = fixture.store.committed();
    {
        let mut admission = Box::pin(worker.admit(new));
        // Begun, and dropped long before the store can have answered.
        let begun = std::future::poll_fn(|context| Poll::Ready(admission.as_mut().poll(context)));
        assert!(begun.await.is_pending());
    }
    commits.recv().await.unwrap();
    fixture.until_status(run, RunStatus::Succeeded).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_that_is_not_what_it_is_called_is_refused() {
    let fixture = Fixture::new().await;
    let worker = fixture.worker().await;
    let mut new = fixture.run_of(&ten_steps()).await;
    new.plan_digest = Digest::of(b"another plan");
    let run = new.run;
    assert!(matches!(worker.admit(new).await, Err(AdmitError::Unfit(_))));
    assert!(fixture.demo().run(run).await.unwrap().is_none());
    assert_eq!(worker.active_runs(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn operations_that_panic_or_say_too_much_end_their_step_and_nothing_else() {
    let fixture = Fixture::new().await;
    fixture.servers(1, "dev").await;
    let worker = fixture.worker().await;
    for (step, wanted) in [
        ("{uses: look@v1, with: {value: panic}}", "panic"),
        ("{uses: look@v1, with: {value: much}}", "too large"),
        ("{uses: reattach@v1, with: {value: panic in check}}", "panic"),
    ] {
        let new = fixture
            .run_of(&format!(
                "targets: {{selector: role=web}}\njobs: {{a: {{steps: [{step}]}}}}"
            ))
            .await;
        let run = new.run;
        worker.admit(new).await.unwrap();
        worker.join(run).await;
        let journal = fixture.journal(run).await;
        assert_eq!(
            journal.last(),
            Some(&Event::RunFinished {
                outcome: RunOutcome::Failed,
                error: None,
            })
        );
        let said = journal.iter().any(|event| match event {
            Event::StepFailed { error, .. } => error.message.contains(wanted),
            Event::AttemptFinished {
                outcome: Outcome::Failed { error },
                ..
            } => error.message.contains(wanted),
            _ => false,
        });
        assert!(said, "{step}: {journal:?}");
    }
    // Of a change nobody knows how far it came.
    let new = fixture
        .run_of("jobs: {a: {targets: controller, steps: [{uses: reattach@v1, with: {value: panic}}]}}")
        .await;
    let run = new.run;
    worker.admit(new).await.unwrap();
    fixture.until_status(run, RunStatus::Waiting).await;
    let journal = fixture.journal(run).await;
    let unknown = |event: &Event| {
        matches!(
            event,
            Event::AttemptFinished {
                outcome: Outcome::Unknown { .. },
                ..
            }
        )
    };
    assert!(journal.iter().any(unknown), "{journal:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_check_says_of_a_secret_is_written_down_nowhere() {
    let fixture = Fixture::new().await;
    fixture.servers(1, "dev").await;
    let worker = fixture.worker().await;
    let yaml = "targets: {selector: role=web}\njobs: {a: {steps: [{uses: reattach@v1, with: {value: '${{ secrets.TOKEN }}'}}]}}";
    let new = fixture.run_of(yaml).await;
    let run = new.run;
    worker.admit(new).await.unwrap();
    worker.join(run).await;
    let written = format!("{:?}{:?}", fixture.journal(run).await, fixture.audit().await);
    assert!(written.contains("the host does not like [secret]"), "{written}");
    assert!(!written.contains(SECRET));
}
