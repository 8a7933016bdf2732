//! Commands that need not run, and commands that fail.

use clawd_integration_tests::{Host, Lab};

use crate::people::{Office, assert_says, planned, step};

const ONCE: &str = r#"
      - id: make
        uses: shell@v1
        with:
          argv: [sh, -c, "echo made >>/root/runs; touch /root/made"]
          creates: /root/made
      - id: ensure
        uses: shell@v1
        with:
          argv: [sh, -c, "echo ensured >>/root/runs; echo on >/root/state"]
          unless: [sh, -c, "echo asked >>/root/asked; grep -qx on /root/state"]
"#;

#[tokio::test]
async fn a_command_runs_only_where_it_is_needed_and_its_failure_is_told() {
    let lab = Lab::start().await.unwrap();
    let host = Host::boot(&lab, "web-1").await.unwrap();
    let office = Office::open().await;
    office.add(&host, "staging").await;
    office.publish("once", ONCE).await;

    for (make, ensure, runs) in [
        ("changed", "changed", "made\nensured\n"),
        ("succeeded", "succeeded", "made\nensured\n"),
        ("succeeded", "changed", "made\nensured\nensured\n"),
    ] {
        let view = office.run(&["once"]).await;
        assert_eq!(step(&view, "work/web-1/make")["status"], make);
        assert_eq!(step(&view, "work/web-1/ensure")["status"], ensure);
        assert_eq!(host.read("/root/runs").await.unwrap(), runs);
        if make == "succeeded" {
            host.write("/root/state", "off\n").await.unwrap();
        }
    }
    // For each attempt and the look after it, and for no plan.
    let asked = "asked\n".repeat(6);
    assert_eq!(host.read("/root/asked").await.unwrap(), asked);
    let plan = office.json("ana", 2, &["plan", "once"]).await;
    let ensure = &planned(&plan, "work", "web-1", "ensure")["change"];
    assert_says(
        ensure["summary"].as_str().unwrap(),
        &["cannot be predicted: `unless` is asked when the step runs"],
    );
    assert_eq!(host.read("/root/asked").await.unwrap(), asked);
    assert_eq!(
        planned(&plan, "work", "web-1", "make")["change"]["summary"],
        "nothing to run: `/root/made` exists"
    );

    // A command that fails, and one that does not do what it is for.
    let argv = r#"argv: [sh, -c, "echo told; echo 'no such luck' >&2; exit 7"]"#;
    office
        .publish(
            "fails",
            &format!("      - {{id: command, uses: shell@v1, with: {{{argv}}}}}\n"),
        )
        .await;
    let idle = "      - {id: command, uses: shell@v1, with: {argv: ['true'], creates: /root/never}}\n";
    office.publish("idle", idle).await;
    for (runbook, kind, message) in [
        ("fails", "failed", "`sh` ended with exit code 7: no such luck"),
        (
            "idle",
            "not-verified",
            "`creates` does not exist after the command",
        ),
    ] {
        let run = office.start(&[runbook]).await;
        let (watched, view) = office.until_it_is_over(&run).await;
        assert_says(&watched.expect_code(3).unwrap().stderr, &[message]);
        assert_eq!(step(&view, "work/web-1/command")["error"]["kind"], kind);
        if runbook == "fails" {
            assert_eq!(office.output(&run, "work/web-1/command").await, "told\n");
        }
    }
}
