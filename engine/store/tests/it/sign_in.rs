//! Tokens, links and sessions: known by digest, limited in time, gone with their principal; a link works once.

use clawd_model::{CredentialId, Digest, DurationMs, Origin, Principal, SessionId, Timestamp, TokenId};
use clawd_store::{Link, Session, Token, WriteError};
use futures::future::join_all;

use crate::fixture::{Fixture, NOW, draft, principal, read};

const HOUR: DurationMs = DurationMs::from_secs(3600);

async fn with_ana() -> Fixture {
    let fixture = Fixture::new().await;
    fixture
        .demo()
        .put_principal(&principal("demo", "ana"), &[])
        .await
        .unwrap();
    fixture
}

async fn disable_ana(fixture: &Fixture) {
    let gone = Principal {
        disabled: true,
        ..principal("demo", "ana")
    };
    fixture.demo().put_principal(&gone, &[]).await.unwrap();
}

fn token(fixture: &Fixture) -> Token {
    Token {
        id: TokenId::new(NOW, &fixture.entropy),
        tenant: read("demo"),
        principal: read("ana"),
        label: "laptop".to_owned(),
        scopes: Vec::new(),
        created_at: NOW,
        expires_at: NOW.plus(HOUR),
        revoked_at: None,
        origin: Origin::default(),
    }
}

fn link(expires_at: Timestamp) -> Link {
    Link {
        tenant: read("demo"),
        principal: read("ana"),
        created_at: NOW,
        expires_at,
        session_until: None,
        origin: Origin::default(),
    }
}

fn session(fixture: &Fixture) -> Session {
    Session {
        id: session_id(fixture),
        tenant: read("demo"),
        principal: read("ana"),
        created_at: NOW,
        expires_at: NOW.plus(HOUR),
        origin: Origin::default(),
    }
}

fn session_id(fixture: &Fixture) -> SessionId {
    SessionId::new(NOW, &fixture.entropy)
}

#[tokio::test]
async fn a_token_works_until_it_expires() {
    let fixture = with_ana().await;
    let hash = Digest::of(b"secret");
    let token = token(&fixture);
    fixture
        .demo()
        .put_token(&token, hash, &[draft("token.created", "ana")])
        .await
        .unwrap();
    assert_eq!(
        fixture.store.token_by_hash(hash).await.unwrap(),
        Some(token.clone())
    );
    assert_eq!(
        fixture.store.token_by_hash(Digest::of(b"guess")).await.unwrap(),
        None
    );
    fixture.clock.advance(DurationMs(HOUR.0 - 1));
    assert!(fixture.store.token_by_hash(hash).await.unwrap().is_some());
    fixture.clock.advance(DurationMs(1));
    assert_eq!(fixture.store.token_by_hash(hash).await.unwrap(), None);
    assert_eq!(fixture.demo().tokens().await.unwrap(), [token]);
}

#[tokio::test]
async fn a_revoked_token_and_that_of_somebody_who_left_are_refused() {
    let fixture = with_ana().await;
    let (first, second) = (Digest::of(b"1"), Digest::of(b"2"));
    let revoked = token(&fixture);
    fixture.demo().put_token(&revoked, first, &[]).await.unwrap();
    fixture
        .demo()
        .put_token(&token(&fixture), second, &[])
        .await
        .unwrap();
    fixture
        .demo()
        .revoke_token(revoked.id, &[draft("token.revoked", "ana")])
        .await
        .unwrap();
    assert_eq!(fixture.store.token_by_hash(first).await.unwrap(), None);
    let again = fixture.demo().revoke_token(revoked.id, &[]).await;
    assert!(matches!(again, Err(WriteError::Missing(_))), "{again:?}");
    assert!(fixture.store.token_by_hash(second).await.unwrap().is_some());
    disable_ana(&fixture).await;
    assert_eq!(fixture.store.token_by_hash(second).await.unwrap(), None);
}

#[tokio::test]
async fn nobody_gets_a_token_without_being_somebody() {
    let fixture = Fixture::new().await;
    let refused = fixture
        .demo()
        .put_token(&token(&fixture), Digest::of(b"1"), &[])
        .await;
    assert!(
        matches!(refused, Err(WriteError::Missing("principal"))),
        "{refused:?}"
    );
}

#[tokio::test]
async fn of_many_who_use_a_link_one_gets_in() {
    let fixture = with_ana().await;
    let demo = fixture.demo();
    let hash = Digest::of(b"link");
    demo.put_link(&link(NOW.plus(HOUR)), hash, &[]).await.unwrap();
    assert_eq!(
        fixture.store.link_by_hash(hash).await.unwrap().unwrap().principal,
        read("ana")
    );
    let sessions: Vec<_> = (0..10_u8).map(|number| Digest::of(&[number])).collect();
    let audit = [draft("session.began", "ana")];
    let redeemed = sessions
        .iter()
        .map(|session| demo.redeem_link(hash, (session_id(&fixture), *session), NOW.plus(HOUR), &audit));
    let redeemed = join_all(redeemed).await;
    assert_eq!(redeemed.iter().filter(|answer| answer.is_ok()).count(), 1);
    for (session, answer) in sessions.iter().zip(&redeemed) {
        let found = fixture.store.session_by_hash(*session).await.unwrap();
        assert_eq!(found.is_some(), answer.is_ok());
    }
    assert_eq!(fixture.store.link_by_hash(hash).await.unwrap(), None);
    let records = demo.audit(&clawd_store::AuditFilter::default()).await.unwrap();
    assert_eq!(
        records
            .iter()
            .filter(|record| record.kind == "session.began")
            .count(),
        1
    );
}

#[tokio::test]
async fn a_link_expires_and_goes_with_its_principal() {
    let fixture = with_ana().await;
    let demo = fixture.demo();
    let (late, gone) = (Digest::of(b"late"), Digest::of(b"gone"));
    demo.put_link(&link(NOW.plus(HOUR)), late, &[]).await.unwrap();
    demo.put_link(&link(NOW.plus(DurationMs(HOUR.0 * 9))), gone, &[])
        .await
        .unwrap();
    let id = session_id(&fixture);
    fixture.clock.advance(HOUR);
    let session = Digest::of(b"session");
    let refused = demo
        .redeem_link(late, (id, session), NOW.plus(DurationMs(HOUR.0 * 9)), &[])
        .await;
    assert!(matches!(refused, Err(WriteError::Missing(_))), "{refused:?}");
    disable_ana(&fixture).await;
    assert_eq!(fixture.store.link_by_hash(gone).await.unwrap(), None);
    let refused = demo
        .redeem_link(gone, (id, session), NOW.plus(DurationMs(HOUR.0 * 9)), &[])
        .await;
    assert!(matches!(refused, Err(WriteError::Missing(_))), "{refused:?}");
    assert_eq!(fixture.store.session_by_hash(session).await.unwrap(), None);
}

#[tokio::test]
async fn a_session_lasts_changes_its_secret_and_ends() {
    let fixture = with_ana().await;
    let demo = fixture.demo();
    let (first, second) = (Digest::of(b"1"), Digest::of(b"2"));
    let begun = session(&fixture);
    demo.put_session(&begun, first, &[]).await.unwrap();
    demo.rotate_session(first, second, NOW.plus(DurationMs(1000)), &[])
        .await
        .unwrap();
    assert!(fixture.store.session_by_hash(first).await.unwrap().is_some());
    fixture.clock.advance(DurationMs(1000));
    assert_eq!(fixture.store.session_by_hash(first).await.unwrap(), None);
    let kept = fixture.store.session_by_hash(second).await.unwrap().unwrap();
    assert_eq!((kept.id, kept.expires_at), (begun.id, NOW.plus(HOUR)));
    demo.end_session((begun.id, second), &[draft("session.ended", "ana")])
        .await
        .unwrap();
    assert_eq!(fixture.store.session_by_hash(second).await.unwrap(), None);
    let again = demo.end_session((begun.id, second), &[]).await;
    assert!(matches!(again, Err(WriteError::Missing("session"))), "{again:?}");
    // The secret that it had a moment ago is gone with it.
    assert_eq!(fixture.store.session_by_hash(first).await.unwrap(), None);
    let third = Digest::of(b"3");
    demo.put_session(&session(&fixture), third, &[]).await.unwrap();
    disable_ana(&fixture).await;
    assert_eq!(fixture.store.session_by_hash(third).await.unwrap(), None);
    // Whoever comes back signs in again.
    demo.put_principal(&principal("demo", "ana"), &[]).await.unwrap();
    assert_eq!(fixture.store.session_by_hash(third).await.unwrap(), None);
}

/// Whatever was made with a token ends with it, at whatever remove, and nothing else does.
#[tokio::test]
async fn what_was_made_with_a_token_ends_with_it() {
    let fixture = with_ana().await;
    let demo = fixture.demo();
    let hash = |text: &str| Digest::of(text.as_bytes());
    let child = |of: CredentialId, origin: &Origin| origin.child(of, &read("ana"), &read("ana"));
    let (first, other) = (token(&fixture), token(&fixture));
    demo.put_token(&first, hash("first"), &[]).await.unwrap();
    demo.put_token(&other, hash("other"), &[]).await.unwrap();
    // first → link → session → second → another link; the session itself ends before the token is revoked.
    let with_first = child(CredentialId::Token(first.id), &first.origin);
    let a_link = Link {
        session_until: Some(NOW.plus(DurationMs(1000))),
        origin: with_first.clone(),
        ..link(NOW.plus(HOUR))
    };
    demo.put_link(&a_link, hash("link"), &[]).await.unwrap();
    let id = session_id(&fixture);
    demo.redeem_link(hash("link"), (id, hash("session")), NOW.plus(HOUR), &[])
        .await
        .unwrap();
    let begun = fixture
        .store
        .session_by_hash(hash("session"))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(begun.origin, with_first);
    assert_eq!(
        begun.expires_at,
        NOW.plus(DurationMs(1000)),
        "no longer than its token"
    );
    let in_session = child(CredentialId::Session(id), &begun.origin);
    let second = Token {
        origin: in_session.clone(),
        ..token(&fixture)
    };
    demo.put_token(&second, hash("second"), &[]).await.unwrap();
    let another = Link {
        origin: child(CredentialId::Token(second.id), &in_session),
        ..link(NOW.plus(HOUR))
    };
    demo.put_link(&another, hash("another"), &[]).await.unwrap();
    fixture.clock.advance(DurationMs(1000));
    assert_eq!(
        fixture.store.session_by_hash(hash("session")).await.unwrap(),
        None
    );
    assert!(
        fixture
            .store
            .token_by_hash(hash("second"))
            .await
            .unwrap()
            .is_some()
    );
    // What has ended makes nothing more.
    let late = Token {
        origin: in_session,
        ..token(&fixture)
    };
    let refused = demo
        .put_token(&late, hash("late"), &[draft("token.created", "ana")])
        .await;
    assert!(
        matches!(refused, Err(WriteError::Missing("credential that lasts"))),
        "{refused:?}"
    );

    demo.revoke_token(first.id, &[]).await.unwrap();
    for gone in ["first", "second"] {
        assert_eq!(
            fixture.store.token_by_hash(hash(gone)).await.unwrap(),
            None,
            "{gone}"
        );
    }
    assert_eq!(fixture.store.link_by_hash(hash("another")).await.unwrap(), None);
    assert!(
        fixture
            .store
            .token_by_hash(hash("other"))
            .await
            .unwrap()
            .is_some()
    );
    let late = Token {
        origin: with_first,
        ..token(&fixture)
    };
    demo.put_token(&late, hash("late"), &[]).await.unwrap_err();
}

#[tokio::test]
async fn what_was_made_in_a_session_ends_with_it() {
    let fixture = with_ana().await;
    let demo = fixture.demo();
    let begun = session(&fixture);
    demo.put_session(&begun, Digest::of(b"s"), &[]).await.unwrap();
    let made = Token {
        origin: begun
            .origin
            .child(CredentialId::Session(begun.id), &read("ana"), &read("ana")),
        ..token(&fixture)
    };
    demo.put_token(&made, Digest::of(b"t"), &[]).await.unwrap();
    demo.end_session((begun.id, Digest::of(b"s")), &[]).await.unwrap();
    assert_eq!(fixture.store.token_by_hash(Digest::of(b"t")).await.unwrap(), None);
}

/// Whoever reads the file, finds no secret that signs in.
#[tokio::test]
async fn the_file_holds_digests_only() {
    let fixture = with_ana().await;
    let demo = fixture.demo();
    let secrets = ["clawd_pat_verysecret", "linkverysecret", "sessionverysecret"];
    let [token_hash, link_hash, session_hash] = secrets.map(|secret| Digest::of(secret.as_bytes()));
    demo.put_token(&token(&fixture), token_hash, &[]).await.unwrap();
    demo.put_link(&link(NOW.plus(HOUR)), link_hash, &[])
        .await
        .unwrap();
    demo.put_session(&session(&fixture), session_hash, &[])
        .await
        .unwrap();
    fixture.store.close().await;
    let file = std::fs::read(fixture.path()).unwrap();
    let text = String::from_utf8_lossy(&file);
    assert!(text.contains(&token_hash.to_hex()), "looked in the wrong place");
    assert!(!text.contains("verysecret"));
}
