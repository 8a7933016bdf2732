//! Each look at a world in memory.

use clawd_model::Labels;
use serde_json::json;

use super::*;
use crate::initial::initial_world;

const NOW: Timestamp = Timestamp(1_772_357_400_000);

fn world(role: &str) -> World {
    let labels = Labels::from([("role".to_owned(), role.to_owned())]);
    initial_world(&"web-2".parse().unwrap(), &labels, NOW)
}

fn see(world: &World, name: &str, input: &Value) -> Result<Value, StepError> {
    let name: clawd_model::OperationName = name.parse().unwrap();
    let look = ALL.iter().find(|look| look.spec().name == name).unwrap();
    look.understands(input)?;
    look.see(world, input, NOW)
}

fn names(list: &Value) -> Vec<&str> {
    list.as_array()
        .unwrap()
        .iter()
        .map(|package| package["name"].as_str().unwrap())
        .collect()
}

#[test]
fn the_plan_holds_what_would_be_upgraded_and_what_would_not() {
    let game = world("game");
    let plan = see(&game, "pkg.plan@v1", &json!({"exclude": ["lib*"]})).unwrap();
    assert_eq!(
        names(&plan["packages"]),
        ["openssh-server", "openssl", "redis-server", "sudo"]
    );
    assert_eq!(names(&plan["kept_back"]), ["containerd.io", "libc6", "libssl3"]);
    assert_eq!(
        plan["kept_back"][0]["reason"],
        "held by the administrator (apt-mark hold)"
    );
    assert_eq!(plan["kept_back"][1]["reason"], "excluded by `lib*`");
    let all = see(&game, "pkg.plan@v1", &json!({"classes": ["all"]})).unwrap();
    assert!(names(&all["packages"]).contains(&"tzdata"));
}

#[test]
fn facts_count_the_updates() {
    let facts = see(&world("web"), "host.facts@v1", &json!({})).unwrap();
    assert_eq!(facts["updates"], 11);
    assert_eq!(facts["security_updates"], 9);
    assert_eq!(facts["reboot_required"], false);
    assert!(facts["uptime_s"].as_u64().unwrap() >= 86_400);
}

#[test]
fn a_health_check_sees_what_the_service_answers() {
    let mut web = world("web");
    let healthy = json!({"path": "/healthz", "contains": "ok"});
    assert_eq!(see(&web, "check.http@v1", &healthy).unwrap()["status"], 200);
    for (input, kind) in [
        (json!({"path": "/nowhere"}), ErrorKind::NotVerified),
        (
            json!({"path": "/healthz", "contains": "fine"}),
            ErrorKind::NotVerified,
        ),
        (json!({"path": "/healthz", "status": 204}), ErrorKind::NotVerified),
        (json!({"path": "/", "port": 8080}), ErrorKind::Connection),
        (json!({"path": "/", "port": 22}), ErrorKind::Connection),
        (json!({"url": "http://example.net/"}), ErrorKind::InvalidInput),
        (json!({"path": "/", "within": "soon"}), ErrorKind::InvalidInput),
        (json!({}), ErrorKind::InvalidInput),
    ] {
        assert_eq!(
            see(&web, "check.http@v1", &input).unwrap_err().kind,
            kind,
            "{input}"
        );
    }
    assert_eq!(
        see(&web, "check.http@v1", &json!({"path": "/nowhere", "status": 404})).unwrap()["status"],
        404
    );
    web.services.get_mut("nginx").unwrap().active = false;
    assert_eq!(
        see(&web, "check.http@v1", &healthy).unwrap_err().kind,
        ErrorKind::Connection
    );
}

#[test]
fn a_port_is_open_while_its_service_runs() {
    let web = world("web");
    assert!(see(&web, "check.tcp@v1", &json!({"port": 22})).is_ok());
    let closed = see(&web, "check.tcp@v1", &json!({"port": 23})).unwrap_err();
    assert_eq!(closed.kind, ErrorKind::Connection);
    let other = see(&web, "check.tcp@v1", &json!({"port": 22, "host": "example.net"})).unwrap_err();
    assert_eq!(other.kind, ErrorKind::InvalidInput);
}
