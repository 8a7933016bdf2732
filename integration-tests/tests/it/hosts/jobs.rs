//! Work on a host that outlives its controller, or that nobody can know the end of.

use std::time::Duration;

use clawd_integration_tests::{Host, Lab, wait_for};
use serde_json::json;

use crate::people::{Office, assert_says, step, text};

/// Notes that it ran, and goes on when it is let.
const JOB: &str = r#"
      - id: job
        uses: shell@v1
        with: {argv: [sh, -c, "echo ran >>/root/runs; echo began; until [ -e /root/go ]; do sleep 0.1; done; echo ended"]}
"#;

async fn until_it_runs(host: &Host) {
    let runs = async || Ok(Some(host.read("/root/runs").await?));
    assert_eq!(
        wait_for("the job on the host", Duration::from_secs(30), runs)
            .await
            .unwrap(),
        "ran\n"
    );
}

#[tokio::test]
async fn an_upgrade_goes_on_while_the_controller_is_dead_and_its_result_is_collected() {
    let lab = Lab::start().await.unwrap();
    let host = Host::boot(&lab, "web-1").await.unwrap();
    let mut office = Office::open().await;
    office.add(&host, "staging").await;
    host.hold_installations().await.unwrap();
    let run = office.start(&["patch-security"]).await;
    assert_eq!(host.wait_held_installation().await.unwrap(), "clawd-lab-web 1.1");

    office.clawd.kill().await.unwrap();
    host.release_installations().await.unwrap();
    let done = async || Ok((!host.effects().await?.is_empty()).then_some(()));
    wait_for(
        "the upgrade to be finished by itself",
        Duration::from_secs(30),
        done,
    )
    .await
    .unwrap();
    office.clawd.restart().await.unwrap();

    let (watched, view) = office.until_it_is_over(&run).await;
    watched.ok().unwrap();
    let apply = step(&view, "rollout/web-1/apply");
    assert_eq!(
        (&apply["status"], &apply["attempt"]),
        (&json!("changed"), &json!(1))
    );
    assert_eq!(
        apply["output"]["before"],
        json!([{"name": "clawd-lab-web", "version": "1.0"}])
    );
    assert_eq!(
        apply["output"]["after"],
        json!([{"name": "clawd-lab-web", "version": "1.1"}])
    );
    let output = office.output(&run, "rollout/web-1/apply").await;
    assert_says(&output, &["Setting up clawd-lab-web (1.1) ..."]);
    let effects = host.effects().await.unwrap();
    assert_eq!(effects.len(), 1, "{effects:?}");
}

#[tokio::test]
async fn a_command_that_still_runs_after_a_restart_is_found_again_and_not_started_twice() {
    let lab = Lab::start().await.unwrap();
    let host = Host::boot(&lab, "web-1").await.unwrap();
    let mut office = Office::open().await;
    office.add(&host, "staging").await;
    office.publish("job", JOB).await;
    let run = office.start(&["job"]).await;
    until_it_runs(&host).await;

    for _ in 0..2 {
        office.clawd.kill().await.unwrap();
        office.clawd.restart().await.unwrap();
        office.until_step(&run, "work/web-1/job", "running").await;
    }
    host.write("/root/go", "").await.unwrap();
    let (watched, view) = office.until_it_is_over(&run).await;
    watched.ok().unwrap();

    let job = step(&view, "work/web-1/job");
    assert_eq!((&job["status"], &job["attempt"]), (&json!("changed"), &json!(1)));
    assert_eq!(
        job["output"],
        json!({"exit_code": 0, "stdout": "began\nended\n", "stderr": ""})
    );
    assert_eq!(host.read("/root/runs").await.unwrap(), "ran\n");
    let started = office
        .audit(&run)
        .await
        .iter()
        .filter(|record| record["kind"] == "attempt.started")
        .count();
    assert_eq!(started, 1);
}

#[tokio::test]
async fn whoever_restarts_services_does_not_end_the_command() {
    let lab = Lab::start().await.unwrap();
    let host = Host::boot(&lab, "web-1").await.unwrap();
    let office = Office::open().await;
    office.add(&host, "staging").await;
    office.publish("job", JOB).await;
    let run = office.start(&["job"]).await;
    until_it_runs(&host).await;
    let listed = "systemctl list-units --plain --no-legend 'clawd-att_*' | cut -d' ' -f1";
    let unit = host.shell(listed).await.unwrap().trim().to_owned();
    assert!(unit.ends_with(".service"), "{unit}");

    // As tools do that restart what uses an upgraded library, and then with force.
    for verb in ["restart", "try-restart", "stop"] {
        let refused = host.exec(&["systemctl", verb, &unit]).await.unwrap();
        assert!(!refused.success(), "{verb}: {refused}");
    }
    host.exec(&["systemctl", "kill", "--kill-who=main", "--signal=TERM", &unit])
        .await
        .unwrap()
        .ok()
        .unwrap();
    host.write("/root/go", "").await.unwrap();
    let (watched, view) = office.until_it_is_over(&run).await;
    watched.ok().unwrap();
    let job = step(&view, "work/web-1/job");
    assert_eq!(job["output"]["stdout"], "began\nended\n");
    assert_eq!(host.read("/root/runs").await.unwrap(), "ran\n");
}

/// Its processes listen to nothing, and one has gone its own way.
const STUBBORN: &str = r#"
      - id: job
        uses: shell@v1
        with:
          argv: [sh, -c, "trap '' TERM; setsid sh -c 'sleep 4321' >/dev/null 2>&1 & echo ran >>/root/runs; sleep 4321; sleep 4321"]
"#;

#[tokio::test]
async fn a_cancelled_command_leaves_nothing_behind() {
    let lab = Lab::start().await.unwrap();
    let host = Host::boot(&lab, "web-1").await.unwrap();
    let office = Office::open().await;
    office.add(&host, "staging").await;
    office.publish("job", STUBBORN).await;
    let run = office.start(&["job"]).await;
    until_it_runs(&host).await;
    let sleeping = "pgrep -c -f '[s]leep 4321' || true";
    assert_ne!(host.shell(sleeping).await.unwrap(), "0\n");

    office.cli("ana", &["run", "cancel", &run]).await.ok().unwrap();
    let (_, view) = office.until_it_is_over(&run).await;

    let job = step(&view, "work/web-1/job");
    assert_eq!(job["error"]["kind"], "cancelled", "{job:#}");
    assert_eq!(host.shell(sleeping).await.unwrap(), "0\n");
}

#[tokio::test]
async fn what_a_power_cut_interrupted_is_unknown_until_a_person_has_looked() {
    let lab = Lab::start().await.unwrap();
    let hosts = Host::boot_all(&lab, ["web-1", "web-2"]).await.unwrap();
    let office = Office::open().await;
    office.publish("job", JOB).await;
    for host in &hosts {
        office.add(host, "staging").await;
    }
    let run = office.start(&["job"]).await;
    for host in &hosts {
        until_it_runs(host).await;
        host.power_cut();
        host.power_on().await.unwrap();
    }

    for name in ["web-1", "web-2"] {
        let job = office
            .until_step(&run, &format!("work/{name}/job"), "unknown")
            .await;
        assert_eq!(job["error"]["kind"], "indeterminate", "{job:#}");
        assert_says(
            &text(&job["error"]["message"]),
            &[name, "the host was restarted while the command ran"],
        );
        assert_says(
            &text(&job["error"]["hint"]),
            &["look at the host, then say what became of the step"],
        );
    }
    assert_eq!(office.until_it_waits(&run).await["status"], "waiting");
    // A person who may decide looks at each: on one it had done its work, on the other not.
    let first = [
        "run",
        "resolve",
        &run,
        "work/web-1/job",
        "--happened",
        r#"{"exit_code": 0, "stdout": "seen"}"#,
    ];
    let refused = office.cli("dan", &first).await.expect_code(5).unwrap();
    assert_says(&refused.stderr, &["error: "]);
    office.cli("ben", &first).await.ok().unwrap();
    let known = office.until_step(&run, "work/web-1/job", "changed").await;
    assert_eq!(known["output"]["stdout"], "seen");
    let twice = office.cli("ben", &first).await.expect_code(1).unwrap();
    assert_says(&twice.stderr, &["there is nothing to decide"]);
    hosts[1].write("/root/go", "").await.unwrap();
    // What is said about another attempt than the unknown one is about something else.
    let other = [
        "run",
        "resolve",
        &run,
        "work/web-2/job",
        "--attempt",
        "2",
        "--did-not-happen",
    ];
    let other = office.cli("ben", &other).await.expect_code(1).unwrap();
    assert_says(&other.stderr, &["that is attempt 1", "hint: "]);
    let second = ["run", "resolve", &run, "work/web-2/job", "--did-not-happen"];
    office.cli("ben", &second).await.ok().unwrap();

    let (watched, view) = office.until_it_is_over(&run).await;
    watched.ok().unwrap();
    assert_eq!(step(&view, "work/web-1/job")["attempt"], 1);
    assert_eq!(step(&view, "work/web-2/job")["attempt"], 2);
    assert_eq!(hosts[0].read("/root/runs").await.unwrap(), "ran\n");
    assert_eq!(hosts[1].read("/root/runs").await.unwrap(), "ran\nran\n");
    let audit = office.audit(&run).await;
    let resolved: Vec<_> = audit
        .iter()
        .filter(|record| record["kind"] == "step.resolved")
        .collect();
    assert_eq!(resolved.len(), 2);
    assert!(
        resolved.iter().all(|record| record["actor"] == "user:ben"),
        "{resolved:#?}"
    );
}
