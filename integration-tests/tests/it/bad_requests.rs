//! Garbage at the border: each wrong request is answered with what is wrong and what to do, and leaves no trace.

use serde_json::{Value, json};

use crate::support::{Answer, JSON, Request, Site, send};

/// A wrong request, and how it is answered.
struct Wrong {
    what: &'static str,
    method: &'static str,
    path: &'static str,
    headers: &'static str,
    body: Vec<u8>,
    status: u16,
    code: &'static str,
    /// What the answer has to mention.
    detail: &'static str,
}

fn wrong(
    what: &'static str,
    (method, path): (&'static str, &'static str),
    answer: (u16, &'static str, &'static str),
) -> Wrong {
    let (status, code, detail) = answer;
    Wrong {
        what,
        method,
        path,
        headers: "",
        body: Vec::new(),
        status,
        code,
        detail,
    }
}

fn body(what: &'static str, body: impl Into<Vec<u8>>, answer: (u16, &'static str, &'static str)) -> Wrong {
    Wrong {
        headers: JSON,
        body: body.into(),
        ..wrong(what, ("POST", "/servers"), answer)
    }
}

fn table() -> Vec<Wrong> {
    let too_large = format!("{{\"name\": \"{}\"}}", "x".repeat(1 << 20));
    let no_run = "/runs/run_01ARZ3NDEKTSV4RRFFQ69G5FAV";
    vec![
        body(
            "half a document",
            "{\"name\": ",
            (400, "invalid-json", "line 1, column"),
        ),
        body(
            "no JSON at all",
            "name=web-1",
            (400, "invalid-json", "line 1, column"),
        ),
        body(
            "no text at all",
            b"\xff\xfe\x00\x01".to_vec(),
            (400, "invalid-json", "line 1, column"),
        ),
        body(
            "two documents",
            "{\"name\": \"a\", \"env\": \"x\"} {}",
            (400, "invalid-json", "trailing"),
        ),
        body(
            "a pit of brackets",
            "[".repeat(100_000),
            (400, "invalid-", "line 1"),
        ),
        body(
            "an unknown field",
            json!({"name": "a", "env": "x", "evn": "y"}).to_string(),
            (400, "invalid-body", "evn"),
        ),
        body(
            "a missing field",
            json!({"name": "a"}).to_string(),
            (400, "invalid-body", "env"),
        ),
        body(
            "a number for a text",
            json!({"name": "a", "env": 7}).to_string(),
            (400, "invalid-body", "env"),
        ),
        body(
            "a path for a name",
            json!({"name": "../a", "env": "x"}).to_string(),
            (400, "invalid-body", "../a"),
        ),
        body("a list for an object", "[1, 2]", (400, "invalid-body", "line 1")),
        body("too much", too_large, (413, "body-too-large", "1048576")),
        Wrong {
            headers: "content-type: text/yaml\r\n",
            ..body("YAML", "name: a", (415, "not-json", "application/json"))
        },
        wrong(
            "an id that is none",
            ("GET", "/runs/garbage"),
            (400, "invalid-path", "garbage"),
        ),
        wrong(
            "an id with tricks",
            ("GET", "/runs/..%2F..%2Fetc"),
            (400, "invalid-path", "expected"),
        ),
        wrong(
            "an id of another kind",
            ("GET", "/approvals/run_01ARZ3NDEKTSV4RRFFQ69G5FAV"),
            (400, "invalid-path", "apr_"),
        ),
        wrong(
            "an id of nothing",
            ("GET", no_run),
            (404, "not-found", "run_01ARZ3NDEKTSV4RRFFQ69G5FAV"),
        ),
        wrong(
            "a name of nothing",
            ("GET", "/servers/nobody"),
            (404, "not-found", "nobody"),
        ),
        wrong(
            "a wrong method",
            ("DELETE", "/runs"),
            (405, "wrong-method", "method"),
        ),
        wrong(
            "a wrong path",
            ("GET", "/nothing"),
            (404, "no-such-route", "no such route"),
        ),
        wrong(
            "a wrong query",
            ("GET", "/runs?limit=many"),
            (400, "invalid-query", "limit"),
        ),
        wrong(
            "an unknown query",
            ("GET", "/runs?colour=red"),
            (400, "invalid-query", "colour"),
        ),
    ]
}

/// Every refusal has the same shape.
fn assert_problem(what: &str, answer: &Answer, (status, code, detail): (u16, &str, &str)) {
    assert_eq!(
        answer.header("content-type"),
        Some("application/problem+json"),
        "{what}: {}",
        answer.body
    );
    let problem: Value = answer.any_json().unwrap();
    assert_eq!(
        (answer.status, &problem["status"]),
        (status, &json!(status)),
        "{what}: {problem:#}"
    );
    assert!(
        problem["code"].as_str().unwrap().starts_with(code),
        "{what}: {problem:#}"
    );
    assert!(
        problem["detail"].as_str().unwrap().contains(detail),
        "{what}: {problem:#}"
    );
    for field in ["type", "title", "hint", "request_id"] {
        assert!(
            problem[field].as_str().is_some_and(|text| !text.is_empty()),
            "{what}: no {field} in {problem:#}"
        );
    }
    assert_eq!(
        answer.header("x-request-id"),
        problem["request_id"].as_str(),
        "{what}"
    );
}

/// Nothing was lost, and nothing was added.
async fn assert_well(site: &Site) {
    let servers = site.get("ana", "/servers").await.unwrap();
    assert_eq!(servers["items"].as_array().unwrap().len(), 1, "{servers:#}");
    let runs = site.get("ana", "/runs").await.unwrap();
    assert_eq!(runs["items"].as_array().unwrap().len(), 1, "{runs:#}");
    site.verify_audit().await.unwrap();
}

/// A site with a server, and a run that is done.
async fn at_work() -> Site {
    let site = Site::start().await.unwrap();
    site.add_server("web-1", "staging").await.unwrap();
    let run = site.start_run("write-file", &json!({}), "write").await.unwrap();
    site.wait_run(&run, &["succeeded"]).await.unwrap();
    site
}

#[tokio::test]
async fn garbage_is_answered_with_what_is_wrong_and_what_to_do() {
    let site = at_work().await;
    for case in table() {
        let answer = site
            .ask("admin", case.method, case.path, case.headers, &case.body)
            .await
            .unwrap();
        assert_problem(case.what, &answer, (case.status, case.code, case.detail));
    }
    assert_well(&site).await;
}

#[tokio::test]
async fn whoever_does_not_sign_in_learns_how_and_nothing_else() {
    let site = at_work().await;
    let revoked = site
        .post("admin", "/tokens", &json!({"label": "short"}))
        .await
        .unwrap();
    let id = revoked["token"]["id"].as_str().unwrap();
    let gone = site
        .ask("admin", "DELETE", &format!("/tokens/{id}"), "", b"")
        .await
        .unwrap();
    assert_eq!(gone.status, 204, "{}", gone.body);

    let cases = [
        (None, "sign-in-required"),
        (Some("nonsense"), "token-malformed"),
        (Some(""), "sign-in-required"),
        (revoked["secret"].as_str(), "token-unknown"),
    ];
    for (token, code) in cases {
        for path in ["/api/v1/runs", "/api/v1/runs/garbage", "/api/v1/policies"] {
            let request = Request {
                method: "GET",
                path,
                token,
                headers: "",
                body: b"",
            };
            let answer = send(&site.clawd.url(), &request).await.unwrap();
            assert_problem(path, &answer, (401, code, ""));
            assert_eq!(answer.header("www-authenticate"), Some("Bearer"), "{path}");
        }
    }
    let cli = site
        .clawd
        .cli(["--token", "nonsense", "run", "ls"])
        .await
        .unwrap();
    assert!(!cli.success() && cli.stderr.contains("hint: "), "{cli}");
    assert_well(&site).await;
}

/// A place of a problem, and its code.
fn places(problems: &Value) -> Vec<(u64, u64, &str)> {
    let number = |problem: &Value, field: &str| problem["span"][field].as_u64().unwrap_or_default();
    let problems = problems.as_array().unwrap().iter();
    problems
        .map(|p| {
            (
                number(p, "line"),
                number(p, "column"),
                p["code"].as_str().unwrap_or_default(),
            )
        })
        .collect()
}

const BROKEN: &str = "apiVersion: clawd.dev/v1
kind: Runbook
metadata: {name: broken}
targets: {selector: \"role=web\"}
jobs:
  first:
    steps:
      - {uses: pkg.aply@v1}
      - {uses: shell@v1, with: {argv: [ls], wiht: 1}}
  second:
    needs: [frist]
    steps: [{uses: host.facts@v1}]
";

#[tokio::test]
async fn all_problems_of_a_runbook_are_told_with_their_places() {
    let site = at_work().await;
    let cases = [
        (
            "misspelt",
            BROKEN,
            vec![(8, 16, "RB040"), (9, 45, "RB043"), (11, 13, "RB030")],
        ),
        ("not YAML", "jobs: [a\nkind: {", vec![]),
    ];
    for (what, source, expected) in cases {
        let body = json!({"source": source}).to_string();
        let answer = site
            .ask("ana", "POST", "/runbooks", JSON, body.as_bytes())
            .await
            .unwrap();
        let problem: Value = answer.any_json().unwrap();
        assert_eq!(
            (answer.status, &problem["code"]),
            (422, &json!("invalid-runbook")),
            "{what}: {problem:#}"
        );
        let found = places(&problem["problems"]);
        assert!(
            !found.is_empty() && found.iter().all(|(line, column, _)| *line > 0 && *column > 0),
            "{found:?}"
        );
        for place in &expected {
            assert!(found.contains(place), "{what}: {place:?} is not in {found:?}");
        }

        let file = site.clawd.data_dir().join("broken.yaml");
        std::fs::write(&file, source).unwrap();
        let file = file.to_string_lossy();
        for command in [["runbook", "check", &file], ["runbook", "publish", &file]] {
            let ran = site.cli("ana", &command).await.unwrap().expect_code(1).unwrap();
            for (line, column, code) in &found {
                assert!(
                    ran.stderr.contains(&format!("{line}:{column}")) && ran.stderr.contains(code),
                    "{what}: {ran}"
                );
            }
        }
    }
    let known = site.get("ana", "/runbooks").await.unwrap();
    assert!(!known.to_string().contains("\"broken\""), "{known:#}");
    assert_well(&site).await;
}
