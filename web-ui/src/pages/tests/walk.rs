//! Every route × every role × both tenants: who gets in is what the table of routes says, and nothing else.

use axum::http::StatusCode;
use clawd_control::testing::{OTHER_TENANT, PEOPLE, World};

use super::Browser;
use crate::pages::routes::{Needs, Route, table};

/// Who may do what on the tenant as a whole, by the policies that ship. `votes.not-by-requester` keeps `ana`, who
/// started the run, from voting.
fn may(person: &str, action: &str) -> bool {
    let allowed: &[&str] = match action {
        "server.read" | "run.read" | "runbook.read" | "policy.read" | "approval.read" => {
            &["admin", "ana", "ben", "cho", "vic"]
        }
        "audit.read" => &["admin", "ana", "ben", "cho", "aud"],
        "plan.create" | "run.cancel" | "run.resolve" | "host.facts" => &["admin", "ana", "ben", "cho"],
        "run.start" => &["admin", "ana"],
        "vote.cast" => &["admin", "ben", "cho"],
        other => panic!("nobody has said who may do {other}"),
    };
    allowed.contains(&person)
}

/// An address of the route, with things that exist.
struct Things {
    run: String,
    plan: String,
    approval: String,
}

impl Things {
    async fn make(world: &World) -> Self {
        let run = world.start_patch().await;
        let mut ben = Browser::of(world, "ben").await;
        let inbox = ben.get("/approvals").await;
        Self {
            run: run.id.to_string(),
            plan: run.plan.to_string(),
            approval: inbox.after("href=\"/approvals/apr_"),
        }
    }

    fn address(&self, path: &str) -> String {
        let path = path.replace("/fleet/{key}", "/fleet/web-1");
        let path = path.replace("/runs/{key}", &format!("/runs/{}", self.run));
        let path = path.replace("/approvals/{key}", &format!("/approvals/apr_{}", self.approval));
        let path = path.replace("/runbooks/{key}", "/runbooks/patch-security");
        let path = path.replace("/plans/{key}", &format!("/plans/{}", self.plan));
        let path = path.replace("{step}", "0.0.0").replace("{index}", "0");
        assert!(!path.contains('{'), "no example for {path}");
        path
    }

    /// Fields that name what the form is about, and make no sense otherwise: nothing must change in this walk.
    fn fields(&self, path: &str) -> Vec<(&'static str, String)> {
        match path {
            "/runs" => vec![("plan", self.plan.clone()), ("key", "no key".to_owned())],
            "/plans" => vec![
                ("runbook", "patch-security".to_owned()),
                ("on", "a in (b".to_owned()),
            ],
            _ => vec![
                ("verdict", "perhaps".to_owned()),
                ("outcome", "perhaps".to_owned()),
            ],
        }
    }
}

async fn ask(browser: &mut Browser, things: &Things, route: &Route) -> StatusCode {
    let address = things.address(route.path);
    if route.method == "GET" {
        return browser.get(&address).await.status;
    }
    let fields = things.fields(route.path);
    let fields: Vec<(&str, &str)> = fields
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    // Every page has a token, that of an error too.
    browser.submit("/nothing-here", &address, &fields).await.status
}

/// Long streams are left out, and what ends a session.
fn is_walked(route: &Route) -> bool {
    matches!(route.needs, Needs::Action(_)) && !route.path.ends_with("/events")
}

#[tokio::test]
async fn every_route_lets_in_whom_the_policies_allow_and_nobody_else() {
    let world = World::new().await;
    let things = Things::make(&world).await;
    for (person, _) in PEOPLE {
        let mut browser = Browser::of(&world, person).await;
        for route in table().iter().filter(|route| is_walked(route)) {
            let Needs::Action(action) = route.needs else {
                continue;
            };
            let at = format!("{} {} as {person}", route.method, route.path);
            // Cancelling takes no field that could be wrong: only those who may not do it are asked.
            if route.path.ends_with("/cancel") && may(person, action) {
                continue;
            }
            let status = ask(&mut browser, &things, route).await;
            if may(person, action) {
                assert_ne!(status, StatusCode::FORBIDDEN, "{at}");
                assert!(!status.is_server_error(), "{at}: {status}");
                if route.method == "GET" {
                    assert_eq!(status, StatusCode::OK, "{at}");
                }
            } else {
                assert_eq!(status, StatusCode::FORBIDDEN, "{at}");
            }
        }
    }
}

#[tokio::test]
async fn nobody_is_let_in_without_signing_in() {
    let world = World::new().await;
    let things = Things::make(&world).await;
    for route in table() {
        let mut browser = Browser::new(&world);
        let address = things.address(&route.path.replace("{link}", "clawd_lnk_nothing"));
        let at = format!("{} {address}", route.method);
        let seen = match route.method {
            "GET" => browser.get(&address).await,
            _ => browser.post(&address, &[]).await,
        };
        match route.needs {
            Needs::Nothing => assert_ne!(seen.status, StatusCode::SEE_OTHER, "{at}"),
            Needs::Session | Needs::Action(_) => {
                assert_eq!(seen.status, StatusCode::SEE_OTHER, "{at}");
                assert!(
                    seen.location().starts_with("/sign-in"),
                    "{at}: {}",
                    seen.location()
                );
            }
        }
        assert!(!seen.body.contains("stage-1"), "{at} shows something");
    }
}

#[tokio::test]
async fn what_another_tenant_has_is_not_there() {
    let world = World::new().await;
    let things = Things::make(&world).await;
    let mut dora = Browser::of_tenant(&world, OTHER_TENANT, "dora").await;
    for route in table().iter().filter(|route| is_walked(route)) {
        let names_a_thing = ["/fleet/{key}", "/runs/{key}", "/approvals/{key}", "/plans/{key}"]
            .iter()
            .any(|part| route.path.contains(part))
            || route.path == "/runs" && route.method == "POST";
        let at = format!("{} {}", route.method, route.path);
        let status = ask(&mut dora, &things, route).await;
        if names_a_thing {
            assert_eq!(status, StatusCode::NOT_FOUND, "{at}");
        } else if route.method == "GET" {
            assert_eq!(status, StatusCode::OK, "{at}");
            let seen = dora.get(&things.address(route.path)).await;
            for secret in ["stage-1", &things.run, &things.approval] {
                assert!(!seen.body.contains(secret), "{at} shows {secret}");
            }
        }
    }
}

#[tokio::test]
async fn the_navigation_shows_what_somebody_may_see() {
    let world = World::new().await;
    let mut aud = Browser::of(&world, "aud").await;
    assert_eq!(aud.get("/").await.location(), "/audit");
    let seen = aud.get("/audit").await;
    assert!(seen.body.contains("href=\"/audit\" aria-current=\"page\""));
    assert!(
        !seen.body.contains("href=\"/fleet\""),
        "a part that aud may not see"
    );
    let mut nob = Browser::of(&world, "nob").await;
    let first = nob.get("/").await.location().to_owned();
    let seen = nob.get(&first).await;
    assert_eq!(seen.status, StatusCode::FORBIDDEN);
    assert!(seen.body.contains("server.read"), "{}", seen.body);
}
