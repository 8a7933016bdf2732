//! The same key with the same request gives the same answer; with another request it is refused.

use axum::http::StatusCode;
use serde_json::json;

use crate::support::Site;

#[tokio::test]
async fn a_request_that_is_sent_twice_is_carried_out_once() {
    let site = Site::new().await;
    let ana = site.world.token("ana").await;
    let path = "/api/v1/runbooks/patch-security/runs";
    let body = json!({"on": "env=staging"});
    let first = site.post_keyed(&ana, path, &body, "key-1").await;
    assert_eq!(first.status, StatusCode::CREATED, "{}", first.text);
    let again = site.post_keyed(&ana, path, &body, "key-1").await;
    assert_eq!((again.status, again.json()), (first.status, first.json()));
    let other = site
        .post_keyed(&ana, path, &json!({"on": "env=prod"}), "key-1")
        .await;
    assert_eq!(
        (other.status, other.code().as_str()),
        (StatusCode::UNPROCESSABLE_ENTITY, "idempotency-key-reused")
    );
    let elsewhere = site
        .post_keyed(&ana, "/api/v1/runbooks/patch-security/plans", &body, "key-1")
        .await;
    assert_eq!(elsewhere.code(), "idempotency-key-reused");
    let runs = site.get(&ana, "/api/v1/runs").await.json();
    assert_eq!(runs["items"].as_array().unwrap().len(), 1);
    let theirs = site
        .post_keyed(&site.world.token("admin").await, path, &body, "key-1")
        .await;
    assert_ne!(
        theirs.json()["id"],
        first.json()["id"],
        "a key belongs to the principal who sends it"
    );
    let bad = site.post_keyed(&ana, path, &body, "with space").await;
    assert_eq!(
        (bad.status, bad.code().as_str()),
        (StatusCode::UNPROCESSABLE_ENTITY, "idempotency-key-invalid")
    );
}

#[tokio::test]
async fn answers_with_secrets_are_never_kept() {
    let site = Site::new().await;
    let ana = site.world.token("ana").await;
    let answer = site
        .post_keyed(&ana, "/api/v1/tokens", &json!({"label": "x"}), "key-1")
        .await;
    assert_eq!(
        (answer.status, answer.code().as_str()),
        (StatusCode::BAD_REQUEST, "idempotency-key-unsupported")
    );
    let made = site
        .post(
            &ana,
            "/api/v1/tokens",
            &json!({"label": "ci", "scopes": ["run.read"]}),
        )
        .await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.text);
    let secret = made.json()["secret"].as_str().unwrap().to_owned();
    assert_eq!(site.get(&secret, "/api/v1/runs").await.status, StatusCode::OK);
    let refused = site.get(&secret, "/api/v1/servers").await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    assert_eq!(
        refused.json()["reasons"][0],
        "the token's scopes do not include `server.read`"
    );
    let listed = site.get(&ana, "/api/v1/tokens").await;
    assert!(!listed.text.contains(&secret));
    let id = made.json()["token"]["id"].as_str().unwrap().to_owned();
    let path = format!("/api/v1/tokens/{id}");
    let request = |token: &str| {
        Site::request("DELETE", &path, Some(token))
            .body(axum::body::Body::empty())
            .unwrap()
    };
    let vic = site.world.token("vic").await;
    assert_eq!(
        site.send(request(&vic)).await.status,
        StatusCode::NOT_FOUND,
        "not somebody else's"
    );
    assert_eq!(site.send(request(&ana)).await.status, StatusCode::NO_CONTENT);
    assert_eq!(site.get(&secret, "/api/v1/runs").await.code(), "token-unknown");
}
