//! Tokens, links and sessions from their making to their end.

use clawd_model::DurationMs;
use clawd_model::api::{CreateSignInLink, CreateToken};

use super::SignInError;
use crate::testing::{TENANT, World};
use crate::{AuditRead, ListAudit, TokenCreate, TokenError, create_sign_in_link, create_token, list_audit};

async fn link(world: &World, name: &str) -> String {
    let tenant = TENANT.parse().unwrap();
    let link = world
        .operator
        .sign_in_link(&tenant, &name.parse().unwrap())
        .await
        .unwrap();
    link.path.strip_prefix("/sign-in/").unwrap().to_owned()
}

async fn kinds(world: &World) -> Vec<String> {
    let admin = world.caller("admin").await;
    let permit = world.app.permit::<AuditRead>(&admin).await.unwrap();
    let which = ListAudit {
        kind: Some("session".to_owned()),
        ..ListAudit::default()
    };
    list_audit(&permit, which)
        .await
        .unwrap()
        .items
        .into_iter()
        .map(|record| record.kind)
        .collect()
}

#[tokio::test]
async fn a_link_works_once_and_for_fifteen_minutes() {
    let world = World::new().await;
    let first = link(&world, "ben").await;
    assert_eq!(world.app.look_at_link(&first).await.unwrap().name.as_str(), "ben");
    let session = world.app.sign_in_with_link(&first).await.unwrap();
    assert_eq!(session.caller.principal().name.as_str(), "ben");
    assert!(matches!(
        world.app.sign_in_with_link(&first).await,
        Err(SignInError::Unknown)
    ));
    let second = link(&world, "ben").await;
    world.clock.advance(DurationMs::from_secs(15 * 60));
    assert!(matches!(
        world.app.sign_in_with_link(&second).await,
        Err(SignInError::Unknown)
    ));
    assert!(matches!(
        world.app.sign_in_with_link("clawd_lnk_x").await,
        Err(SignInError::Malformed)
    ));
}

#[tokio::test]
async fn a_session_changes_its_secret_every_hour_and_ends_after_twelve() {
    let world = World::new().await;
    let session = world
        .app
        .sign_in_with_link(&link(&world, "ben").await)
        .await
        .unwrap();
    let first = session.secret.reveal().to_owned();
    assert!(
        world
            .app
            .resume_session(&first)
            .await
            .unwrap()
            .replacement
            .is_none()
    );
    world.clock.advance(DurationMs::from_secs(3600));
    let resumed = world.app.resume_session(&first).await.unwrap();
    let second = resumed.replacement.expect("another secret").reveal().to_owned();
    assert_ne!(first, second);
    // Requests that are under way go on with the old one for a minute, and do not change it again.
    assert!(
        world
            .app
            .resume_session(&first)
            .await
            .unwrap()
            .replacement
            .is_none()
    );
    world.clock.advance(DurationMs::from_secs(60));
    assert!(matches!(
        world.app.resume_session(&first).await,
        Err(SignInError::Unknown)
    ));
    assert!(
        world
            .app
            .resume_session(&second)
            .await
            .unwrap()
            .replacement
            .is_none()
    );
    world.clock.advance(DurationMs::from_secs(11 * 3600 - 60));
    assert!(
        matches!(world.app.resume_session(&second).await, Err(SignInError::Unknown)),
        "twelve hours are over"
    );
}

#[tokio::test]
async fn signing_out_ends_the_session_and_is_recorded() {
    let world = World::new().await;
    let session = world
        .app
        .sign_in_with_link(&link(&world, "ben").await)
        .await
        .unwrap();
    world.app.sign_out(&session.caller).await.unwrap();
    world.app.sign_out(&session.caller).await.unwrap();
    assert!(matches!(
        world.app.resume_session(session.secret.reveal()).await,
        Err(SignInError::Unknown)
    ));
    assert_eq!(kinds(&world).await, ["session.ended", "session.started"]);
}

#[tokio::test]
async fn somebody_who_left_is_signed_out_everywhere() {
    let world = World::new().await;
    let token = world.token("ben").await;
    let session = world
        .app
        .sign_in_with_link(&link(&world, "ben").await)
        .await
        .unwrap();
    let admin = world.caller("admin").await;
    let permit = world.app.permit::<crate::PrincipalWrite>(&admin).await.unwrap();
    let gone = clawd_model::api::PutPrincipal {
        kind: clawd_model::PrincipalKind::User,
        display_name: "Ben".to_owned(),
        groups: vec!["sre".parse().unwrap()],
        operator: None,
        disabled: true,
    };
    crate::put_principal(&permit, "ben".parse().unwrap(), gone)
        .await
        .unwrap();
    assert!(matches!(
        world.app.sign_in_with_token(&token).await,
        Err(SignInError::Unknown)
    ));
    assert!(matches!(
        world.app.resume_session(session.secret.reveal()).await,
        Err(SignInError::Unknown)
    ));
}

#[tokio::test]
async fn a_token_never_makes_one_that_reaches_further() {
    let world = World::new().await;
    let ana = world.caller("ana").await;
    let permit = world.app.permit::<TokenCreate>(&ana).await.unwrap();
    let wanted = |scopes: &[&str]| CreateToken {
        principal: None,
        label: "ci".to_owned(),
        scopes: scopes.iter().map(|scope| (*scope).to_owned()).collect(),
        lifetime_ms: None,
    };
    let narrow = create_token(&permit, wanted(&["token.create", "run.read"]))
        .await
        .unwrap();
    let narrow = world.app.sign_in_with_token(&narrow.secret).await.unwrap();
    let permit = world.app.permit::<TokenCreate>(&narrow).await.unwrap();
    create_token(&permit, wanted(&["run.read"])).await.unwrap();
    for wider in [&["run.start"][..], &[]] {
        let error = create_token(&permit, wanted(wider)).await.unwrap_err();
        assert!(matches!(error, TokenError::WiderThanOwn(_)), "{error}");
    }
    let error = create_token(&permit, wanted(&["run.everything"]))
        .await
        .unwrap_err();
    assert!(matches!(error, TokenError::UnknownScope(_)), "{error}");
    let link = create_sign_in_link(&permit, CreateSignInLink { principal: None })
        .await
        .unwrap_err();
    assert!(
        matches!(link, TokenError::WiderThanOwn(_)),
        "a session has no scopes"
    );
    let error = create_token(
        &permit,
        CreateToken {
            principal: Some("ben".parse().unwrap()),
            ..wanted(&["run.read"])
        },
    );
    assert!(
        matches!(error.await.unwrap_err(), TokenError::Refused(_)),
        "not for somebody else"
    );
}

/// A stolen token is ended once, and with it whatever was made with it.
#[tokio::test]
async fn ending_a_token_ends_what_it_begot_and_nothing_lasts_longer() {
    let world = World::new().await;
    let day = DurationMs::from_secs(86_400);
    let admin = world.caller("admin").await;
    let until = admin.expires_at();
    let permit = world.app.permit::<TokenCreate>(&admin).await.unwrap();
    let wanted = CreateToken {
        principal: Some("ben".parse().unwrap()),
        label: "ci".to_owned(),
        scopes: Vec::new(),
        lifetime_ms: Some(30 * day.0),
    };
    let token = create_token(&permit, wanted).await.unwrap();
    assert_eq!(
        token.token.expires_at, until,
        "no longer than the token that made it"
    );
    assert_eq!(token.token.issued_by, ["admin".parse().unwrap()]);
    // An hour before the token ends, a session ends with it.
    world.clock.advance(DurationMs(day.0 - 3_600_000));
    let link = create_sign_in_link(&permit, CreateSignInLink { principal: None })
        .await
        .unwrap();
    let link = link.path.strip_prefix("/sign-in/").unwrap();
    let session = world.app.sign_in_with_link(link).await.unwrap();
    assert_eq!(session.expires_at, until);
    let session = session.secret.reveal().to_owned();
    assert_eq!(
        world
            .app
            .resume_session(&session)
            .await
            .unwrap()
            .caller
            .expires_at(),
        until
    );

    let other = world.caller("admin").await;
    let revoke = world.app.permit::<TokenCreate>(&other).await.unwrap();
    let crate::Via::Token(id) = admin.via() else {
        panic!()
    };
    crate::revoke_token(&revoke, *id).await.unwrap();
    assert!(matches!(
        world.app.sign_in_with_token(&token.secret).await,
        Err(SignInError::Unknown)
    ));
    assert!(matches!(
        world.app.resume_session(&session).await,
        Err(SignInError::Unknown)
    ));
    // A request that was under way makes nothing more with it.
    let late = create_sign_in_link(&permit, CreateSignInLink { principal: None }).await;
    assert!(matches!(late, Err(TokenError::Ended)), "{late:?}");
}

#[tokio::test]
async fn a_token_made_with_a_token_made_with_a_token_comes_to_an_end() {
    let world = World::new().await;
    let mut caller = world.caller("ana").await;
    for generation in 0.. {
        let permit = world.app.permit::<TokenCreate>(&caller).await.unwrap();
        let wanted = CreateToken {
            principal: None,
            label: "next".to_owned(),
            scopes: Vec::new(),
            lifetime_ms: None,
        };
        match create_token(&permit, wanted).await {
            Ok(made) => caller = world.app.sign_in_with_token(&made.secret).await.unwrap(),
            Err(error) => {
                assert!(matches!(error, TokenError::TooFarRemoved), "{error}");
                assert_eq!(generation, 16);
                return;
            }
        }
    }
}
