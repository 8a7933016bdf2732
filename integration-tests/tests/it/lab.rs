//! The lab itself: are its hosts real hosts? What the other tests rely on is proved here once.

use std::time::Duration;

use clawd_integration_tests::{Host, Lab, wait_for};

#[tokio::test]
async fn two_hosts_boot_and_answer_over_ssh_with_their_own_names() {
    let lab = Lab::start().await.unwrap();
    let [web, db] = Host::boot_all(&lab, ["web-1", "db-1"]).await.unwrap();

    for host in [&web, &db] {
        let whoami = host.ssh("root", "hostname; id -un").await.unwrap().ok().unwrap();
        assert_eq!(whoami.stdout, format!("{}\nroot\n", host.name()));
        assert_eq!(
            host.shell("systemctl is-system-running").await.unwrap(),
            "running\n"
        );
    }
    assert_ne!(web.fingerprint().unwrap(), db.fingerprint().unwrap());
    let ids = [
        web.shell("cat /etc/machine-id").await.unwrap(),
        db.shell("cat /etc/machine-id").await.unwrap(),
    ];
    assert_ne!(ids[0], ids[1]);
    assert_eq!(ids[0].trim().len(), 32);

    // The hosts see each other, as machines on one network do.
    let ping = format!("ping -c 1 -W 5 {}", db.address().ip());
    web.ssh("root", &ping).await.unwrap().ok().unwrap();
}

#[tokio::test]
async fn services_of_two_hosts_do_not_touch_each_other() {
    let lab = Lab::start().await.unwrap();
    let [one, two] = Host::boot_all(&lab, ["one", "two"]).await.unwrap();

    let pid = "systemctl show --property MainPID --value clawd-lab-web";
    let before = two.shell(pid).await.unwrap();
    one.shell("systemctl restart clawd-lab-web; systemctl stop cron")
        .await
        .unwrap();

    assert_eq!(two.shell(pid).await.unwrap(), before);
    assert_eq!(two.shell("systemctl is-active cron").await.unwrap(), "active\n");
    // Transient units, as jobs on hosts are, by the same name: one is killed with all its children.
    for host in [&one, &two] {
        host.shell("systemd-run --quiet --unit job sh -c 'sleep 500 & sleep 501 & wait'")
            .await
            .unwrap();
    }
    one.shell("systemctl kill --signal=KILL job").await.unwrap();
    let gone = async || Ok((!one.exec(&["pgrep", "sleep"]).await?.success()).then_some(()));
    wait_for("the job's children to die", Duration::from_secs(20), gone)
        .await
        .unwrap();
    assert_eq!(
        two.shell("systemctl is-active job; pgrep -c sleep")
            .await
            .unwrap(),
        "active\n2\n"
    );
    let job = [
        "systemd-run",
        "--quiet",
        "--wait",
        "--pipe",
        "sh",
        "-c",
        "echo done; exit 7",
    ];
    let job = two.exec(&job).await.unwrap();
    assert_eq!((job.code, job.stdout.as_str()), (Some(7), "done\n"));
}

#[tokio::test]
async fn ops_may_use_sudo_nosudo_may_not_and_certificates_open_the_door() {
    let lab = Lab::start().await.unwrap();
    let host = Host::boot(&lab, "web-1").await.unwrap();

    let sudo = host.ssh("ops", "sudo -n id -un").await.unwrap().ok().unwrap();
    assert_eq!((sudo.stdout.as_str(), sudo.stderr.as_str()), ("root\n", ""));
    let refused = host.ssh("nosudo", "sudo -n id -un").await.unwrap();
    assert_eq!(refused.code, Some(1), "{refused}");

    let key = lab.certify("ops", "+5m").unwrap();
    assert_eq!(
        host.ssh_with(&key.path(), "ops", "id -un")
            .await
            .unwrap()
            .ok()
            .unwrap()
            .stdout,
        "ops\n"
    );
    assert_eq!(
        host.ssh_with(&key.path(), "root", "id -un").await.unwrap().code,
        Some(255)
    );
    let expired = lab.certify("ops", "-2h:-1h").unwrap();
    assert_eq!(
        host.ssh_with(&expired.path(), "ops", "id -un")
            .await
            .unwrap()
            .code,
        Some(255)
    );
}

#[tokio::test]
async fn apt_offers_one_security_update_one_other_and_keeps_two_back() {
    let lab = Lab::start().await.unwrap();
    let host = Host::boot(&lab, "web-1").await.unwrap();

    let before = host
        .shell("apt-get update -q && apt-get -s dist-upgrade")
        .await
        .unwrap();
    assert!(
        before.contains("Inst clawd-lab-web [1.0] (1.1 Debian-Security:lab-security [all])"),
        "{before}"
    );
    assert!(
        before.contains("Inst clawd-lab-tool [1.0] (1.1 Clawd Lab:lab [all])"),
        "{before}"
    );
    assert!(
        before.contains("kept back:\n  clawd-lab-blocked clawd-lab-held"),
        "{before}"
    );
    assert_eq!(host.shell("apt-mark showhold").await.unwrap(), "clawd-lab-held\n");
    assert_eq!(host.effects().await.unwrap(), []);

    host.shell("DEBIAN_FRONTEND=noninteractive apt-get install -q -y clawd-lab-web=1.1")
        .await
        .unwrap();
    let effects = host.effects().await.unwrap();
    assert_eq!(effects.len(), 1);
    assert_eq!(
        (effects[0].package.as_str(), effects[0].version.as_str()),
        ("clawd-lab-web", "1.1")
    );
    assert_eq!(effects[0].boot_id, host.boot_id().await.unwrap());
    assert_eq!(
        host.installed("clawd-lab-web").await.unwrap().as_deref(),
        Some("1.1")
    );
    assert_eq!(host.installed("clawd-lab-core").await.unwrap(), None);
    // The service was restarted with the new version.
    let health = "curl -sS --retry 20 --retry-connrefused --retry-delay 1 http://127.0.0.1:8080/healthz";
    assert_eq!(host.shell(health).await.unwrap(), "ok 1.1\n");

    host.shell("apt-get install -q -y --allow-downgrades clawd-lab-web=1.0")
        .await
        .unwrap();
    assert_eq!(
        host.installed("clawd-lab-web").await.unwrap().as_deref(),
        Some("1.0")
    );
}

#[tokio::test]
async fn packages_can_fail_ask_for_a_reboot_and_wait_in_the_middle() {
    let lab = Lab::start().await.unwrap();
    let host = Host::boot(&lab, "web-1").await.unwrap();
    let install = |what: &str| format!("DEBIAN_FRONTEND=noninteractive apt-get install -q -y {what}");

    host.shell(&install("clawd-lab-broken=1.0 clawd-lab-core=1.0"))
        .await
        .unwrap();
    let broken = host
        .exec(&["sh", "-c", &install("clawd-lab-broken=1.1")])
        .await
        .unwrap();
    assert_eq!(broken.code, Some(100), "{broken}");
    host.shell(&install("--allow-downgrades clawd-lab-broken=1.0"))
        .await
        .unwrap();

    host.shell(&install("clawd-lab-core=1.1")).await.unwrap();
    assert_eq!(
        host.read("/run/reboot-required.pkgs").await.unwrap(),
        "clawd-lab-core\n"
    );

    host.hold_installations().await.unwrap();
    let script = install("clawd-lab-web=1.1");
    let (installed, ()) = tokio::join!(host.shell(&script), async {
        assert_eq!(host.wait_held_installation().await.unwrap(), "clawd-lab-web 1.1");
        assert!(
            !host
                .effects()
                .await
                .unwrap()
                .iter()
                .any(|effect| effect.package == "clawd-lab-web")
        );
        host.release_installations().await.unwrap();
    });
    installed.unwrap();
    assert_eq!(
        host.effects().await.unwrap().last().unwrap().package,
        "clawd-lab-web"
    );
}
