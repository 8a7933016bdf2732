//! Who may do what: every route × every role × both tenants × nobody. Printed into `authorization.txt`, which is
//! reviewed; a route that is not there fails the test. `/metrics` is none of these routes: it has an address of its own
//! (`docs/decisions/0008-metrics-have-their-own-address.md`).
//!
//! Set `CLAWD_UPDATE_REFERENCE=1` to write the table anew, then read the difference.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use axum::body::Body;
use serde_json::{Value, json};

use crate::support::Site;

/// Columns: a person of each role, somebody of another tenant who is an admin there, and a caller without a token.
const COLUMNS: [&str; 8] = ["admin", "ana", "vic", "aud", "ben", "nob", "dora", "-"];
const TITLES: [&str; 8] = [
    "admin", "operator", "viewer", "auditor", "sre", "nobody", "other", "no token",
];

/// The ids of the things that the routes name.
struct Things {
    run: String,
    plan: String,
    approval: String,
    token: String,
    subject: Value,
}

async fn things(site: &Site) -> Things {
    let run = site.world.start_patch().await;
    let vic = site.world.token("vic").await;
    let approvals = site.get(&vic, "/api/v1/approvals").await.json();
    let made = site
        .post(
            &site.world.token("admin").await,
            "/api/v1/tokens",
            &json!({"label": "x"}),
        )
        .await
        .json();
    Things {
        run: run.id.to_string(),
        plan: run.plan.to_string(),
        approval: approvals["items"][0]["id"].as_str().unwrap().to_owned(),
        subject: approvals["items"][0]["subject_digest"].clone(),
        token: made["token"]["id"].as_str().unwrap().to_owned(),
    }
}

async fn fresh() -> (Site, Things) {
    let site = Site::new().await;
    let things = things(&site).await;
    (site, things)
}

/// A path with its parameters filled in.
fn fill(path: &str, things: &Things) -> String {
    let name = if path.contains("/runbooks/") {
        "patch-security"
    } else if path.contains("/principals/") {
        "vic"
    } else {
        "stage-1"
    };
    path.replace("{name}", name)
        .replace("{run}", &things.run)
        .replace("{digest}", &things.plan)
        .replace("{approval}", &things.approval)
        .replace("{index}", "0")
        .replace("{id}", &things.token)
}

/// A body that makes sense, so that what is refused is refused for the permission.
fn body(operation: &str, things: &Things) -> Value {
    let runbook = "apiVersion: clawd.dev/v1\nkind: Runbook\nmetadata: {name: tiny}\ntargets: controller\njobs:\n  a:\n    steps: [{uses: noop@v1}]\n";
    match operation {
        "probe_server" => json!({"address": "root@203.0.113.5:22"}),
        "add_server" => json!({"name": "new-1", "env": "prod", "provider": "sim"}),
        "check_runbook" | "publish_runbook" => json!({"source": runbook}),
        "resolve_unknown" => {
            json!({"step": "rollout/web-1/apply", "attempt": 1, "resolution": {"is": "did_not_happen"}})
        }
        "cast_vote" => json!({"verdict": "approve", "subject": things.subject}),
        "publish_policy" => json!({"files": {}, "check_only": true}),
        "explain" => json!({"action": "run.start", "runbook": "patch-security"}),
        "put_principal" => json!({"kind": "user", "groups": ["viewer"]}),
        "create_token" => json!({"label": "x"}),
        _ => json!({}),
    }
}

async fn observe(site: &Site, things: &Things, method: &str, path: &str, operation: &str, who: &str) -> u16 {
    let token = match who {
        "-" => None,
        "dora" => Some(site.world.token_in("acme", "dora").await),
        who => Some(site.world.token(who).await),
    };
    let mut target = fill(path, things);
    if operation == "step_output" {
        target.push_str("?step=rollout/stage-1/apply");
    }
    let request = Site::request(&method.to_uppercase(), &target, token.as_deref());
    let request = match method {
        "get" | "delete" => request.body(Body::empty()),
        _ => request
            .header("content-type", "application/json")
            .body(Body::from(body(operation, things).to_string())),
    };
    // The head alone: a stream of events has no end.
    site.raw(request.unwrap()).await.status().as_u16()
}

#[tokio::test]
async fn every_route_for_every_role_and_tenant() {
    let document: Value = serde_json::from_str(&clawd_api::openapi_text()).unwrap();
    let mut rows = BTreeMap::new();
    let shared = fresh().await;
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let id = operation["operationId"].as_str().unwrap();
            let permission = operation["x-permission"].as_str().unwrap();
            let mut statuses = Vec::new();
            // What changes something gets a world of its own, so that one caller's success is not the next one's
            // conflict.
            let own = if method == "get" {
                None
            } else {
                Some(fresh().await)
            };
            let (site, things) = own.as_ref().unwrap_or(&shared);
            for who in COLUMNS.iter().rev() {
                statuses.insert(0, observe(site, things, method, path, id, who).await);
            }
            judge(&format!("{method} {path}"), permission, &statuses);
            rows.insert((path.clone(), method.clone()), (permission.to_owned(), statuses));
        }
    }
    let mut table = format!("{:<52} {:<17}", "route", "permission");
    for title in TITLES {
        let _ = write!(table, " {title:>8}");
    }
    table.push('\n');
    for ((path, method), (permission, statuses)) in rows {
        let route = format!("{} {path}", method.to_uppercase());
        let _ = write!(table, "{route:<52} {permission:<17}");
        for status in statuses {
            let _ = write!(table, " {status:>8}");
        }
        table.push('\n');
    }
    let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/authorization.txt");
    if std::env::var_os("CLAWD_UPDATE_REFERENCE").is_some() {
        std::fs::write(&kept, &table).unwrap();
    }
    let kept = std::fs::read_to_string(&kept).unwrap_or_default();
    let missing: Vec<&str> = table
        .lines()
        .filter(|line| !kept.lines().any(|known| known == *line))
        .collect();
    assert!(
        missing.is_empty(),
        "rows that are not in authorization.txt:\n{}",
        missing.join("\n")
    );
    assert_eq!(
        kept.lines().count(),
        table.lines().count(),
        "authorization.txt has rows of routes that are gone"
    );
}

/// What holds whatever the policies say.
fn judge(route: &str, permission: &str, statuses: &[u16]) {
    let of = |title: &str| statuses[TITLES.iter().position(|one| *one == title).unwrap()];
    match permission {
        "none" => assert!(
            statuses.iter().all(|status| *status == 200),
            "{route}: {statuses:?}"
        ),
        "signed-in" => {
            assert_eq!(of("no token"), 401, "{route}");
            assert!(
                statuses.iter().take(7).all(|status| *status < 300),
                "{route}: {statuses:?}"
            );
        }
        _ => {
            assert_eq!(of("no token"), 401, "{route}");
            assert_eq!(
                of("nobody"),
                403,
                "{route}: somebody without a role may do nothing"
            );
            let named = route.contains('{') && !route.contains("/principals/") && !route.contains("{index}");
            if named && !route.contains("/runbooks/") {
                assert_eq!(of("other"), 404, "{route}: what another tenant has is not there");
            }
        }
    }
}

#[tokio::test]
async fn another_tenant_sees_nothing_in_lists() {
    let site = Site::new().await;
    let run = site.world.start_patch().await;
    let dora = site.world.token_in("acme", "dora").await;
    for path in ["servers", "runs", "approvals"] {
        let list = site.get(&dora, &format!("/api/v1/{path}")).await.json();
        assert_eq!(list["items"], json!([]), "{path}");
    }
    let people = site.get(&dora, "/api/v1/principals").await.text;
    assert!(people.contains("dora") && !people.contains("ana"), "{people}");
    let log = site.get(&dora, "/api/v1/audit?limit=200").await.text;
    assert!(
        !log.contains("web-1") && !log.contains(&run.id.to_string()),
        "{log}"
    );
    let export = site.get(&dora, "/api/v1/audit/export").await.text;
    assert!(
        !export.contains("web-1") && export.contains("audit.exported"),
        "{export}"
    );
}
