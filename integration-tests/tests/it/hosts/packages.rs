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
    // What people are told is no more than what was done.
    let told = office.clawd.log();
    assert_says(
        &told,
        &["web-1: well, but 2 security updates are kept back: clawd-lab-blocked, clawd-lab-held"],
    );
    assert!(!told.contains("patched, and well"), "{told}");
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

#[tokio::test]
async fn a_kernel_update_brings_its_new_package_along_and_people_see_that_before() {
    let lab = Lab::start().await.unwrap();
    let host = Host::boot(&lab, "web-1").await.unwrap();
    let office = Office::open().await;
    office.add(&host, "staging").await;
    host.shell(&format!(
        "{APT} clawd-lab-kernel=1.0; : >/var/lib/clawd-lab/effects"
    ))
    .await
    .unwrap();
    let plan = office.json("ana", 2, &["plan", "patch-security"]).await;
    let packages = &planned(&plan, "plan", "web-1", "set")["output"]["packages"];
    assert_eq!(
        packages[1],
        json!({"name": "clawd-lab-kernel-image-2", "to": "2.0", "security": true})
    );
    assert_eq!(
        planned(&plan, "rollout", "web-1", "apply")["change"]["diff"],
        "~ clawd-lab-kernel 1.0 → 1.1\n+ clawd-lab-kernel-image-2 2.0 (new package)\n~ clawd-lab-web 1.0 → 1.1\n"
    );
    let view = office.run(&["patch-security"]).await;
    let apply = step(&view, "rollout/web-1/apply");
    assert_eq!(apply["status"], "changed");
    assert_eq!(
        apply["output"]["after"][1],
        json!({"name": "clawd-lab-kernel-image-2", "version": "2.0"})
    );
    for (package, version) in [("clawd-lab-kernel", "1.1"), ("clawd-lab-kernel-image-2", "2.0")] {
        assert_eq!(host.installed(package).await.unwrap().as_deref(), Some(version));
    }
    let automatic = host.exec(&["apt-mark", "showauto"]).await.unwrap().stdout;
    assert_says(&automatic, &["clawd-lab-kernel-image-2\n"]);
    office.run(&["patch-security"]).await;
    assert_eq!(host.effects().await.unwrap().len(), 3, "once is enough");
}

#[tokio::test]
async fn a_repository_that_cannot_be_reached_is_not_taken_for_nothing_to_do() {
    let lab = Lab::start().await.unwrap();
    let host = Host::boot(&lab, "web-1").await.unwrap();
    let office = Office::open().await;
    office.add(&host, "staging").await;
    let source = "deb [trusted=yes] http://127.0.0.1:9/debian gone main\n";
    host.write("/etc/apt/sources.list.d/gone.list", source)
        .await
        .unwrap();
    // For apt alone that is a success.
    host.shell("apt-get update -q").await.unwrap();
    office
        .publish("look", "      - {id: set, uses: pkg.plan@v1}\n")
        .await;
    let run = office.start(&["look"]).await;
    let (watched, view) = office.until_it_is_over(&run).await;
    assert!(!watched.success());
    let error = &step(&view, "work/web-1/set")["error"];
    assert_eq!(error["kind"], "connection", "{error:#}");
    assert_says(
        &error.to_string(),
        &["the package lists are not fresh", "127.0.0.1:9", "apt-get update"],
    );
    host.shell("rm /etc/apt/sources.list.d/gone.list").await.unwrap();
    office.run(&["look"]).await;
}
