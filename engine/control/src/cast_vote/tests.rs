//! Votes from the request to the end of the run.

use clawd_model::api::{ApprovalView, CastVote, CreateSignInLink, CreateToken, PutPrincipal, RunView};
use clawd_model::{ApprovalStatus, Digest, Event, PrincipalKind, RunId, RunStatus, Verdict};
use futures::StreamExt;

use super::{CastVoteError, cast_vote};
use crate::testing::{OTHER_TENANT, World};
use crate::{
    ApprovalOn, ApprovalRead, Caller, ListApprovals, PrincipalWrite, Refused, RunRead, RunRow, TokenCreate,
    VoteCast, create_sign_in_link, create_token, list_approvals, put_principal, run_events, show_approval,
    show_run,
};

async fn approvals(world: &World, who: &str) -> Vec<ApprovalView> {
    let caller = world.caller(who).await;
    let permit = world.app.permit::<ApprovalRead>(&caller).await.unwrap();
    list_approvals(
        &permit,
        ListApprovals {
            open_only: true,
            ..ListApprovals::default()
        },
    )
    .await
    .unwrap()
    .items
}

async fn vote(world: &World, who: &str, verdict: Verdict, subject: Digest) -> Result<(), String> {
    vote_as(world, &world.caller(who).await, verdict, subject).await
}

async fn vote_as(world: &World, caller: &Caller, verdict: Verdict, subject: Digest) -> Result<(), String> {
    let id = approvals(world, "vic").await[0].approval.id;
    let permit = world
        .app
        .permit_on::<VoteCast, ApprovalOn>(caller, &id)
        .await
        .map_err(|error| match error {
            Refused::Denied { reasons, .. } => reasons.join("; "),
            other => other.to_string(),
        })?;
    let cast = CastVote {
        verdict,
        subject,
        comment: "looks right".to_owned(),
    };
    cast_vote(&permit, cast)
        .await
        .map(drop)
        .map_err(|error| error.to_string())
}

async fn run(world: &World, id: RunId) -> RunView {
    let ana = world.caller("ana").await;
    let permit = world.app.permit_on::<RunRead, RunRow>(&ana, &id).await.unwrap();
    show_run(&permit).await.unwrap()
}

/// Waits until an event happens, from the beginning of the run on.
async fn wait_for(world: &World, id: RunId, wanted: impl Fn(&Event) -> bool) {
    let ana = world.caller("ana").await;
    let permit = world.app.permit_on::<RunRead, RunRow>(&ana, &id).await.unwrap();
    let mut events = Box::pin(run_events(&permit, 0));
    while let Some(recorded) = events.next().await {
        if wanted(&recorded.unwrap().event) {
            return;
        }
    }
    panic!("the run ended without it");
}

fn votes_of<'a>(name: &'a str) -> impl Fn(&Event) -> bool + 'a {
    move |event| matches!(event, Event::VoteCast { vote } if vote.voter.as_str() == name)
}

#[tokio::test]
async fn two_people_of_sre_let_production_pass() {
    let world = World::new().await;
    let started = world.start_patch().await;
    let open = approvals(&world, "ben").await;
    assert_eq!(open.len(), 1);
    let subject = open[0].subject_digest;
    assert!(open[0].may_vote);
    vote(&world, "ben", Verdict::Approve, subject).await.unwrap();
    wait_for(&world, started.id, votes_of("ben")).await;
    assert_eq!(
        run(&world, started.id).await.summary.status,
        RunStatus::Waiting,
        "one is not enough"
    );
    assert_eq!(approvals(&world, "ben").await[0].own_vote, Some(Verdict::Approve));
    vote(&world, "cho", Verdict::Approve, subject).await.unwrap();
    wait_for(&world, started.id, |event| {
        matches!(event, Event::RunFinished { .. })
    })
    .await;
    let over = run(&world, started.id).await;
    assert_eq!(over.summary.status, RunStatus::Succeeded);
    let step = &over.jobs[1].lanes[1].steps[0];
    assert_eq!(step.path, "rollout/web-1/apply");
    assert_eq!(step.status.as_str(), "changed");
    assert_eq!(step.attempt, 1);
    assert!(step.decision.as_ref().unwrap().is_allow());
    assert!(approvals(&world, "ben").await.is_empty());
}

#[tokio::test]
async fn a_no_ends_the_request_even_after_a_yes_of_the_same_person() {
    let world = World::new().await;
    let started = world.start_patch().await;
    let subject = approvals(&world, "ben").await[0].subject_digest;
    vote(&world, "ben", Verdict::Approve, subject).await.unwrap();
    vote(&world, "ben", Verdict::Reject, subject).await.unwrap();
    wait_for(&world, started.id, |event| {
        matches!(event, Event::RunFinished { .. })
    })
    .await;
    assert_eq!(run(&world, started.id).await.summary.status, RunStatus::Denied);
    let admin = world.caller("admin").await;
    let permit = world.app.permit::<ApprovalRead>(&admin).await.unwrap();
    let all = list_approvals(&permit, ListApprovals::default())
        .await
        .unwrap()
        .items;
    assert_eq!(all[0].approval.status, ApprovalStatus::Rejected);
    assert_eq!(all[0].may_not_vote_because, ["the request is rejected"]);
}

#[tokio::test]
async fn a_vote_binds_to_what_the_voter_saw() {
    let world = World::new().await;
    world.start_patch().await;
    let error = vote(&world, "ben", Verdict::Approve, Digest::of(b"something else"))
        .await
        .unwrap_err();
    assert!(error.contains("the request is about"), "{error}");
}

#[tokio::test]
async fn who_may_not_vote_is_told_why_and_the_refusal_is_recorded() {
    let world = World::new().await;
    world.start_patch().await;
    let view = &approvals(&world, "ana").await[0];
    assert!(!view.may_vote);
    assert_eq!(
        view.may_not_vote_because,
        ["the person who asks does not vote on it"]
    );
    let error = vote(&world, "ana", Verdict::Approve, view.subject_digest)
        .await
        .unwrap_err();
    assert_eq!(error, "the person who asks does not vote on it");
    vote(&world, "vic", Verdict::Approve, view.subject_digest)
        .await
        .unwrap_err();
    let admin = world.caller("admin").await;
    let permit = world.app.permit::<crate::AuditRead>(&admin).await.unwrap();
    let refused = crate::ListAudit {
        kind: Some("access.refused".to_owned()),
        ..crate::ListAudit::default()
    };
    let actors: Vec<String> = crate::list_audit(&permit, refused)
        .await
        .unwrap()
        .items
        .into_iter()
        .map(|record| record.actor)
        .collect();
    assert_eq!(actors, ["user:vic", "user:ana"]);
}

/// A token for somebody, made with what `issuer` signed in with; and that somebody, signed in with it.
async fn issued(world: &World, issuer: &Caller, whom: &str) -> Caller {
    let permit = world.app.permit::<TokenCreate>(issuer).await.unwrap();
    let wanted = CreateToken {
        principal: Some(whom.parse().unwrap()),
        label: "laptop".to_owned(),
        scopes: Vec::new(),
        lifetime_ms: None,
    };
    let made = create_token(&permit, wanted).await.unwrap();
    world.app.sign_in_with_token(&made.secret).await.unwrap()
}

/// Somebody, signed in to the console with a link that `issuer` made.
async fn linked(world: &World, issuer: &Caller, whom: &str) -> Caller {
    let permit = world.app.permit::<TokenCreate>(issuer).await.unwrap();
    let wanted = CreateSignInLink {
        principal: Some(whom.parse().unwrap()),
    };
    let link = create_sign_in_link(&permit, wanted).await.unwrap();
    let link = link.path.strip_prefix("/sign-in/").unwrap();
    world.app.sign_in_with_link(link).await.unwrap().caller
}

const OF_ADMIN: &str = "that you signed in with was issued by `admin`, who asks";

#[tokio::test]
async fn nobody_votes_with_a_credential_that_the_one_who_asks_has_made() {
    let world = World::new().await;
    let admin = world.caller("admin").await;
    let run = world.start_patch_as(&admin).await;
    let subject = approvals(&world, "vic").await[0].subject_digest;
    let ben = issued(&world, &admin, "ben").await;
    let cho = linked(&world, &admin, "cho").await;
    // What is made with it inherits it, also where its own principal makes it.
    let again = issued(&world, &ben, "ben").await;
    let session = linked(&world, &again, "ben").await;
    let last = issued(&world, &session, "ben").await;
    for caller in [&ben, &cho, &again, &session, &last] {
        let refused = vote_as(&world, caller, Verdict::Approve, subject)
            .await
            .unwrap_err();
        assert!(refused.contains(OF_ADMIN), "{refused}");
        // Said before it is tried, too.
        let permit = world.app.permit::<ApprovalRead>(caller).await.unwrap();
        let view = list_approvals(&permit, ListApprovals::default())
            .await
            .unwrap()
            .items
            .remove(0);
        assert!(
            !view.may_vote && view.may_not_vote_because[0].contains(OF_ADMIN),
            "{view:#?}"
        );
    }
    // Their own, which the operator of the machine has given them, do.
    vote(&world, "ben", Verdict::Approve, subject).await.unwrap();
    vote(&world, "cho", Verdict::Approve, subject).await.unwrap();
    wait_for(&world, run.id, |event| matches!(event, Event::RunFinished { .. })).await;
}

#[tokio::test]
async fn whoever_answers_for_an_agent_makes_no_votes_for_it() {
    let world = World::new().await;
    let admin = world.caller("admin").await;
    let permit = world.app.permit::<PrincipalWrite>(&admin).await.unwrap();
    let agent = PutPrincipal {
        kind: PrincipalKind::Agent,
        display_name: String::new(),
        groups: vec!["operator".parse().unwrap()],
        operator: Some("admin".parse().unwrap()),
        disabled: false,
    };
    put_principal(&permit, "bot".parse().unwrap(), agent)
        .await
        .unwrap();
    world.start_patch_as(&world.caller("bot").await).await;
    let subject = approvals(&world, "vic").await[0].subject_digest;
    let ben = issued(&world, &admin, "ben").await;
    let refused = vote_as(&world, &ben, Verdict::Approve, subject)
        .await
        .unwrap_err();
    assert!(refused.contains(OF_ADMIN), "{refused}");
    vote(&world, "ben", Verdict::Approve, subject).await.unwrap();
}

/// What remains possible stands in the audit log: who issued what a vote was cast with.
#[tokio::test]
async fn the_record_of_a_vote_says_what_it_was_cast_with() {
    let world = World::new().await;
    world.start_patch().await;
    let subject = approvals(&world, "vic").await[0].subject_digest;
    let admin = world.caller("admin").await;
    let ben = issued(&world, &admin, "ben").await;
    let cho = linked(&world, &world.caller("cho").await, "cho").await;
    for caller in [&ben, &cho] {
        vote_as(&world, caller, Verdict::Approve, subject).await.unwrap();
    }
    let permit = world.app.permit::<crate::AuditRead>(&admin).await.unwrap();
    let votes = crate::ListAudit {
        kind: Some("vote.cast".to_owned()),
        ..crate::ListAudit::default()
    };
    let votes = crate::list_audit(&permit, votes).await.unwrap().items;
    let credential = |at: usize| votes[at].data["credential"].clone();
    assert_eq!(credential(1)["id"], ben.credential().to_string());
    assert_eq!(credential(1)["issued_by"], serde_json::json!(["admin"]));
    assert_eq!(
        credential(1)["made_with"],
        serde_json::json!([admin.credential()])
    );
    assert!(
        credential(0)["id"].as_str().unwrap().starts_with("ses_"),
        "{votes:#?}"
    );
    assert_eq!(credential(0)["issued_by"], serde_json::json!([]));
}

#[tokio::test]
async fn the_request_shows_what_the_job_would_change() {
    let world = World::new().await;
    world.start_patch().await;
    let ben = world.caller("ben").await;
    let id = approvals(&world, "ben").await[0].approval.id;
    let permit = world
        .app
        .permit_on::<ApprovalRead, ApprovalOn>(&ben, &id)
        .await
        .unwrap();
    let view = show_approval(&permit).await.unwrap();
    assert!(view.steps.iter().all(|step| step.job.as_str() == "rollout"));
    assert!(view.steps.iter().any(|step| step.change.is_some()));
    let dora = world
        .app
        .sign_in_with_token(&world.token_in(OTHER_TENANT, "dora").await)
        .await
        .unwrap();
    let refused = world
        .app
        .permit_on::<ApprovalRead, ApprovalOn>(&dora, &id)
        .await
        .unwrap_err();
    assert!(matches!(refused, Refused::NotFound { .. }));
}

#[tokio::test]
async fn a_run_that_is_over_takes_no_votes() {
    let world = World::new().await;
    let started = world.start_patch().await;
    let ben = world.caller("ben").await;
    let view = approvals(&world, "ben").await.remove(0);
    let permit = world
        .app
        .permit_on::<VoteCast, ApprovalOn>(&ben, &view.approval.id)
        .await
        .unwrap();
    vote(&world, "cho", Verdict::Reject, view.subject_digest)
        .await
        .unwrap();
    wait_for(&world, started.id, |event| {
        matches!(event, Event::RunFinished { .. })
    })
    .await;
    let cast = CastVote {
        verdict: Verdict::Approve,
        subject: view.subject_digest,
        comment: String::new(),
    };
    let error = cast_vote(&permit, cast).await.unwrap_err();
    assert!(matches!(error, CastVoteError::NotOpen(_)), "{error}");
    let ana = world.caller("ana").await;
    let cancel = world
        .app
        .permit_on::<crate::RunCancel, RunRow>(&ana, &started.id)
        .await
        .unwrap();
    assert_eq!(
        crate::cancel_run(&cancel, "late").await.unwrap_err().to_string(),
        "the run is over: denied"
    );
}

#[tokio::test]
async fn a_cancelled_run_says_who_and_why() {
    let world = World::new().await;
    let started = world.start_patch().await;
    let ana = world.caller("ana").await;
    let cancel = world
        .app
        .permit_on::<crate::RunCancel, RunRow>(&ana, &started.id)
        .await
        .unwrap();
    crate::cancel_run(&cancel, "wrong day").await.unwrap();
    let asked = |event: &Event| matches!(event, Event::CancelRequested { by, reason } if by.as_str() == "ana" && reason == "wrong day");
    wait_for(&world, started.id, asked).await;
}
