//! A host is added by a person at a terminal, who compares the fingerprint.

use clawd_integration_tests::{Host, Lab};

use crate::people::{Office, assert_says};

#[tokio::test]
async fn a_key_is_pinned_when_a_person_says_so_and_not_before() {
    let lab = Lab::start().await.unwrap();
    let host = Host::boot(&lab, "web-1").await.unwrap();
    let office = Office::open().await;
    let (address, identity) = (format!("ops@{}", host.address()), host.lab().identity());
    let identity = identity.to_string_lossy();
    let add = [
        "server",
        "add",
        "web-1",
        "--address",
        &address,
        "--identity",
        &identity,
    ];

    for (answer, code) in [("n\n", 1), ("\n", 1), ("y\n", 0)] {
        let mut terminal = office.clawd.terminal(&add).unwrap();
        terminal.wait_for(&host.fingerprint().unwrap()).await.unwrap();
        terminal.wait_for("Pin it? [y/N] ").await.unwrap();
        let known = office.json("admin", 0, &["server", "ls"]).await;
        assert_eq!(
            known.as_array().unwrap().len(),
            0,
            "nothing is added while it is asked"
        );
        terminal.type_in(answer).await.unwrap();
        let ran = terminal.end().await.unwrap().expect_code(code).unwrap();
        let says = if code == 0 {
            "added `web-1`"
        } else {
            "error: the host key was not accepted; nothing was added"
        };
        assert_says(&ran.stdout, &[says]);
    }
    let known = office.json("admin", 0, &["server", "show", "web-1"]).await;
    assert_eq!(
        known["host_key_fingerprint"],
        host.fingerprint().unwrap().as_str()
    );
}
