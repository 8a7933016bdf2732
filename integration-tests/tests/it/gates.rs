//! The gate as people meet it: what waits, whose vote counts and for how long, and what ends a run.

use serde_json::{Value, json};

use crate::support::Site;

/// A site with one server of production, and a run that waits to write a file on it.
async fn waiting() -> (Site, String) {
    let site = Site::start().await.unwrap();
    site.add_server("web-1", "prod").await.unwrap();
    let run = start(&site).await;
    (site, run)
}

async fn start(site: &Site) -> String {
    let run = site
        .start_run(
            "write-file",
            &json!({"path": "/etc/motd", "content": "ours"}),
            "write",
        )
        .await
        .unwrap();
    site.wait_missing(&run, &json!({"sre": 2})).await.unwrap();
    run
}

fn step(view: &Value) -> &Value {
    &view["jobs"][0]["lanes"][0]["steps"][0]
}

async fn agree(site: &Site, who: &str, approval: &Value) {
    let answer = site.vote(who, approval, "approve").await.unwrap();
    assert_eq!(answer.status, 202, "{}", answer.body);
}

/// The run did what it should, on the server once.
async fn assert_written_once(site: &Site, run: &str) {
    site.wait_run(run, &["succeeded"]).await.unwrap();
    let effects = site.effects("web-1").unwrap();
    assert_eq!(effects.len(), 1, "{effects:#?}");
    assert_eq!(effects[0]["operation"], "file.write@v1");
    assert_eq!(
        site.world("web-1").unwrap()["files"]["/etc/motd"]["content"],
        "ours\n"
    );
    site.verify_audit().await.unwrap();
}

/// The run was ended by the gate, said why, and nothing was touched.
async fn assert_denied(site: &Site, run: &str, why: &str) {
    let view = site.wait_run(run, &["denied"]).await.unwrap();
    let said = step(&view).to_string();
    assert!(said.contains(why), "`{why}` is not in {said}");
    let watched = site.cli("ana", &["run", "watch", run]).await.unwrap();
    assert_eq!(watched.code, Some(5), "{watched}");
    assert!(site.effects("web-1").unwrap().is_empty());
    site.verify_audit().await.unwrap();
}

#[tokio::test]
async fn two_votes_of_others_let_a_change_pass_and_not_one_less() {
    let (site, run) = waiting().await;
    let view = site.wait_run(&run, &["waiting"]).await.unwrap();
    assert_eq!(step(&view)["status"], "waiting_for_votes");
    let approval = site.wait_missing(&run, &json!({"sre": 2})).await.unwrap();
    assert_eq!(
        approval["missing"][0]["candidates"],
        json!(["admin", "ben", "cho"])
    );
    assert_eq!(
        approval["reasons"],
        json!(["changes in production need two votes of `sre`"])
    );

    let id = approval["id"].as_str().unwrap();
    let own = site
        .cli("ana", &["approve", id])
        .await
        .unwrap()
        .expect_code(5)
        .unwrap();
    assert!(
        own.stderr.contains("the person who asks does not vote on it"),
        "{own}"
    );

    agree(&site, "ben", &approval).await;
    site.wait_missing(&run, &json!({"sre": 1})).await.unwrap();
    agree(&site, "ben", &approval).await;
    let one = site.wait_missing(&run, &json!({"sre": 1})).await.unwrap();
    assert_eq!(
        one["missing"][0]["candidates"],
        json!(["admin", "cho"]),
        "the same person twice is one vote"
    );
    site.wait_run(&run, &["waiting"]).await.unwrap();
    assert!(site.effects("web-1").unwrap().is_empty());

    site.cli("cho", &["approve", id, "-m", "looks right"])
        .await
        .unwrap()
        .ok()
        .unwrap();
    assert_written_once(&site, &run).await;

    let late = site.vote("sam", &approval, "approve").await.unwrap();
    assert_eq!(late.status, 409, "{}", late.body);
    let refused = site.get("ben", "/audit?kind=access.refused").await.unwrap();
    assert_eq!(refused["items"][0]["actor"], "user:ana", "refusals are on record");
}

#[tokio::test]
async fn a_vote_that_expired_no_longer_counts() {
    let site = Site::start().await.unwrap();
    site.add_server("web-1", "prod").await.unwrap();
    let short = |files: &mut std::collections::BTreeMap<String, String>| {
        let production = files.get_mut("production.cedar").unwrap();
        *production = production.replace("@approval_ttl(\"24h\")", "@approval_ttl(\"2s\")");
    };
    site.publish(short).await.unwrap();
    let run = start(&site).await;
    let approval = site.wait_missing(&run, &json!({"sre": 2})).await.unwrap();
    assert_eq!(approval["vote_ttl_ms"], 2000);

    agree(&site, "ben", &approval).await;
    site.wait_missing(&run, &json!({"sre": 1})).await.unwrap();
    site.wait_missing(&run, &json!({"sre": 2})).await.unwrap();
    agree(&site, "cho", &approval).await;
    site.wait_missing(&run, &json!({"sre": 1})).await.unwrap();
    assert!(
        site.effects("web-1").unwrap().is_empty(),
        "one expired and one valid vote are one"
    );

    // On a busy machine two votes may be more than two seconds apart: then they are cast again.
    let done = site.wait("two votes within two seconds", async || {
        for who in ["ben", "cho"] {
            site.vote(who, &approval, "approve").await?;
        }
        let view = site.get("ana", &format!("/runs/{run}")).await?;
        Ok((view["status"] == "succeeded").then_some(view))
    });
    done.await.unwrap();
    assert_written_once(&site, &run).await;
}

#[tokio::test]
async fn votes_do_not_survive_a_drift_of_the_server() {
    let (mut site, run) = waiting().await;
    let approval = site.wait_missing(&run, &json!({"sre": 2})).await.unwrap();
    agree(&site, "ben", &approval).await;
    site.wait_missing(&run, &json!({"sre": 1})).await.unwrap();

    site.clawd.stop().await.unwrap();
    let mut world = site.world("web-1").unwrap();
    world["files"]["/etc/motd"] =
        json!({"content": "theirs\n", "mode": "0644", "owner": "root", "group": "root"});
    std::fs::write(site.machine("web-1").join("world.json"), world.to_string()).unwrap();
    site.restart().await.unwrap();

    let kept = site.wait_missing(&run, &json!({"sre": 1})).await.unwrap();
    assert_eq!(kept["id"], approval["id"], "a vote outlives the process");
    agree(&site, "cho", &approval).await;
    let anew = site.wait_missing(&run, &json!({"sre": 2})).await.unwrap();
    assert_ne!(
        (&anew["id"], &anew["subject_digest"]),
        (&approval["id"], &approval["subject_digest"])
    );
    assert_eq!(anew["subject"]["drifted"][0][0], "write/web-1/file");
    assert!(site.effects("web-1").unwrap().is_empty());

    let old = site
        .get("ben", &format!("/approvals/{}", approval["id"].as_str().unwrap()))
        .await
        .unwrap();
    assert_eq!(
        (&old["status"], &old["votes"].as_array().unwrap().len()),
        (&json!("void"), &2)
    );
    let stale = json!({"id": anew["id"], "subject_digest": approval["subject_digest"]});
    let stale = site.vote("ben", &stale, "approve").await.unwrap();
    assert_eq!(
        stale.status, 409,
        "what was seen before the drift is not voted on: {}",
        stale.body
    );

    agree(&site, "ben", &anew).await;
    agree(&site, "cho", &anew).await;
    assert_written_once(&site, &run).await;
    let events = site.events(&run).await.unwrap();
    let voided = events
        .iter()
        .find(|recorded| recorded["event"]["type"] == "approval_voided")
        .unwrap();
    let reason = voided["event"]["reason"].as_str().unwrap();
    assert!(
        reason.contains("write/web-1/file would now do something else than planned"),
        "{reason}"
    );
}

#[tokio::test]
async fn a_policy_that_is_tightened_counts_at_once() {
    let (site, run) = waiting().await;
    let approval = site.wait_missing(&run, &json!({"sre": 2})).await.unwrap();
    agree(&site, "ben", &approval).await;
    site.wait_missing(&run, &json!({"sre": 1})).await.unwrap();

    let stricter = "@id(\"more.security\")\n@reason(\"files need a vote of `security`\")\n\
                    forbid(principal, action == Action::\"file.write\", resource is Server)\n\
                    unless { context.approvals.security >= 1 };\n";
    site.publish(|files| drop(files.insert("more.cedar".to_owned(), stricter.to_owned())))
        .await
        .unwrap();
    let more = site
        .wait_missing(&run, &json!({"sre": 1, "security": 1}))
        .await
        .unwrap();
    assert_eq!(more["id"], approval["id"], "the votes that were cast still count");
    assert!(
        more["reasons"]
            .to_string()
            .contains("files need a vote of `security`"),
        "{}",
        more["reasons"]
    );

    agree(&site, "cho", &approval).await;
    site.wait_missing(&run, &json!({"security": 1})).await.unwrap();
    assert!(site.effects("web-1").unwrap().is_empty());
    agree(&site, "sam", &approval).await;
    assert_written_once(&site, &run).await;
}

#[tokio::test]
async fn a_policy_that_cannot_be_evaluated_denies() {
    let (site, run) = waiting().await;
    let broken = "@id(\"broken.sum\")\nforbid(principal, action == Action::\"file.write\", resource is Server)\n\
                  when { 9223372036854775807 + 1 > 0 };\n";
    site.publish(|files| drop(files.insert("broken.cedar".to_owned(), broken.to_owned())))
        .await
        .unwrap();
    assert_denied(&site, &run, "overflow").await;
    let explained = site
        .cli(
            "ana",
            &["policy", "explain", "file.write@v1", "--server", "web-1"],
        )
        .await
        .unwrap();
    assert!(
        explained.stdout.contains("broken.sum") && explained.stdout.contains("overflow"),
        "{explained}"
    );
}

#[tokio::test]
async fn a_no_ends_the_run() {
    let (site, run) = waiting().await;
    let approval = site.wait_missing(&run, &json!({"sre": 2})).await.unwrap();
    agree(&site, "ben", &approval).await;
    let id = approval["id"].as_str().unwrap();
    site.cli("cho", &["reject", id, "-m", "not today"])
        .await
        .unwrap()
        .ok()
        .unwrap();
    assert_denied(&site, &run, "rejected by `cho`").await;
    let late = site.vote("ben", &approval, "approve").await.unwrap();
    assert_eq!(late.status, 409, "{}", late.body);
    assert_eq!(late.header("content-type"), Some("application/problem+json"));
}
