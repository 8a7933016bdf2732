//! What somebody does by hand between the votes and the dispatch.

use clawd_integration_tests::{Host, Lab};

use crate::people::{Office, assert_says, step, text};

#[tokio::test]
async fn votes_are_void_when_somebody_installs_the_package_by_hand() {
    let lab = Lab::start().await.unwrap();
    let host = Host::boot(&lab, "web-1").await.unwrap();
    let office = Office::open().await;
    office.add(&host, "prod").await;
    let run = office.start(&["patch-security"]).await;
    office.until_it_waits(&run).await;
    let approval = office.open_approval(&run).await;
    let id = text(&approval["id"]);
    office.cli("ben", &["approve", &id]).await.ok().unwrap();

    host.shell("DEBIAN_FRONTEND=noninteractive apt-get install -q -y clawd-lab-web=1.1")
        .await
        .unwrap();
    let by_hand = host.effects().await.unwrap();
    assert_eq!(by_hand.len(), 1, "{by_hand:?}");

    office.cli("cho", &["approve", &id]).await.ok().unwrap();
    let drifted = clawd_integration_tests::wait_for(
        "the approval to be void",
        std::time::Duration::from_secs(60),
        async || {
            let old = office.json("ben", 0, &["approval", "show", &id]).await;
            Ok((old["status"] == "void").then_some(old))
        },
    );
    assert_eq!(drifted.await.unwrap()["votes"].as_array().unwrap().len(), 2);
    office.until_it_waits(&run).await;
    let anew = office.open_approval(&run).await;
    assert_ne!(
        (&anew["id"], &anew["subject_digest"]),
        (&approval["id"], &approval["subject_digest"])
    );
    assert_eq!(anew["subject"]["drifted"][0][0], "rollout/web-1/apply");
    let shown = office
        .cli("ben", &["approval", "show", &text(&anew["id"])])
        .await
        .ok()
        .unwrap();
    assert_says(&shown.stdout, &["drifted from the plan: rollout/web-1/apply"]);
    let audit = office.audit(&run).await;
    assert!(
        audit.iter().any(|record| record["kind"] == "approval.voided"),
        "{audit:#?}"
    );

    office
        .cli("ben", &["reject", &text(&anew["id"]), "-m", "done by hand"])
        .await
        .ok()
        .unwrap();
    let (watched, view) = office.until_it_is_over(&run).await;
    assert!(!watched.success());
    assert_eq!(
        step(&view, "rollout/web-1/apply")["attempt"]
            .as_u64()
            .unwrap_or(0),
        0,
        "nothing was begun"
    );
    assert_eq!(host.effects().await.unwrap(), by_hand, "nothing was done");
}
