//! Channels are told that votes are wanted, and nobody waits for them.

use clawd_model::{ApprovalStatus, Event, RunStatus, Verdict};

use crate::fixture::Fixture;

const PATCH: &str = "targets: {selector: role=web}\njobs: {work: {steps: [{id: a, uses: reattach@v1}]}}";
const LOUD: &str = "
@id(\"loud\") @reason(\"ask first\") @notify(\"ops,security\")
forbid(principal, action in Action::\"operation.change\", resource is Server)
when { resource.env == \"prod\" } unless { context.approvals.sre >= 1 };";

fn announced(journal: &[Event]) -> Vec<&str> {
    journal
        .iter()
        .filter_map(|event| match event {
            Event::ApprovalAnnounced { channel, .. } => Some(channel.as_str()),
            _ => None,
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn channels_hear_what_is_wanted_and_those_that_do_not_hear_are_told_again() {
    let fixture = Fixture::new().await;
    fixture.servers(2, "prod").await;
    fixture.also(LOUD);
    fixture.channels.deaf(&["security"]);
    let first = fixture.mortal("node-a").await;
    let new = fixture.run_of(PATCH).await;
    let run = new.run;
    first.admit(new).await.unwrap();
    fixture.channels.times(2).await;
    fixture
        .until(run, |_, journal| announced(journal) == ["ops"])
        .await;
    let request = fixture.approvals(run).await.remove(0);
    let mut told = fixture.channels.all();
    told.sort_by(|one, other| one.channel.cmp(&other.channel));
    assert_eq!(told.len(), 2);
    assert!(told.iter().all(|news| news.id == request.id));
    assert_eq!(told[0].path, format!("/approvals/{}", request.id));
    for part in ["`ana`", "`work`", "`test`", "2 of sre", "ask first"] {
        assert!(told[0].text.contains(part), "{part}: {}", told[0].text);
    }
    first.kill().await;

    fixture.channels.deaf(&[]);
    let second = fixture.worker().await;
    fixture
        .until(run, |_, journal| announced(journal) == ["ops", "security"])
        .await;
    let told = fixture.channels.all();
    assert_eq!(told.len(), 3, "who was known to be told is not told again");
    assert_eq!(told[2].id, request.id, "a receiver can drop what it has seen");
    second.shutdown().await;

    let third = fixture.worker().await;
    for voter in ["ben", "cho"] {
        fixture.vote(run, voter, Verdict::Approve).await;
    }
    third.join(run).await;
    assert_eq!(fixture.row(run).await.status, RunStatus::Succeeded);
    assert_eq!(fixture.channels.all().len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn channels_that_take_nothing_hold_nobody_up() {
    let fixture = Fixture::new().await;
    fixture.servers(1, "prod").await;
    fixture.also(LOUD);
    fixture.channels.deaf(&["ops", "security"]);
    let worker = fixture.worker().await;
    let new = fixture.run_of(PATCH).await;
    let run = new.run;
    worker.admit(new).await.unwrap();
    fixture.channels.times(2).await;
    for voter in ["ben", "cho"] {
        fixture.vote(run, voter, Verdict::Approve).await;
    }
    worker.join(run).await;
    assert_eq!(fixture.row(run).await.status, RunStatus::Succeeded);
    assert_eq!(fixture.approvals(run).await[0].status, ApprovalStatus::Granted);
    assert!(announced(&fixture.journal(run).await).is_empty());
}
