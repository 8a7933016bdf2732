//! Package managers in each other's way, packages that stay as they are, and updates that need a reboot.

use std::time::Duration;

use clawd_integration_tests::{Host, Lab, wait_for};
use serde_json::json;

use crate::people::{Office, assert_says, planned, step};

const APT: &str = "DEBIAN_FRONTEND=noninteractive apt-get install -q -y";

#[tokio::test]
async fn another_package_manager_is_waited_for_and_what_is_kept_back_is_told() {
    let lab = Lab::start().await.unwrap();
    let host = Host::boot(&lab, "web-1").await.unwrap();
    let office = Office::open().await;
    office.add(&host, "staging").await;
    let plan = office.json("ana", 2, &["plan", "patch-security"]).await;
    let output = &planned(&plan, "plan", "web-1", "set")["output"];
    let names = |list: &serde_json::Value| -> Vec<String> {
        list.as_array()
            .unwrap()
            .iter()
            .map(|package| crate::people::text(&package["name"]))
            .collect()
    };
    assert_eq!(
        names(&output["packages"]),
        ["clawd-lab-web"],
        "only security updates"
    );
    assert_eq!(
        names(&output["kept_back"]),
        ["clawd-lab-blocked", "clawd-lab-held"]
    );
    assert_says(
        output["kept_back"][0]["reason"].as_str().unwrap(),
        &["clawd-lab-missing"],
    );
    assert_eq!(
        output["kept_back"][1]["reason"],
        "held on the host (`apt-mark hold`)"
    );

    // Somebody's own installation stands still in the middle, and holds dpkg's locks.
    host.hold_installations().await.unwrap();
    let by_hand = format!("{APT} clawd-lab-tool=1.1");
    let (installed, ()) = tokio::join!(host.shell(&by_hand), async {
        assert_eq!(host.wait_held_installation().await.unwrap(), "clawd-lab-tool 1.1");
        let run = office.start(&["patch-security"]).await;
        let ours = async || {
            Ok(host
                .exec(&["pgrep", "-f", "apt-get.*clawd-lab-web=1.1"])
                .await?
                .success()
                .then_some(()))
        };
        wait_for("our apt-get to be there", Duration::from_secs(30), ours)
            .await
            .unwrap();
        office.until_step(&run, "rollout/web-1/apply", "running").await;
        assert_eq!(host.effects().await.unwrap(), []);
        host.release_installations().await.unwrap();
        let (watched, view) = office.until_it_is_over(&run).await;
        watched.ok().unwrap();
        assert_eq!(
            step(&view, "rollout/web-1/apply")["attempt"],
            1,
            "waited for, not tried again"
        );
    });
    installed.unwrap();
    let effects = host.effects().await.unwrap();
    let order: Vec<&str> = effects.iter().map(|effect| effect.package.as_str()).collect();
    assert_eq!(order, ["clawd-lab-tool", "clawd-lab-web"]);
    for kept in ["clawd-lab-held", "clawd-lab-blocked"] {
        assert_eq!(host.installed(kept).await.unwrap().as_deref(), Some("1.0"));
    }
}

#[tokio::test]
async fn an_update_that_needs_a_reboot_is_followed_by_one_proven_by_the_boot_id() {
    let lab = Lab::start().await.unwrap();
    let host = Host::boot(&lab, "web-1").await.unwrap();
    let office = Office::open().await;
    office.add(&host, "staging").await;
    host.shell(&format!(
        "{APT} clawd-lab-core=1.0; : >/var/lib/clawd-lab/effects"
    ))
    .await
    .unwrap();
    let before = host.boot_id().await.unwrap();

    let view = office.run(&["patch-security"]).await;
    assert_eq!(
        step(&view, "rollout/web-1/apply")["output"]["reboot_required"],
        true
    );
    let reboot = step(&view, "rollout/web-1/reboot");
    let after = host.boot_id().await.unwrap();
    assert_ne!(after, before);
    assert_eq!(reboot["status"], "changed");
    assert_eq!(
        reboot["output"],
        json!({"rebooted": true, "boot_id_before": before, "boot_id_after": after})
    );
    assert_eq!(
        step(&view, "rollout/web-1/health")["output"]["boot_id"],
        after.as_str()
    );
    let effects = host.effects().await.unwrap();
    let done: Vec<(&str, &str)> = effects
        .iter()
        .map(|effect| (effect.package.as_str(), effect.version.as_str()))
        .collect();
    assert_eq!(done.len(), 2, "{done:?}");
    assert!(
        done.contains(&("clawd-lab-core", "1.1")) && done.contains(&("clawd-lab-web", "1.1")),
        "{done:?}"
    );

    // Once is enough.
    let view = office.run(&["patch-security"]).await;
    assert_eq!(step(&view, "rollout/web-1/reboot")["status"], "skipped");
    assert_eq!(host.boot_id().await.unwrap(), after);
}
