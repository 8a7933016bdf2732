//! A run that is too large for one commit.

use clawd_model::{Event, Outcome, RunStatus};

use crate::fixture::Fixture;
use crate::world::Hold;

#[tokio::test(flavor = "multi_thread")]
async fn three_thousand_lanes_begin_in_several_commits_and_survive_a_crash_between_them() {
    let fixture = Fixture::new().await;
    fixture.servers(3000, "dev").await;
    let first = fixture.mortal("node-a").await;
    let new = fixture
        .run_of("targets: {selector: role=web}\njobs: {work: {steps: [{id: a, uses: reattach@v1}]}}")
        .await;
    let run = new.run;
    let mut commits = fixture.store.committed();
    // The first attempts stop as soon as the first part is durable; what is left is not.
    fixture.world.hold(Hold::BeforeTheEffect);
    let admission = first.begin(new);
    let part = commits.recv().await.unwrap();
    assert!(
        part.events.len() < 5000,
        "{} events in one commit",
        part.events.len()
    );
    fixture.world.stopped(64).await;
    first.kill().await;
    let _ = admission.await;
    fixture.world.hold(Hold::Nowhere);
    let second = fixture.worker().await;
    second.join(run).await;
    let journal = fixture.journal(run).await;
    let failed = journal.iter().find(|event| {
        matches!(
            event,
            Event::StepFailed { .. }
                | Event::AttemptFinished {
                    outcome: Outcome::Failed { .. } | Outcome::Unknown { .. },
                    ..
                }
        )
    });
    assert_eq!(failed, None);
    assert_eq!(fixture.row(run).await.status, RunStatus::Succeeded);
    assert_eq!(fixture.world.effects().len(), 3000);
    fixture.nothing_twice();
}
