//! Servers, principals, runbooks, bundles and plans read back as they were put.

use std::collections::BTreeMap;

use clawd_model::{Digest, DurationMs, Facts, Principal, PrincipalKind, Server, ServerProvider};
use clawd_store::WriteError;
use serde_json::json;

use crate::fixture::{Fixture, NOW, draft, first_turn, plan, principal, read};

#[tokio::test]
async fn a_server_is_added_changed_and_removed() {
    let fixture = Fixture::new().await;
    let demo = fixture.demo();
    let audit = [draft("server.put", "server/web-1")];
    let added = Server {
        provider: ServerProvider::Ssh,
        host_key: Some("ssh-ed25519 AAAA".to_owned()),
        identity: Some(read("id_ed25519")),
        protected: true,
        ..fixture.server("demo", "web-1")
    };
    demo.put_server(&added, &audit).await.unwrap();
    let stored = demo.server(added.id).await.unwrap().unwrap();
    assert_eq!(
        stored,
        Server {
            version: 1,
            ..added.clone()
        }
    );
    assert_eq!(
        demo.server_by_name(&added.name).await.unwrap(),
        Some(stored.clone())
    );
    // Of two who edit the same version, the second is told.
    let edited = Server {
        env: "staging".to_owned(),
        ..stored.clone()
    };
    demo.put_server(&edited, &audit).await.unwrap();
    let late = demo
        .put_server(
            &Server {
                env: "dev".to_owned(),
                ..stored
            },
            &audit,
        )
        .await;
    assert!(matches!(late, Err(WriteError::Changed("server"))), "{late:?}");
    let stored = demo.server(added.id).await.unwrap().unwrap();
    assert_eq!((stored.env.as_str(), stored.version), ("staging", 2));
    let taken = demo.put_server(&fixture.server("demo", "web-1"), &audit).await;
    assert!(matches!(taken, Err(WriteError::Exists("server"))), "{taken:?}");

    let facts = |at, kernel: &str| Facts {
        values: json!({"kernel": kernel}),
        at,
    };
    let later = NOW.plus(DurationMs(10));
    demo.put_facts(added.id, &facts(later, "6.1"), &[]).await.unwrap();
    demo.put_facts(added.id, &facts(NOW, "5.0"), &[]).await.unwrap();
    let known = demo.server(added.id).await.unwrap().unwrap();
    assert_eq!(
        known.facts,
        Some(facts(later, "6.1")),
        "older facts do not replace newer ones"
    );
    assert_eq!(known.version, 2);

    demo.remove_server(added.id, &audit).await.unwrap();
    assert_eq!(demo.servers().await.unwrap(), []);
    let edited = demo.put_server(&known, &audit).await;
    assert!(matches!(edited, Err(WriteError::Changed("server"))), "{edited:?}");
    let again = demo.remove_server(added.id, &audit).await;
    assert!(matches!(again, Err(WriteError::Missing("server"))), "{again:?}");
    // Added, edited, removed: what was refused is not on record.
    let records = demo.audit(&clawd_store::AuditFilter::default()).await.unwrap();
    assert_eq!(
        records
            .iter()
            .filter(|record| record.kind == "server.put")
            .count(),
        3
    );
}

#[tokio::test]
async fn principals_are_put_and_replaced() {
    let fixture = Fixture::new().await;
    let demo = fixture.demo();
    let ana = principal("demo", "ana");
    let agent = Principal {
        kind: PrincipalKind::Agent,
        operator: Some(read("ana")),
        groups: vec![read("viewer")],
        ..principal("demo", "robo")
    };
    demo.put_principal(&agent, &[]).await.unwrap();
    demo.put_principal(&ana, &[]).await.unwrap();
    assert_eq!(demo.principals().await.unwrap(), [ana.clone(), agent]);
    let groups: Vec<_> = demo
        .groups()
        .await
        .unwrap()
        .into_iter()
        .map(|group| group.to_string())
        .collect();
    assert_eq!(groups, ["operator", "sre", "viewer"]);
    let left = Principal {
        disabled: true,
        groups: Vec::new(),
        ..ana
    };
    demo.put_principal(&left, &[]).await.unwrap();
    assert_eq!(demo.principal(&read("ana")).await.unwrap(), Some(left));
    assert_eq!(demo.principal(&read("nobody")).await.unwrap(), None);
}

#[tokio::test]
async fn one_version_of_a_runbook_is_active_and_all_are_kept() {
    let fixture = Fixture::new().await;
    let demo = fixture.demo();
    let name = read("patch-security");
    let (first, second) = (Digest::of(b"first"), Digest::of(b"second"));
    demo.publish_runbook(&name, first, "a: 1", &read("ana"), &[])
        .await
        .unwrap();
    fixture.clock.advance(DurationMs(5));
    demo.publish_runbook(&name, second, "a: 2", &read("ben"), &[])
        .await
        .unwrap();
    demo.publish_runbook(&read("other"), first, "a: 1", &read("ben"), &[])
        .await
        .unwrap();
    assert_eq!(demo.runbook(&name).await.unwrap().unwrap().source, "a: 2");
    assert_eq!(
        demo.runbook_by_digest(second)
            .await
            .unwrap()
            .unwrap()
            .published_by,
        read("ben")
    );
    let versions = demo.runbook_versions(&name).await.unwrap();
    assert_eq!(
        versions
            .iter()
            .map(|version| (version.digest, version.active))
            .collect::<Vec<_>>(),
        [(second, true), (first, false)]
    );
    demo.publish_runbook(&name, first, "a: 1", &read("cho"), &[])
        .await
        .unwrap();
    let active = demo.runbook(&name).await.unwrap().unwrap();
    assert_eq!(
        (active.digest, active.published_by),
        (first, read("ana")),
        "who published it first stays on record"
    );
    let names: Vec<_> = demo
        .runbooks()
        .await
        .unwrap()
        .into_iter()
        .map(|runbook| runbook.name)
        .collect();
    assert_eq!(names, [read("other"), name]);
}

#[tokio::test]
async fn one_bundle_is_active_and_all_are_kept() {
    let fixture = Fixture::new().await;
    let demo = fixture.demo();
    assert_eq!(demo.bundle().await.unwrap(), None);
    let files = |text: &str| BTreeMap::from([("a.cedar".to_owned(), text.to_owned())]);
    let (first, second) = (Digest::of(b"first"), Digest::of(b"second"));
    demo.publish_bundle(first, &files("permit"), &read("ana"), &[])
        .await
        .unwrap();
    fixture.clock.advance(DurationMs(5));
    demo.publish_bundle(second, &files("forbid"), &read("ana"), &[])
        .await
        .unwrap();
    assert_eq!(demo.bundle().await.unwrap().unwrap().files, files("forbid"));
    assert_eq!(
        demo.bundle_by_digest(first).await.unwrap().unwrap().files,
        files("permit")
    );
    demo.publish_bundle(first, &files("permit"), &read("ana"), &[])
        .await
        .unwrap();
    assert_eq!(demo.bundle().await.unwrap().unwrap().digest, first);
    assert_eq!(demo.bundles().await.unwrap().len(), 2);
}

/// Two plans with one digest: each run keeps the very one that it was started with.
#[tokio::test]
async fn a_run_keeps_its_own_plan() {
    let fixture = Fixture::new().await;
    let demo = fixture.demo();
    let early = plan("demo");
    let late = clawd_model::Plan {
        at: NOW.plus(DurationMs(5)),
        ..early.clone()
    };
    let digest = demo.put_plan(&early, &[]).await.unwrap();
    assert_eq!(demo.put_plan(&late, &[]).await.unwrap(), digest);
    demo.put_plan(&early, &[]).await.unwrap();
    assert_eq!(demo.plan(digest).await.unwrap(), Some(late));
    assert_eq!(demo.plan(Digest::of(b"none")).await.unwrap(), None);
    let run = fixture.run_id();
    let lease = fixture.lease(run).await;
    fixture
        .store
        .commit(first_turn("demo", run, &lease))
        .await
        .unwrap();
    assert_eq!(demo.run_plan(run).await.unwrap(), Some(early));
}
