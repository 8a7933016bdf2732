//! One tenant neither sees nor changes what another one has: every function of `TenantStore` is tried with the ids,
//! names and digests of another tenant's things.

use std::collections::BTreeMap;

use clawd_model::{
    AttemptId, CredentialId, Digest, DurationMs, Facts, Origin, RunId, Server, SessionId, StepRef, Timestamp,
    TokenId,
};
use clawd_store::{
    ApprovalFilter, AuditFilter, Claim, CommitError, Link, LockChange, Message, RunFilter, Session, Stream,
    TenantStore, Token, Turn, WriteError,
};
use serde_json::json;

use crate::fixture::{Fixture, NOW, approval, draft, first_turn, next_turn, plan, principal, read};

const LATER: Timestamp = Timestamp(NOW.0 + 3_600_000);

fn missing(answer: Result<(), WriteError>) {
    assert!(
        matches!(answer, Err(WriteError::Missing(_) | WriteError::Changed(_))),
        "{answer:?}"
    );
}

/// Every function is tried below: a new one fails here until it is, too.
#[test]
fn no_function_was_forgotten() {
    let sources = [
        include_str!("../../src/approval.rs"),
        include_str!("../../src/audit.rs"),
        include_str!("../../src/bundle.rs"),
        include_str!("../../src/export.rs"),
        include_str!("../../src/idempotency.rs"),
        include_str!("../../src/inbox.rs"),
        include_str!("../../src/journal.rs"),
        include_str!("../../src/lib.rs"),
        include_str!("../../src/lock.rs"),
        include_str!("../../src/output.rs"),
        include_str!("../../src/plan.rs"),
        include_str!("../../src/principal.rs"),
        include_str!("../../src/run.rs"),
        include_str!("../../src/runbook.rs"),
        include_str!("../../src/server.rs"),
        include_str!("../../src/session.rs"),
        include_str!("../../src/tenant.rs"),
        include_str!("../../src/token.rs"),
    ];
    let files = sources[7]
        .lines()
        .filter(|line| line.starts_with("pub mod "))
        .count();
    // Of the public modules these have no functions of a tenant: error, lease, store.
    assert_eq!(
        files,
        sources.len() - 1 + 3,
        "a new file belongs into the list above"
    );
    let this = include_str!("isolation.rs");
    let mut seen = 0;
    for source in sources {
        let Some((_, functions)) = source.split_once("impl TenantStore {") else {
            continue;
        };
        let functions = functions.split("\nimpl ").next().unwrap();
        for line in functions.lines() {
            let Some((_, rest)) = line.split_once("    pub async fn ") else {
                continue;
            };
            let name = rest.split('(').next().unwrap();
            assert!(this.contains(&format!(".{name}(")), "`{name}` is not tried");
            seen += 1;
        }
    }
    assert!(seen > 35, "found only {seen} functions");
}

async fn unchanged(acme: &TenantStore, records: usize) {
    assert_eq!(
        acme.audit_leaves().await.unwrap().len(),
        records,
        "nothing was recorded for the other tenant"
    );
}

#[tokio::test]
async fn servers_and_principals() {
    let fixture = Fixture::new().await;
    let (acme, demo) = (fixture.acme(), fixture.demo());
    let server = fixture.server("acme", "web-1");
    acme.put_server(&server, &[]).await.unwrap();
    acme.put_principal(&principal("acme", "eve"), &[]).await.unwrap();
    assert_eq!(demo.servers().await.unwrap(), []);
    assert_eq!(demo.server(server.id).await.unwrap(), None);
    assert_eq!(demo.server_by_name(&server.name).await.unwrap(), None);
    assert_eq!(demo.principals().await.unwrap(), []);
    assert_eq!(demo.principal(&read("eve")).await.unwrap(), None);
    assert!(demo.groups().await.unwrap().is_empty());
    let audit = [draft("tried", "it")];
    let facts = Facts {
        values: json!({}),
        at: NOW,
    };
    missing(demo.put_facts(server.id, &facts, &audit).await);
    missing(demo.remove_server(server.id, &audit).await);
    for version in [0, 1] {
        let stolen = Server {
            version,
            tenant: read("demo"),
            ..server.clone()
        };
        missing(demo.put_server(&stolen, &audit).await);
    }
    assert_eq!(acme.server(server.id).await.unwrap().unwrap().version, 1);
    // The handle decides whose it is, not the document.
    demo.put_principal(&principal("acme", "mallory"), &[])
        .await
        .unwrap();
    assert_eq!(acme.principals().await.unwrap().len(), 1);
    demo.put_server(&fixture.server("acme", "web-1"), &[])
        .await
        .unwrap();
    assert_eq!(demo.servers().await.unwrap()[0].tenant, read("demo"));
    assert_eq!(acme.servers().await.unwrap().len(), 1);
    unchanged(&acme, 1).await;
}

#[tokio::test]
async fn tokens_links_and_sessions() {
    let fixture = Fixture::new().await;
    let (acme, demo) = (fixture.acme(), fixture.demo());
    acme.put_principal(&principal("acme", "eve"), &[]).await.unwrap();
    let (secret, link, session) = (Digest::of(b"t"), Digest::of(b"l"), Digest::of(b"s"));
    let token = Token {
        id: TokenId::new(NOW, &fixture.entropy),
        tenant: read("acme"),
        principal: read("eve"),
        label: String::new(),
        scopes: Vec::new(),
        created_at: NOW,
        expires_at: LATER,
        revoked_at: None,
        origin: Origin::default(),
    };
    let a_link = Link {
        tenant: read("acme"),
        principal: read("eve"),
        created_at: NOW,
        expires_at: LATER,
        session_until: None,
        origin: Origin::default(),
    };
    let a_session = Session {
        id: SessionId::new(NOW, &fixture.entropy),
        tenant: read("acme"),
        principal: read("eve"),
        created_at: NOW,
        expires_at: LATER,
        origin: Origin::default(),
    };
    let id = a_session.id;
    acme.put_token(&token, secret, &[]).await.unwrap();
    acme.put_link(&a_link, link, &[]).await.unwrap();
    acme.put_session(&a_session, session, &[]).await.unwrap();
    let audit = [draft("tried", "it")];
    assert_eq!(demo.tokens().await.unwrap(), []);
    missing(demo.revoke_token(token.id, &audit).await);
    let another = Token {
        id: TokenId::new(NOW, &fixture.entropy),
        ..token.clone()
    };
    missing(demo.put_token(&another, Digest::of(b"other"), &audit).await);
    missing(demo.put_link(&a_link, Digest::of(b"other"), &audit).await);
    missing(demo.put_session(&a_session, Digest::of(b"other"), &audit).await);
    // Nothing is made with another tenant's token, not even for somebody of one's own.
    demo.put_principal(&principal("demo", "mallory"), &[])
        .await
        .unwrap();
    let with_theirs = Token {
        principal: read("mallory"),
        origin: token
            .origin
            .child(CredentialId::Token(token.id), &read("eve"), &read("mallory")),
        ..another.clone()
    };
    missing(demo.put_token(&with_theirs, Digest::of(b"other"), &audit).await);
    missing(
        demo.redeem_link(link, (id, Digest::of(b"other")), LATER, &audit)
            .await,
    );
    missing(
        demo.rotate_session(session, Digest::of(b"other"), NOW, &audit)
            .await,
    );
    missing(demo.end_session((id, session), &audit).await);
    assert_eq!(
        fixture.store.token_by_hash(secret).await.unwrap().unwrap().tenant,
        read("acme")
    );
    assert_eq!(
        fixture
            .store
            .session_by_hash(session)
            .await
            .unwrap()
            .unwrap()
            .tenant,
        read("acme")
    );
    acme.redeem_link(link, (id, Digest::of(b"own")), LATER, &[])
        .await
        .unwrap();
    unchanged(&acme, 1).await;
    unchanged(&demo, 1).await;
}

#[tokio::test]
async fn runbooks_bundles_plans_and_keys() {
    let fixture = Fixture::new().await;
    let (acme, demo) = (fixture.acme(), fixture.demo());
    let (name, digest) = (read("patch-security"), Digest::of(b"it"));
    acme.publish_runbook(&name, digest, "a: 1", &read("eve"), &[])
        .await
        .unwrap();
    acme.publish_bundle(digest, &BTreeMap::new(), &read("eve"), &[])
        .await
        .unwrap();
    let planned = acme.put_plan(&plan("acme"), &[]).await.unwrap();
    assert_eq!(demo.runbooks().await.unwrap(), []);
    assert_eq!(demo.runbook(&name).await.unwrap(), None);
    assert_eq!(demo.runbook_versions(&name).await.unwrap(), []);
    assert_eq!(demo.runbook_by_digest(digest).await.unwrap(), None);
    assert_eq!(demo.bundle().await.unwrap(), None);
    assert_eq!(demo.bundles().await.unwrap(), []);
    assert_eq!(demo.bundle_by_digest(digest).await.unwrap(), None);
    assert_eq!(demo.plan(planned).await.unwrap(), None);
    // Publishing here leaves what is active there.
    demo.publish_runbook(&name, Digest::of(b"other"), "a: 2", &read("ana"), &[])
        .await
        .unwrap();
    demo.publish_bundle(Digest::of(b"other"), &BTreeMap::new(), &read("ana"), &[])
        .await
        .unwrap();
    assert_eq!(acme.runbook(&name).await.unwrap().unwrap().digest, digest);
    assert_eq!(acme.bundle().await.unwrap().unwrap().digest, digest);

    let (eve, ttl) = (read("eve"), DurationMs(1000));
    assert_eq!(
        acme.claim_key(&eve, "key", digest, ttl).await.unwrap(),
        Claim::New
    );
    missing(demo.finish_key(&eve, "key", "answer").await);
    demo.release_key(&eve, "key").await.unwrap();
    assert_eq!(
        acme.claim_key(&eve, "key", digest, ttl).await.unwrap(),
        Claim::UnderWay
    );
    assert_eq!(
        demo.claim_key(&eve, "key", digest, ttl).await.unwrap(),
        Claim::New
    );
}

async fn acme_run(fixture: &Fixture) -> (RunId, AttemptId) {
    let run = fixture.run_id();
    let lease = fixture.lease(run).await;
    fixture
        .store
        .commit(first_turn("acme", run, &lease))
        .await
        .unwrap();
    let attempt = AttemptId::derive(
        &read("acme"),
        run,
        StepRef {
            job: 0,
            lane: 0,
            step: 0,
        },
        1,
    );
    let tenant = read("acme");
    let output = fixture
        .store
        .append_output(&tenant, run, attempt, Stream::Out, b"secret".to_vec(), NOW);
    output.await.unwrap();
    let asked = approval(fixture, "acme", run);
    let turn = Turn {
        approvals: vec![asked],
        locks: vec![LockChange::Queue("env/prod".to_owned())],
        ..next_turn("acme", run, &lease, 2, 1)
    };
    fixture.store.commit(turn).await.unwrap();
    // Whoever commits for the wrong tenant is refused, whatever lease they hold.
    let wrong = fixture.store.commit(next_turn("demo", run, &lease, 3, 1)).await;
    assert!(matches!(wrong, Err(CommitError::Invalid(_))), "{wrong:?}");
    (run, attempt)
}

#[tokio::test]
async fn runs_and_what_belongs_to_them() {
    let fixture = Fixture::new().await;
    let (acme, demo) = (fixture.acme(), fixture.demo());
    let (run, attempt) = acme_run(&fixture).await;
    let asked = acme.approvals(&ApprovalFilter::default()).await.unwrap();
    assert_eq!(
        (asked.len(), acme.output(attempt, 0, 9).await.unwrap().len()),
        (1, 1)
    );
    assert_eq!(acme.events(run, 0, 9).await.unwrap().len(), 2);
    assert_eq!(demo.runs(&RunFilter::default()).await.unwrap(), []);
    assert_eq!(demo.run(run).await.unwrap(), None);
    assert_eq!(demo.run_plan(run).await.unwrap(), None);
    assert_eq!(demo.events(run, 0, 9).await.unwrap(), []);
    assert_eq!(demo.output(attempt, 0, 9).await.unwrap(), []);
    assert_eq!(
        demo.approvals(&ApprovalFilter {
            run: Some(run),
            ..ApprovalFilter::default()
        })
        .await
        .unwrap(),
        []
    );
    assert_eq!(demo.approval(asked[0].id).await.unwrap(), None);
    assert!(acme.lock_of(run).await.unwrap().is_some());
    assert_eq!(demo.lock_of(run).await.unwrap(), None);
    let message = Message::Cancel {
        by: read("ana"),
        reason: String::new(),
    };
    missing(demo.post(&message, run, &[draft("tried", "it")]).await);
    assert_eq!(fixture.store.inbox(run).await.unwrap(), []);
    unchanged(&acme, 3).await;
}

#[tokio::test]
async fn audit_logs() {
    let fixture = Fixture::new().await;
    let (acme, demo) = (fixture.acme(), fixture.demo());
    let (run, _) = acme_run(&fixture).await;
    acme.checkpoint().await.unwrap();
    demo.record(&[draft("sign_in.refused", "ana")]).await.unwrap();
    assert_eq!(demo.audit(&AuditFilter::default()).await.unwrap().len(), 2);
    assert_eq!(
        demo.audit(&AuditFilter {
            run: Some(run),
            ..AuditFilter::default()
        })
        .await
        .unwrap(),
        []
    );
    assert_eq!(demo.audit_record(2).await.unwrap(), None);
    assert_eq!(demo.audit_bodies(0, 9).await.unwrap().len(), 2);
    assert_eq!(demo.audit_leaves().await.unwrap().len(), 2);
    assert_eq!(demo.audit_proof(2).await.unwrap(), None);
    assert_eq!(demo.checkpoints().await.unwrap(), []);
    assert_eq!(demo.newest_checkpoint().await.unwrap(), None);
    assert_ne!(demo.verifier_key(), acme.verifier_key());
    let mut export = demo.export_audit().await.unwrap();
    let text = export.next().await.unwrap().unwrap();
    assert!(text.contains("demo") && !text.contains("acme"), "{text}");
    // A tenant that does not exist has nothing, and nothing can be recorded for it.
    let nobody = fixture.store.tenant(read("nobody"));
    assert_eq!(nobody.audit(&AuditFilter::default()).await.unwrap(), []);
    missing(nobody.record(&[draft("tried", "it")]).await);
    assert!(nobody.checkpoint().await.is_err());
    unchanged(&acme, 3).await;
}
