//! Votes: posted by people, counted by the worker, for exactly what was asked.

use clawd_model::{ApprovalStatus, DurationMs, Event, PrincipalKind, RunStatus, Verdict};
use serde_json::json;

use crate::fixture::{Fixture, person};
use crate::world::Hold;

const PATCH: &str = "targets: {selector: role=web}\njobs: {work: {steps: [{id: a, uses: reattach@v1}]}}";

#[tokio::test(flavor = "multi_thread")]
async fn a_run_waits_for_two_votes_and_goes_on_by_itself() {
    let fixture = Fixture::new().await;
    fixture.servers(3, "prod").await;
    let worker = fixture.worker().await;
    let new = fixture.run_of(PATCH).await;
    let run = new.run;
    worker.admit(new).await.unwrap();
    fixture.until_status(run, RunStatus::Waiting).await;
    assert!(fixture.world.calls().is_empty(), "nothing is done without votes");
    fixture.vote(run, "ben", Verdict::Approve).await;
    fixture
        .until(run, |_, journal| {
            journal
                .iter()
                .any(|event| matches!(event, Event::ApprovalUpdated { .. }))
        })
        .await;
    let open = fixture.approvals(run).await.remove(0);
    assert_eq!((open.status, open.votes.len()), (ApprovalStatus::Open, 1));
    assert_eq!(open.missing[0].groups.values().sum::<u32>(), 1);
    fixture.vote(run, "cho", Verdict::Approve).await;
    worker.join(run).await;
    assert_eq!(fixture.row(run).await.status, RunStatus::Succeeded);
    assert_eq!(fixture.approvals(run).await[0].status, ApprovalStatus::Granted);
    assert_eq!(fixture.world.effects().len(), 3);
    fixture.nothing_twice();
    let allowed = fixture
        .audit()
        .await
        .into_iter()
        .filter(|record| record.kind == "attempt.started");
    for record in allowed {
        assert_eq!(
            record.data["allowed"]["votes"],
            json!(["ben", "cho"]),
            "who let it pass"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_vote_of_somebody_who_left_or_may_not_vote_any_more_does_not_count() {
    let quorum =
        "targets: {selector: role=web}\njobs: {work: {approval: {quorum: 2}, steps: [{uses: reattach@v1}]}}";
    for leaves in [true, false] {
        let fixture = Fixture::new().await;
        fixture.servers(1, "dev").await;
        let worker = fixture.worker().await;
        let new = fixture.run_of(quorum).await;
        let run = new.run;
        worker.admit(new).await.unwrap();
        fixture.until_status(run, RunStatus::Waiting).await;
        fixture.vote(run, "ben", Verdict::Approve).await;
        fixture
            .until(run, |_, journal| {
                journal
                    .iter()
                    .any(|event| matches!(event, Event::VoteCast { .. }))
            })
            .await;
        let mut ben = person("ben", if leaves { "sre" } else { "viewer" });
        ben.disabled = leaves;
        fixture.demo().put_principal(&ben, &[]).await.unwrap();
        worker.rules_changed(&"demo".parse().unwrap());
        fixture.vote(run, "cho", Verdict::Approve).await;
        let two_votes = |journal: &[Event]| {
            journal
                .iter()
                .filter(|event| matches!(event, Event::VoteCast { .. }))
                .count()
                == 2
        };
        fixture.until(run, |_, journal| two_votes(journal)).await;
        assert_eq!(fixture.row(run).await.status, RunStatus::Waiting);
        assert!(fixture.world.calls().is_empty());
        fixture.vote(run, "dan", Verdict::Approve).await;
        worker.join(run).await;
        assert_eq!(fixture.row(run).await.status, RunStatus::Succeeded);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_changed_after_the_votes_is_asked_for_again() {
    let fixture = Fixture::new().await;
    fixture.servers(1, "prod").await;
    let worker = fixture.worker().await;
    let new = fixture.run_of(PATCH).await;
    let run = new.run;
    worker.admit(new).await.unwrap();
    fixture.until_status(run, RunStatus::Waiting).await;
    // Requests are told apart by when they were opened.
    fixture.clock.advance(DurationMs(1));
    fixture.world.look_like(json!("something else"));
    fixture.vote(run, "ben", Verdict::Approve).await;
    fixture.vote(run, "cho", Verdict::Approve).await;
    let requests = |journal: &[Event]| {
        journal
            .iter()
            .filter(|event| matches!(event, Event::ApprovalRequested { .. }))
            .count()
    };
    fixture.until(run, |_, journal| requests(journal) == 2).await;
    assert!(
        fixture.world.calls().is_empty(),
        "nothing was done that nobody approved"
    );
    let approvals = fixture.approvals(run).await;
    assert_eq!(approvals[1].status, ApprovalStatus::Void);
    assert_eq!(approvals[0].subject.drifted.len(), 1);
    fixture.vote(run, "ben", Verdict::Approve).await;
    fixture.vote(run, "cho", Verdict::Approve).await;
    worker.join(run).await;
    assert_eq!(fixture.row(run).await.status, RunStatus::Succeeded);
    fixture.nothing_twice();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_open_request_is_closed_with_its_run_in_lists_too() {
    let fixture = Fixture::new().await;
    fixture.servers(1, "prod").await;
    let worker = fixture.worker().await;
    let new = fixture.run_of(PATCH).await;
    let run = new.run;
    worker.admit(new).await.unwrap();
    fixture.until_status(run, RunStatus::Waiting).await;
    fixture.cancel(run).await;
    worker.join(run).await;
    assert_eq!(fixture.row(run).await.status, RunStatus::Cancelled);
    assert_eq!(fixture.approvals(run).await[0].status, ApprovalStatus::Closed);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_vote_that_expired_is_missing_again() {
    let fixture = Fixture::new().await;
    fixture.servers(1, "prod").await;
    let worker = fixture.worker().await;
    let new = fixture.run_of(PATCH).await;
    let run = new.run;
    worker.admit(new).await.unwrap();
    fixture.until_status(run, RunStatus::Waiting).await;
    fixture.vote(run, "ben", Verdict::Approve).await;
    let updates = |journal: &[Event]| {
        journal
            .iter()
            .filter(|event| matches!(event, Event::ApprovalUpdated { .. }))
            .count()
    };
    fixture.until(run, |_, journal| updates(journal) == 1).await;
    fixture.clock.advance(DurationMs::from_secs(9 * 3600));
    fixture.until(run, |_, journal| updates(journal) == 2).await;
    let open = fixture.approvals(run).await.remove(0);
    assert_eq!(open.missing[0].groups.values().sum::<u32>(), 2);
    worker.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn votes_that_nobody_heard_of_are_found_by_the_next_process() {
    let fixture = Fixture::new().await;
    fixture.servers(2, "prod").await;
    let first = fixture.mortal("node-a").await;
    let new = fixture.run_of(PATCH).await;
    let run = new.run;
    first.admit(new).await.unwrap();
    fixture.until_status(run, RunStatus::Waiting).await;
    first.kill().await;
    fixture.vote(run, "ben", Verdict::Approve).await;
    fixture.vote(run, "cho", Verdict::Approve).await;
    let second = fixture.worker().await;
    second.join(run).await;
    assert_eq!(fixture.row(run).await.status, RunStatus::Succeeded);
    assert_eq!(fixture.approvals(run).await.len(), 1, "nobody was asked twice");
    fixture.nothing_twice();
}

/// A guard on one operation, stricter about the age of votes than the rest.
const SHIFT: &str = "
@id(\"security.shift\") @reason(\"this needs a vote of `security`\") @approval_ttl(\"4h\") @notify(\"security,ops\")
forbid(principal, action == Action::\"once\", resource is Server)
when { resource.env == \"prod\" } unless { context.approvals.security >= 1 };";

#[tokio::test(flavor = "multi_thread")]
async fn the_strictest_guard_counts_whenever_it_comes_into_the_way() {
    let fixture = Fixture::new().await;
    fixture.servers(1, "prod").await;
    fixture.also(SHIFT);
    let sam = person("sam", "security");
    fixture.demo().put_principal(&sam, &[]).await.unwrap();
    let worker = fixture.worker().await;
    let new = fixture
        .run_of("targets: {selector: role=web}\njobs: {work: {steps: [{id: a, uses: reattach@v1}, {id: b, uses: once@v1}]}}")
        .await;
    let run = new.run;
    worker.admit(new).await.unwrap();
    fixture.until_status(run, RunStatus::Waiting).await;
    let eight_hours = DurationMs::from_secs(8 * 3600);
    assert_eq!(fixture.approvals(run).await[0].vote_ttl_ms, eight_hours);
    fixture.world.hold(Hold::BeforeTheEffect);
    for voter in ["ben", "cho", "sam"] {
        fixture.vote(run, voter, Verdict::Approve).await;
    }
    fixture.world.stopped(1).await;
    // The first step takes five hours: too long for the guard of the second one.
    fixture.clock.advance(DurationMs::from_secs(5 * 3600));
    fixture.world.hold(Hold::Nowhere);
    fixture.until_status(run, RunStatus::Waiting).await;
    assert_eq!(fixture.world.calls().len(), 1, "the second step has not begun");
    let open = fixture.approvals(run).await.remove(0);
    assert_eq!(open.status, ApprovalStatus::Open);
    assert_eq!(
        open.vote_ttl_ms,
        DurationMs::from_secs(4 * 3600),
        "who votes now is told"
    );
    for voter in ["ben", "cho", "sam"] {
        fixture.vote(run, voter, Verdict::Approve).await;
    }
    worker.join(run).await;
    assert_eq!(fixture.row(run).await.status, RunStatus::Succeeded);
}

#[tokio::test(flavor = "multi_thread")]
async fn records_say_whose_votes_counted_and_who_really_asked() {
    let fixture = Fixture::new().await;
    fixture.servers(1, "prod").await;
    let mut helper = person("helper", "operator");
    helper.kind = PrincipalKind::Agent;
    helper.operator = Some("ana".parse().unwrap());
    let worker = fixture.worker().await;
    // Somebody was looked at before the agent was made: what is remembered of people does not know it.
    fixture.demo().put_principal(&helper, &[]).await.unwrap();
    let mut new = fixture.run_of(PATCH).await;
    new.requester = helper.name.clone();
    new.requester_kind = helper.kind;
    let run = new.run;
    worker.admit(new).await.unwrap();
    fixture.until_status(run, RunStatus::Waiting).await;
    // The vote of ben expires, and dan leaves.
    let votes = |count| {
        move |journal: &[Event]| {
            let cast = journal
                .iter()
                .filter(|event| matches!(event, Event::VoteCast { .. }));
            cast.count() == count
        }
    };
    fixture.vote(run, "ben", Verdict::Approve).await;
    fixture.until(run, |_, journal| votes(1)(journal)).await;
    fixture.clock.advance(DurationMs::from_secs(9 * 3600));
    fixture.vote(run, "dan", Verdict::Approve).await;
    fixture.until(run, |_, journal| votes(2)(journal)).await;
    let mut dan = person("dan", "sre");
    dan.disabled = true;
    fixture.demo().put_principal(&dan, &[]).await.unwrap();
    fixture
        .demo()
        .put_principal(&person("eve", "sre"), &[])
        .await
        .unwrap();
    worker.rules_changed(&"demo".parse().unwrap());
    fixture.vote(run, "cho", Verdict::Approve).await;
    fixture.vote(run, "eve", Verdict::Approve).await;
    worker.join(run).await;
    assert_eq!(fixture.row(run).await.status, RunStatus::Succeeded);
    let audit = fixture.audit().await;
    let of = |kind: &str| {
        let found: Vec<_> = audit.iter().filter(|record| record.kind == kind).collect();
        assert_eq!(found.len(), 1, "{kind}");
        found[0]
    };
    assert_eq!(of("run.started").actor, "agent:helper");
    assert_eq!(
        of("attempt.started").data["allowed"]["votes"],
        json!(["cho", "eve"])
    );
    let granted = of("approval.granted").data["votes"].as_array().unwrap();
    let voters: Vec<_> = granted
        .iter()
        .map(|vote| vote["voter"].as_str().unwrap())
        .collect();
    assert_eq!(voters, ["cho", "eve"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn votes_that_nobody_asks_for_are_not_said_to_count() {
    let fixture = Fixture::new().await;
    fixture.servers(1, "prod").await;
    let worker = fixture.worker().await;
    let new = fixture
        .run_of("targets: {selector: role=web}\njobs: {work: {steps: [{id: a, uses: reattach@v1}, {id: b, uses: look@v1}]}}")
        .await;
    let run = new.run;
    worker.admit(new).await.unwrap();
    fixture.until_status(run, RunStatus::Waiting).await;
    for voter in ["ben", "cho"] {
        fixture.vote(run, voter, Verdict::Approve).await;
    }
    worker.join(run).await;
    let audit = fixture.audit().await;
    let allowed = audit.iter().filter(|record| record.kind == "attempt.started");
    let votes: Vec<_> = allowed
        .map(|record| record.data["allowed"]["votes"].clone())
        .collect();
    // Newest first: looking needs nobody.
    assert_eq!(votes, [json!([]), json!(["ben", "cho"])]);
}
