//! Each act over a world in memory: what it foresees, does, and refuses.

use clawd_model::{ErrorKind, Labels};
use serde_json::json;

use super::*;
use crate::initial::initial_world;

const NOW: Timestamp = Timestamp(1_772_357_400_000);

fn world() -> World {
    let labels = Labels::from([("role".to_owned(), "web".to_owned())]);
    initial_world(&"web-1".parse().unwrap(), &labels, NOW)
}

fn act(name: &str) -> &'static dyn Act {
    find(&name.parse().unwrap()).unwrap()
}

fn perform(world: &mut World, name: &str, input: &Value) -> Result<Value, StepError> {
    let act = act(name);
    let moment = Moment {
        attempt: "att_00000000000000000000000000000001".parse().unwrap(),
        at: NOW,
        needed: act.foresee(world, input)?.needed,
    };
    let output = act.perform(world, input, &moment)?;
    act.verify(world, input, &output)?;
    Ok(output)
}

#[test]
fn packages_reach_exactly_the_frozen_versions() {
    let mut world = world();
    let set = json!({"set": [
        {"name": "linux-image-cloud-amd64", "from": "6.1.129-1", "to": "6.1.158-1", "security": true},
        {"name": "nginx", "from": "1.22.1-9+deb12u1", "to": "1.22.1-9+deb12u3", "security": true},
    ]});
    let change = act("pkg.apply@v1").foresee(&world, &set).unwrap();
    assert_eq!(change.summary, "2 packages upgraded");
    assert!(
        change
            .diff
            .contains("~ nginx 1.22.1-9+deb12u1 -> 1.22.1-9+deb12u3 (security)\n")
    );
    let output = perform(&mut world, "pkg.apply@v1", &set).unwrap();
    assert_eq!(output["before"][1]["version"], "1.22.1-9+deb12u1");
    assert_eq!(output["after"][1]["version"], "1.22.1-9+deb12u3");
    assert_eq!(output["reboot_required"], true);
    assert!(!act("pkg.apply@v1").foresee(&world, &set).unwrap().needed);

    let output = perform(&mut world, "host.reboot@v1", &json!({"when": "required"})).unwrap();
    assert_eq!(output["rebooted"], true);
    assert_eq!(world.kernel, "6.1.0-41-cloud-amd64");
    let again = perform(&mut world, "host.reboot@v1", &json!({"when": "required"})).unwrap();
    assert_eq!(again["rebooted"], false);
}

#[test]
fn a_plan_that_no_longer_fits_is_drift() {
    for (name, from, to, word) in [
        ("nginx", "1.0", "1.22.1-9+deb12u3", "the plan saw 1.0"),
        ("nginx", "1.22.1-9+deb12u1", "9.9", "is not available"),
        ("emacs", "1", "2", "is not installed"),
    ] {
        let set = json!({"set": [{"name": name, "from": from, "to": to, "security": true}]});
        let error = perform(&mut world(), "pkg.apply@v1", &set).unwrap_err();
        assert_eq!(error.kind, ErrorKind::Drift);
        assert!(error.message.contains(word), "{error:?}");
    }
}

#[test]
fn what_not_everybody_may_read_is_shown_by_its_size_and_digest() {
    let mut world = world();
    let secret = json!({"path": "/etc/app", "content": "user=app\npassword=old-hunter\n", "mode": "0640"});
    perform(&mut world, "file.write@v1", &secret).unwrap();
    let wish = |sensitive: bool| json!({"path": "/etc/app", "content": "user=app\npassword=new-hunter\n", "mode": "0644", "sensitive": sensitive});
    let change = act("file.write@v1").foresee(&world, &wish(false)).unwrap();
    assert!(
        !change.diff.contains("hunter") && change.diff.contains("29 bytes, 2 lines"),
        "{}",
        change.diff
    );
    assert!(change.diff.contains("~ mode 0640 -> 0644\n"), "{}", change.diff);
    world.files.get_mut("/etc/app").unwrap().mode = "0644".to_owned();
    let shown = |sensitive| {
        act("file.write@v1")
            .foresee(&world, &wish(sensitive))
            .unwrap()
            .diff
    };
    assert!(shown(false).contains("-password=old-hunter\n"));
    assert!(!shown(true).contains("hunter"));
}

#[test]
fn what_unless_would_say_is_not_predicted() {
    let input = json!({"argv": ["uptime"], "unless": ["true"]});
    let change = act("shell@v1").foresee(&world(), &input).unwrap();
    assert!(
        change.needed && change.summary.contains("cannot be predicted"),
        "{change:?}"
    );
    assert!(change.diff.ends_with("? unless [\"true\"]\n"), "{}", change.diff);
}

#[test]
fn a_file_is_shown_as_a_diff() {
    let mut world = world();
    let one = json!({"path": "/etc/motd", "content": "hello\nold\n"});
    let output = perform(&mut world, "file.write@v1", &one).unwrap();
    assert!(output.get("previous_sha256").is_none());
    let two = json!({"path": "/etc/motd", "content": "hello\nnew\n", "mode": "600"});
    let change = act("file.write@v1").foresee(&world, &two).unwrap();
    assert!(change.diff.contains("-old\n+new\n"), "{}", change.diff);
    assert!(change.diff.contains("~ mode 0644 -> 0600\n"), "{}", change.diff);
    assert!(
        !change.basis.to_string().contains("new"),
        "the basis must not hold content"
    );
    let output = perform(&mut world, "file.write@v1", &two).unwrap();
    assert!(output["previous_sha256"].is_string());
    // The mode is kept when it is not given.
    let three = json!({"path": "/etc/motd", "content": "hello\nnew\n"});
    assert!(!act("file.write@v1").foresee(&world, &three).unwrap().needed);
}

#[test]
fn a_service_changes_as_asked_and_its_port_with_it() {
    let mut world = world();
    assert!(world.listener(80, NOW).is_some());
    let stop = json!({"name": "nginx.service", "state": "stopped", "enabled": false});
    let change = act("service.state@v1").foresee(&world, &stop).unwrap();
    assert_eq!(change.summary, "nginx stopped and disabled");
    let output = perform(&mut world, "service.state@v1", &stop).unwrap();
    assert_eq!(output, json!({"active": false, "enabled": false}));
    assert!(world.listener(80, NOW).is_none());
    let restart = json!({"name": "nginx", "state": "restarted"});
    perform(&mut world, "service.state@v1", &restart).unwrap();
    assert_eq!(world.services["nginx"].restarts, 1);
    assert!(act("service.state@v1").foresee(&world, &restart).unwrap().needed);
}

#[test]
fn a_command_is_shown_and_not_run() {
    let mut world = world();
    let input = json!({"argv": ["touch", "/srv/x y"], "creates": "/srv/x y"});
    let output = perform(&mut world, "shell@v1", &input).unwrap();
    assert_eq!(
        output["stdout"],
        "[simulated] not executed: [\"touch\",\"/srv/x y\"]\n"
    );
    assert!(!act("shell@v1").foresee(&world, &input).unwrap().needed);
}

#[test]
fn wrong_input_is_refused_with_what_is_wrong() {
    for (name, input, word) in [
        (
            "service.state@v1",
            json!({"name": "ngnix", "state": "running"}),
            "`ngnix`",
        ),
        (
            "file.write@v1",
            json!({"path": "etc/motd", "content": ""}),
            "absolute",
        ),
        (
            "file.write@v1",
            json!({"path": "/etc/../x", "content": ""}),
            "absolute",
        ),
        (
            "file.write@v1",
            json!({"path": "/x", "content": "", "mode": "9"}),
            "octal",
        ),
        ("shell@v1", json!({"argv": []}), "argv"),
        ("pkg.apply@v1", json!({"set": [{"name": "nginx"}]}), "to"),
    ] {
        let error = act(name).foresee(&world(), &input).unwrap_err();
        assert_eq!(error.kind, ErrorKind::InvalidInput, "{name}");
        assert!(error.message.contains(word), "{error:?}");
    }
}
