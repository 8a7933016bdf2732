//! Hosts that cannot be reached, are not who they were, or let nobody become root.

use clawd_integration_tests::{Host, Lab};

use crate::people::{Office, assert_says, step};

/// What a step that failed says: its class, its message, its hint.
fn assert_fails(step: &serde_json::Value, kind: &str, message: &[&str], hint: &str) {
    assert_eq!(step["status"], "failed", "{step:#}");
    assert_eq!(step["error"]["kind"], kind, "{step:#}");
    assert_says(step["error"]["message"].as_str().unwrap(), message);
    assert_says(step["error"]["hint"].as_str().unwrap(), &[hint]);
}

#[tokio::test]
async fn a_host_that_is_down_is_told_with_its_address_and_a_hint() {
    let lab = Lab::start().await.unwrap();
    let host = Host::boot(&lab, "web-1").await.unwrap();
    let office = Office::open().await;
    office.add(&host, "staging").await;
    office
        .publish("look", "      - {id: facts, uses: host.facts@v1}\n")
        .await;
    let add = |address: String| {
        ["server", "add", "other", "--env", "staging", "--address"]
            .map(str::to_owned)
            .into_iter()
            .chain([address])
    };

    // Nothing listens there; and no address at all.
    let ip = host.address().ip();
    for (address, code, says) in [
        (
            format!("ops@{ip}:1"),
            4,
            ["connection refused", "is the machine up"],
        ),
        (
            "ops@web-1:ssh".to_owned(),
            1,
            ["`ops@web-1:ssh`", "an address looks like `root@203.0.113.5:22`"],
        ),
    ] {
        let args: Vec<String> = add(address.clone()).collect();
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        let ran = office.cli("admin", &args).await.expect_code(code).unwrap();
        assert_says(&ran.stderr, &["error: ", &address, "\nhint: "]);
        assert_says(&ran.stderr, &says);
    }

    host.power_cut();
    let facts = office
        .cli("ana", &["server", "facts", "web-1"])
        .await
        .expect_code(4)
        .unwrap();
    assert_says(
        &facts.stderr,
        &[
            "error: ",
            "web-1",
            "cannot connect",
            "hint: check that the host is up",
        ],
    );
    let run = office.start(&["look"]).await;
    let (watched, view) = office.until_it_is_over(&run).await;
    assert_says(
        &watched.expect_code(4).unwrap().stderr,
        &["cannot connect", "hint: "],
    );
    let address = format!("web-1 (ops@{}", host.address());
    assert_fails(
        step(&view, "work/web-1/facts"),
        "connection",
        &[&address, "cannot connect"],
        "SSH port is open",
    );

    // Nothing was lost: the host is back, and so is the answer.
    host.power_on().await.unwrap();
    let view = office.run(&["look"]).await;
    assert_eq!(step(&view, "work/web-1/facts")["output"]["hostname"], "web-1");
}

#[tokio::test]
async fn a_changed_host_key_is_a_hard_stop_until_somebody_accepts_the_new_one() {
    let lab = Lab::start().await.unwrap();
    let host = Host::boot(&lab, "web-1").await.unwrap();
    let office = Office::open().await;
    office.add(&host, "staging").await;
    let retried = "        retry: {attempts: 3, backoff: 1s, errors: [connection, timeout]}\n";
    let touch = "      - id: touch\n        uses: file.write@v1\n        with: {path: /root/touched, content: here}\n";
    office.publish("touch", &format!("{touch}{retried}")).await;
    let pinned = host.fingerprint().unwrap();

    host.change_host_key().await.unwrap();
    let offered = host.fingerprint().unwrap();
    let plan = office.json("ana", 4, &["plan", "touch"]).await;
    assert_eq!(plan["summary"]["errors"], 1);
    let run = office.start(&["touch"]).await;
    let (watched, view) = office.until_it_is_over(&run).await;
    watched.expect_code(4).unwrap();
    let touch = step(&view, "work/web-1/touch");
    assert_fails(
        touch,
        "host-key",
        &["the host key has changed", &pinned, &offered],
        "somebody may be in between",
    );
    assert!(touch["attempt"].as_u64().unwrap() <= 1, "never tried again");
    assert!(host.read("/root/touched").await.is_err(), "nothing was sent");
    let wrong = office
        .clawd
        .add_server(&host, "ops", "staging", &[])
        .await
        .unwrap_err();
    assert_says(&wrong.to_string(), &["there is a server `web-1` already"]);

    // As the hint says: compared on the host's console, added again.
    office
        .cli("admin", &["server", "rm", "web-1"])
        .await
        .ok()
        .unwrap();
    office.add(&host, "staging").await;
    office.run(&["touch"]).await;
    assert_eq!(host.read("/root/touched").await.unwrap(), "here");
}

#[tokio::test]
async fn a_user_without_sudo_may_look_and_is_told_how_to_become_root() {
    let lab = Lab::start().await.unwrap();
    let host = Host::boot(&lab, "web-1").await.unwrap();
    let office = Office::open().await;
    office
        .clawd
        .add_server(&host, "nosudo", "staging", &["role=web"])
        .await
        .unwrap();
    let content = ["-i", "path=/etc/motd", "-i", "content=words"];

    let plan = office
        .cli("ana", &[&["plan", "write-file"], content.as_slice()].concat())
        .await
        .expect_code(3)
        .unwrap();
    assert_says(
        &plan.stdout,
        &["`nosudo` may not become root", "hint: ", "1 error"],
    );
    let run = office
        .start(&[&["write-file"], content.as_slice()].concat())
        .await;
    let (watched, view) = office.until_it_is_over(&run).await;
    watched.expect_code(3).unwrap();
    let file = step(&view, "write/web-1/file");
    assert_fails(
        file,
        "permission",
        &["web-1 (nosudo@", "may not become root"],
        "/etc/sudoers.d: `nosudo ALL=(root) NOPASSWD: ALL`",
    );
    office
        .cli("ana", &["server", "facts", "web-1"])
        .await
        .ok()
        .unwrap();

    // What the hint says helps.
    host.write("/etc/sudoers.d/nosudo", "nosudo ALL=(root) NOPASSWD: ALL\n")
        .await
        .unwrap();
    office.run(&[&["write-file"], content.as_slice()].concat()).await;
    assert_eq!(host.read("/etc/motd").await.unwrap(), "words\n");
}
