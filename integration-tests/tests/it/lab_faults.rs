//! The faults that the lab can make: each one really happens, and only that one.

use std::time::Duration;

use clawd_integration_tests::{Host, HostOptions, Lab, wait_for, workspace};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::net::TcpStream;

/// Whether something accepts connections on the host's port 22.
async fn reachable(host: &Host) -> bool {
    let connect = TcpStream::connect(host.address());
    matches!(
        tokio::time::timeout(Duration::from_millis(300), connect).await,
        Ok(Ok(_))
    )
}

#[tokio::test]
async fn a_reboot_changes_the_boot_id_and_forgets_the_firewall_but_not_the_disk() {
    let lab = Lab::start().await.unwrap();
    let host = Host::boot(&lab, "web-1").await.unwrap();
    host.write("/etc/kept", "kept").await.unwrap();
    host.write("/run/lost", "lost").await.unwrap();
    host.shell("nft add table inet lost").await.unwrap();
    let before = host.boot_id().await.unwrap();

    // The reboot cuts the connection: ssh ends with 255, or with 0 if it was faster.
    host.ssh("ops", "sudo -n systemctl reboot").await.unwrap();
    host.wait_rebooted(&before).await.unwrap();

    assert_ne!(host.boot_id().await.unwrap(), before);
    assert_eq!(host.read("/etc/kept").await.unwrap(), "kept");
    assert!(host.read("/run/lost").await.is_err());
    assert_eq!(host.shell("nft list tables").await.unwrap(), "");
    assert_eq!(
        host.ssh("root", "hostname").await.unwrap().ok().unwrap().stdout,
        "web-1\n"
    );
    // The journal tells of both boots.
    host.shell("journalctl --boot=-1 --lines=1").await.unwrap();
}

#[tokio::test]
async fn a_power_cut_tells_nobody_and_power_comes_back() {
    let lab = Lab::start().await.unwrap();
    let host = Host::boot(&lab, "web-1").await.unwrap();
    // What a polite shutdown would leave behind.
    let unit = "[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=/bin/true\nExecStop=/usr/bin/touch /etc/polite\n";
    host.write("/run/systemd/system/witness.service", unit)
        .await
        .unwrap();
    host.shell("systemctl daemon-reload; systemctl start witness")
        .await
        .unwrap();
    let before = host.boot_id().await.unwrap();

    host.power_cut();
    assert!(!reachable(&host).await);
    assert!(
        host.exec(&["true"])
            .await
            .unwrap_err()
            .to_string()
            .contains("is off")
    );

    host.power_on().await.unwrap();
    assert!(host.power_on().await.is_err(), "it is on already");
    assert_ne!(host.boot_id().await.unwrap(), before);
    assert!(host.read("/etc/polite").await.is_err());
    host.ssh("root", "true").await.unwrap().ok().unwrap();
}

#[tokio::test]
async fn a_reset_host_has_forgotten_everything_but_its_identity() {
    let lab = Lab::start().await.unwrap();
    let host = Host::boot(&lab, "web-1").await.unwrap();
    let fingerprint = host.fingerprint().unwrap();
    host.shell("apt-get install -q -y clawd-lab-web=1.1")
        .await
        .unwrap();

    host.reset().await.unwrap();

    assert_eq!(
        host.installed("clawd-lab-web").await.unwrap().as_deref(),
        Some("1.0")
    );
    assert_eq!(host.effects().await.unwrap(), []);
    assert_eq!(host.fingerprint().unwrap(), fingerprint);
    assert_eq!(
        host.ssh("root", "hostname").await.unwrap().ok().unwrap().stdout,
        "web-1\n"
    );
}

#[tokio::test]
async fn a_partition_cuts_off_one_host_until_it_is_healed() {
    let lab = Lab::start().await.unwrap();
    let [web, db] = Host::boot_all(&lab, ["web-1", "db-1"]).await.unwrap();

    web.partition().unwrap();
    assert!(!reachable(&web).await);
    assert!(reachable(&db).await);
    assert_eq!(web.shell("hostname").await.unwrap(), "web-1\n", "it lives on");

    web.heal().unwrap();
    let healed = async || Ok(reachable(&web).await.then_some(()));
    wait_for("the healed host", Duration::from_secs(20), healed)
        .await
        .unwrap();
}

#[tokio::test]
async fn a_frozen_host_keeps_its_connections_and_says_nothing() {
    let lab = Lab::start().await.unwrap();
    let host = Host::boot(&lab, "web-1").await.unwrap();

    host.freeze().unwrap();
    // Its kernel still accepts; nobody greets.
    let stream = TcpStream::connect(host.address()).await.unwrap();
    let mut greeting = [0; 1];
    let peek = tokio::time::timeout(Duration::from_millis(500), stream.peek(&mut greeting)).await;
    assert!(peek.is_err(), "a frozen host greeted");

    host.thaw().unwrap();
    let greeted = tokio::time::timeout(Duration::from_secs(20), stream.peek(&mut greeting)).await;
    assert_eq!((greeted.unwrap().unwrap(), &greeting), (1, b"S"));
}

#[tokio::test]
async fn a_full_disk_takes_nothing_more_until_there_is_room() {
    let lab = Lab::start().await.unwrap();
    let host = Host::boot_with(&lab, "web-1", HostOptions { disk_mb: 48 })
        .await
        .unwrap();

    host.fill_disk().await.unwrap();
    let full = host
        .exec_with_input(&["sh", "-c", "cat >/root/file"], &"x".repeat(10_000))
        .await
        .unwrap();
    assert!(
        !full.success() && full.stderr.contains("No space left on device"),
        "{full}"
    );

    host.free_disk().await.unwrap();
    host.write("/root/file", "fits").await.unwrap();
    assert_eq!(host.read("/root/file").await.unwrap(), "fits");
}

#[tokio::test]
async fn a_changed_host_key_is_what_a_client_sees() {
    let lab = Lab::start().await.unwrap();
    let host = Host::boot(&lab, "web-1").await.unwrap();
    let before = host.fingerprint().unwrap();

    host.change_host_key().await.unwrap();

    assert_ne!(host.fingerprint().unwrap(), before);
    // `ssh` only connects if the host shows the key that is on its disk.
    host.ssh("root", "true").await.unwrap().ok().unwrap();
}

/// In the test below: the process that is killed.
const VICTIM: &str = "CLAWD_LAB_VICTIM";

#[tokio::test]
async fn a_killed_test_run_leaves_nothing_that_hinders_the_next() {
    if std::env::var_os(VICTIM).is_some() {
        let lab = Lab::start().await.unwrap();
        let _host = Host::boot(&lab, "victim").await.unwrap();
        println!("\nvictim {} ready", lab.name());
        return std::future::pending().await;
    }
    let mut victim = tokio::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "--nocapture"])
        .arg("lab_faults::a_killed_test_run_leaves_nothing_that_hinders_the_next")
        .env(VICTIM, "1")
        .stdout(std::process::Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(victim.stdout.take().unwrap()).lines();
    let name = loop {
        let line = lines.next_line().await.unwrap().expect("the victim ended early");
        if let Some(name) = line
            .strip_prefix("victim ")
            .and_then(|rest| rest.strip_suffix(" ready"))
        {
            break name.to_owned();
        }
    };
    let console = workspace().join(format!("target/lab/run/{name}/1.console"));
    assert!(console.exists());
    victim.kill().await.unwrap();

    // The same slot is found again, swept, whoever sweeps it: other tests take slots meanwhile.
    let mut labs = vec![Lab::start().await.unwrap()];
    while labs.last().unwrap().name() != name {
        labs.push(Lab::start().await.unwrap());
    }
    assert!(!console.exists());
    assert!(
        !std::path::Path::new("/run/netns")
            .join(format!("{name}-1"))
            .exists()
    );
    let mounts = std::fs::read_to_string("/proc/self/mounts").unwrap();
    assert!(!mounts.contains(&format!("{name}-1")), "{mounts}");
    let host = Host::boot(labs.last().unwrap(), "next").await.unwrap();
    assert_eq!(host.shell("hostname").await.unwrap(), "next\n");
}
