//! Sessions, forged forms, headers.

use axum::http::{Request, StatusCode, header};
use clawd_control::testing::{TENANT, World};
use clawd_control::{RunRead, RunRow, STREAMS_MAX};
use clawd_model::DurationMs;

use super::Browser;
use crate::headers::POLICY;

#[tokio::test]
async fn looking_at_a_link_does_not_use_it_up_and_using_it_does() {
    let world = World::new().await;
    let link = world
        .operator
        .sign_in_link(&TENANT.parse().unwrap(), &"ana".parse().unwrap())
        .await
        .unwrap();
    let secret = link.path.rsplit('/').next().unwrap().to_owned();
    let mut browser = Browser::new(&world);
    for _ in 0..2 {
        let seen = browser.get(&link.path).await;
        assert_eq!(seen.status, StatusCode::OK);
        assert!(seen.body.contains("Sign in as ana"), "{}", seen.body);
    }
    let seen = browser.post("/sign-in/link", &[("link", &secret)]).await;
    assert_eq!((seen.status, seen.location()), (StatusCode::SEE_OTHER, "/"));
    assert_eq!(browser.get("/fleet").await.status, StatusCode::OK);
    let mut other = Browser::new(&world);
    let seen = other.post("/sign-in/link", &[("link", &secret)]).await;
    assert_eq!(seen.status, StatusCode::UNAUTHORIZED);
    assert_eq!(other.get(&link.path).await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_token_signs_in_and_leads_to_where_one_wanted_to_go() {
    let world = World::new().await;
    let token = world.token("ben").await;
    let mut browser = Browser::new(&world);
    let seen = browser.get("/runs?status=active").await;
    assert_eq!(seen.location(), "/sign-in?next=/runs%3Fstatus%3Dactive");
    let next = browser.get(seen.location()).await.field("next");
    let seen = browser
        .post("/sign-in/token", &[("token", &token), ("next", &next)])
        .await;
    assert_eq!(seen.location(), "/runs?status=active");
    let mut elsewhere = Browser::new(&world);
    let seen = elsewhere
        .post("/sign-in/token", &[("token", &token), ("next", "//evil.example")])
        .await;
    assert_eq!(seen.location(), "/");
    let seen = Browser::new(&world)
        .post("/sign-in/token", &[("token", "clawd_pat_wrong")])
        .await;
    assert_eq!(seen.status, StatusCode::UNAUTHORIZED);
    assert!(
        !seen.body.contains("clawd_pat_wrong"),
        "the page repeats a secret"
    );
}

#[tokio::test]
async fn signing_out_ends_the_session_everywhere() {
    let world = World::new().await;
    let mut browser = Browser::of(&world, "ana").await;
    let before = browser.cookies.clone();
    let seen = browser.submit("/fleet", "/sign-out", &[]).await;
    assert_eq!(seen.location(), "/sign-in?out=1");
    assert!(browser.cookies.is_empty(), "{:?}", browser.cookies);
    browser.cookies = before;
    let seen = browser.get("/fleet").await;
    assert_eq!(seen.status, StatusCode::SEE_OTHER);
    assert!(!browser.cookies.contains_key("clawd"), "the dead session is kept");
}

#[tokio::test]
async fn a_session_survives_its_change_of_secret() {
    let world = World::new().await;
    let mut browser = Browser::of(&world, "ana").await;
    let token = browser.get("/fleet").await.field("csrf");
    let old = browser.cookies.get("clawd").cloned();
    world.clock.advance(DurationMs::from_secs(2 * 3600));
    assert_eq!(browser.get("/fleet").await.status, StatusCode::OK);
    assert_ne!(
        browser.cookies.get("clawd").cloned(),
        old,
        "the secret did not change"
    );
    // A page that was opened before still works.
    let seen = browser
        .post(
            "/theme",
            &[("csrf", &token), ("theme", "dark"), ("back", "/fleet")],
        )
        .await;
    assert_eq!((seen.status, seen.location()), (StatusCode::SEE_OTHER, "/fleet"));
    assert!(browser.get("/fleet").await.body.contains("data-theme=\"dark\""));
    world.clock.advance(DurationMs::from_secs(11 * 3600));
    assert_eq!(browser.get("/fleet").await.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn forged_forms_change_nothing() {
    let world = World::new().await;
    let mut browser = Browser::of(&world, "ana").await;
    let token = browser.get("/fleet").await.field("csrf");
    let others = Browser::of(&world, "ben").await.get("/fleet").await.field("csrf");
    let own = ("origin", "http://console.example:8080");
    let form = |headers: &[(&str, &str)]| {
        headers
            .iter()
            .fold(Request::post("/theme"), |request, (name, value)| {
                request.header(*name, *value)
            })
    };
    let dark = ("theme", "dark");
    for (request, fields, note) in [
        (form(&[own]), vec![dark], "no token"),
        (
            form(&[own]),
            vec![dark, ("csrf", others.as_str())],
            "another's token",
        ),
        (form(&[]), vec![dark, ("csrf", token.as_str())], "no origin"),
        (
            form(&[("origin", "http://evil.example")]),
            vec![dark, ("csrf", token.as_str())],
            "a foreign origin",
        ),
        (
            form(&[own, ("sec-fetch-site", "cross-site")]),
            vec![dark, ("csrf", token.as_str())],
            "a foreign site",
        ),
    ] {
        let seen = browser.send_form(request, &fields).await;
        assert_eq!(seen.status, StatusCode::FORBIDDEN, "{note}");
        assert!(!browser.cookies.contains_key("clawd-theme"), "{note}");
    }
    let seen = browser.send_form(form(&[own]), &[dark, ("csrf", &token)]).await;
    assert_eq!(seen.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn every_answer_carries_the_policy() {
    let world = World::new().await;
    let mut browser = Browser::of(&world, "ana").await;
    let style = browser.get("/fleet").await.after("rel=\"stylesheet\" href=\"");
    for (path, status, cache) in [
        ("/fleet", 200, "no-store"),
        ("/nothing", 404, "no-store"),
        ("/runs/run_1", 404, "no-store"),
        (style.as_str(), 200, "public, max-age=31536000, immutable"),
    ] {
        let seen = browser.get(path).await;
        assert_eq!(seen.status.as_u16(), status, "{path}");
        assert_eq!(
            seen.headers.get(header::CONTENT_SECURITY_POLICY).unwrap(),
            POLICY,
            "{path}"
        );
        assert_eq!(seen.headers.get(header::CACHE_CONTROL).unwrap(), cache, "{path}");
        assert_eq!(
            seen.headers.get(header::X_CONTENT_TYPE_OPTIONS).unwrap(),
            "nosniff"
        );
    }
}

#[tokio::test]
async fn a_part_of_a_page_fails_as_a_part() {
    let world = World::new().await;
    let run = world.start_patch().await.id;
    let seen = Browser::new(&world)
        .get_part(&format!("/runs/{run}/steps/0.0.0"))
        .await;
    assert_eq!(seen.status, StatusCode::UNAUTHORIZED);
    assert!(
        seen.headers
            .get("hx-redirect")
            .unwrap()
            .to_str()
            .unwrap()
            .starts_with("/sign-in")
    );
    let mut ana = Browser::of(&world, "ana").await;
    let seen = ana.get_part(&format!("/runs/{run}/steps/9.9.9")).await;
    assert_eq!(seen.status, StatusCode::NOT_FOUND);
    assert!(seen.body.starts_with("<section"), "{}", seen.body);
}

#[tokio::test]
async fn a_page_too_many_is_not_followed() {
    let world = World::new().await;
    let run = world.start_patch().await.id;
    let ana = world.caller("ana").await;
    let permit = world.app.permit_on::<RunRead, RunRow>(&ana, &run).await.unwrap();
    let places: Vec<_> = (0..STREAMS_MAX).map(|_| permit.stream_place().unwrap()).collect();
    let mut browser = Browser::of(&world, "ana").await;
    let seen = browser.get_part(&format!("/runs/{run}/events")).await;
    assert_eq!(seen.status, StatusCode::TOO_MANY_REQUESTS);
    assert!(seen.body.contains("streams of events"), "{}", seen.body);
    drop(places);
    assert!(permit.stream_place().is_ok());
}
