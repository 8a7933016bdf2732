//! Bad input: each a clear error with what, where and a hint; nothing of our inside.

use axum::body::Body;
use axum::http::{Request, StatusCode};
use serde_json::json;

use crate::support::Site;

#[tokio::test]
async fn garbage_in_a_body_is_named_with_its_place() {
    let site = Site::new().await;
    let admin = site.world.token("admin").await;
    let send = async |body: &str, kind: &str| {
        let request = Site::request("POST", "/api/v1/servers", Some(&admin)).header("content-type", kind);
        site.send(request.body(Body::from(body.to_owned())).unwrap())
            .await
    };
    let json = "application/json";
    let answer = send(
        "{\n  \"name\": \"web-9\",\n  \"env\": \"prod\",\n  \"labels\": {\"role\": 7}\n}",
        json,
    )
    .await;
    assert_eq!(
        (answer.status, answer.code().as_str()),
        (StatusCode::BAD_REQUEST, "invalid-body")
    );
    let problem = answer.json();
    assert_eq!(problem["more"]["field"], "labels.role");
    assert_eq!(problem["more"]["line"], 4);
    assert!(
        problem["detail"]
            .as_str()
            .unwrap()
            .starts_with("`labels.role`: invalid type: integer `7`"),
        "{problem}"
    );
    assert_eq!(problem["type"], "urn:clawd:problem:invalid-body");
    assert!(problem["request_id"].as_str().unwrap().starts_with("req_"));
    assert_eq!(
        answer.headers["x-request-id"],
        problem["request_id"].as_str().unwrap()
    );

    let answer = send(
        "{\"name\": \"web-9\", \"colour\": \"red\", \"env\": \"prod\"}",
        json,
    )
    .await;
    assert!(
        answer.json()["detail"]
            .as_str()
            .unwrap()
            .contains("unknown field `colour`"),
        "{}",
        answer.text
    );
    let answer = send("{\"name\": \"Web 9\", \"env\": \"prod\"}", json).await;
    assert!(
        answer.json()["detail"]
            .as_str()
            .unwrap()
            .contains("`Web 9` is not a server name"),
        "{}",
        answer.text
    );
    let answer = send("{\"name\": ", json).await;
    assert_eq!(answer.code(), "invalid-json");
    let answer = send("{} trailing", json).await;
    assert!(answer.status.is_client_error(), "{}", answer.text);
    let answer = send("\u{0}\u{1}", json).await;
    assert_eq!(answer.code(), "invalid-json");
    let answer = send("name=web-9", "application/x-www-form-urlencoded").await;
    assert_eq!(
        (answer.status, answer.code().as_str()),
        (StatusCode::UNSUPPORTED_MEDIA_TYPE, "not-json")
    );
    let answer = send(&format!("{{\"name\": \"{}\"}}", "x".repeat(1 << 20)), json).await;
    assert_eq!(
        (answer.status, answer.code().as_str()),
        (StatusCode::PAYLOAD_TOO_LARGE, "body-too-large")
    );
}

#[tokio::test]
async fn what_is_not_there_is_a_problem_too() {
    let site = Site::new().await;
    let admin = site.world.token("admin").await;
    let answer = site.get(&admin, "/api/v1/nothing").await;
    assert_eq!(
        (answer.status, answer.code().as_str()),
        (StatusCode::NOT_FOUND, "no-such-route")
    );
    let answer = site.post(&admin, "/api/v1/whoami", &json!({})).await;
    assert_eq!(
        (answer.status, answer.code().as_str()),
        (StatusCode::METHOD_NOT_ALLOWED, "wrong-method")
    );
    let answer = site.get(&admin, "/api/v1/servers/web-9").await;
    assert_eq!(
        (answer.status, answer.code().as_str()),
        (StatusCode::NOT_FOUND, "not-found")
    );
    assert_eq!(answer.json()["detail"], "there is no server `web-9`");
    let answer = site.get(&admin, "/api/v1/runs/run_17").await;
    assert_eq!(
        (answer.status, answer.code().as_str()),
        (StatusCode::BAD_REQUEST, "invalid-path")
    );
    let answer = site.get(&admin, "/api/v1/runs?limit=many").await;
    assert_eq!(
        (answer.status, answer.code().as_str()),
        (StatusCode::BAD_REQUEST, "invalid-query")
    );
    let answer = site.get(&admin, "/api/v1/servers?on=role%3D").await;
    assert_eq!(
        (answer.status, answer.code().as_str()),
        (StatusCode::UNPROCESSABLE_ENTITY, "invalid-selector")
    );
    assert!(answer.json()["hint"].is_string());
}

#[tokio::test]
async fn a_token_that_is_no_token_gets_no_further() {
    let site = Site::new().await;
    let token = site.world.token("vic").await;
    let code = async |value: Option<String>| {
        let mut request = Request::builder().uri("/api/v1/whoami");
        if let Some(value) = value {
            request = request.header("authorization", value);
        }
        let answer = site.send(request.body(Body::empty()).unwrap()).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
        assert_eq!(answer.headers["www-authenticate"], "Bearer");
        answer.code()
    };
    assert_eq!(code(None).await, "sign-in-required");
    assert_eq!(code(Some(format!("Basic {token}"))).await, "sign-in-required");
    assert_eq!(
        code(Some(format!("Bearer {}", &token[..token.len() - 1]))).await,
        "token-malformed"
    );
    let other = "clawd_pat_0000000000000000000000000000000000000000000000000000000000000000_48b1b14c";
    assert_ne!(code(Some(format!("Bearer {other}"))).await, "");
    site.world
        .clock
        .advance(clawd_model::DurationMs::from_secs(86_401));
    assert_eq!(code(Some(format!("Bearer {token}"))).await, "token-unknown");
}

#[tokio::test]
async fn a_host_key_is_shown_before_it_is_trusted() {
    let site = Site::new().await;
    let admin = site.world.token("admin").await;
    let mut server = json!({"name": "own-1", "address": "root@203.0.113.5:22", "env": "prod"});
    let answer = site.post(&admin, "/api/v1/servers", &server).await;
    assert_eq!(
        (answer.status, answer.code().as_str()),
        (StatusCode::CONFLICT, "host-key-unconfirmed")
    );
    let fingerprint = answer.json()["more"]["host_key"]["fingerprint"].clone();
    assert!(fingerprint.as_str().unwrap().starts_with("SHA256:"));
    server["host_key"] = json!("SHA256:another");
    assert_eq!(
        site.post(&admin, "/api/v1/servers", &server).await.code(),
        "host-key-changed"
    );
    server["host_key"] = fingerprint.clone();
    let answer = site.post(&admin, "/api/v1/servers", &server).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text);
    assert_eq!(answer.json()["host_key_fingerprint"], fingerprint);
    assert_eq!(
        site.post(&admin, "/api/v1/servers", &server).await.code(),
        "server-exists"
    );
    server["address"] = json!("203.0.113.5");
    assert_eq!(
        site.post(&admin, "/api/v1/servers", &server).await.code(),
        "invalid-address"
    );
    server["address"] = json!("root@203.0.113.5:1");
    let answer = site.post(&admin, "/api/v1/servers", &server).await;
    assert_eq!(
        (answer.status, answer.code().as_str()),
        (StatusCode::BAD_GATEWAY, "unreachable")
    );
}

/// Which files are keys of whom is decided on the machine itself: what is sent is a name, whatever lies at a path.
#[tokio::test]
async fn a_key_is_named_and_never_a_path() {
    let site = Site::new().await;
    let admin = site.world.token("admin").await;
    let mut answers = Vec::new();
    for path in ["/etc/passwd", "/no/such/fi", "../demo/id_ed25519", ".."] {
        let server =
            json!({"name": "own-1", "address": "root@203.0.113.5:22", "env": "prod", "identity": path});
        let answer = site.post(&admin, "/api/v1/servers", &server).await;
        assert!(answer.status.is_client_error(), "{path}: {}", answer.text);
        assert!(
            answer.text.contains("is not a key name"),
            "{path}: {}",
            answer.text
        );
        answers.push(answer.json()["detail"].as_str().unwrap().replace(path, "PATH"));
    }
    assert_eq!(answers[0], answers[1], "nobody learns which files are there");
}

#[tokio::test]
async fn all_problems_of_a_runbook_come_at_once() {
    let site = Site::new().await;
    let admin = site.world.token("admin").await;
    let source = "apiVersion: clawd.dev/v1\nkind: Runbook\nmetadata: {name: broken}\ntargets: {selector: 'role=web'}\n\
        jobs:\n  a:\n    needs: [b]\n    steps: [{uses: pkg.nothing@v1}]\n  c:\n    steps: [{uses: host.facts@v1, with: {x: 1}}]\n";
    let answer = site
        .post(&admin, "/api/v1/runbooks", &json!({"source": source}))
        .await;
    assert_eq!(
        (answer.status, answer.code().as_str()),
        (StatusCode::UNPROCESSABLE_ENTITY, "invalid-runbook")
    );
    let problems = answer.json()["problems"].as_array().unwrap().clone();
    assert!(problems.len() >= 3, "{problems:?}");
    assert!(
        problems
            .iter()
            .all(|problem| problem["span"]["line"].as_u64().unwrap() > 0)
    );
    let checked = site
        .post(&admin, "/api/v1/runbook-checks", &json!({"source": source}))
        .await;
    assert_eq!(checked.status, StatusCode::OK);
    assert_eq!(
        checked.json()["problems"].as_array().unwrap().len(),
        problems.len()
    );
}
