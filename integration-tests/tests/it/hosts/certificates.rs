//! Signing in with an OpenSSH certificate in place of a key that each host knows.

use clawd_integration_tests::{Host, Lab};

use crate::people::{Office, assert_says, step};

#[tokio::test]
async fn a_run_signs_in_with_a_certificate_until_it_expires() {
    let lab = Lab::start().await.unwrap();
    let host = Host::boot(&lab, "web-1").await.unwrap();
    let office = Office::open().await;
    let key = lab.certify("ops", "+5m").unwrap();
    let (address, fingerprint) = (format!("ops@{}", host.address()), host.fingerprint().unwrap());
    let add = async |identity: &str| {
        let args = [
            "server",
            "add",
            "web-1",
            "--address",
            &address,
            "--env",
            "staging",
            "--label",
            "role=web",
        ];
        let more = ["--identity", identity, "--accept-host-key", &fingerprint];
        office.cli("admin", &[args.as_slice(), &more].concat()).await
    };
    add(&key.path().to_string_lossy()).await.ok().unwrap();
    let write = [
        "write-file",
        "-i",
        "path=/root/written",
        "-i",
        "content=certified",
    ];
    office.run(&write).await;
    assert_eq!(host.read("/root/written").await.unwrap(), "certified\n");

    // The certificate is what lets in: without it, the key is nobody's.
    let renewed = lab.certify("ops", "-2h:-1h").unwrap();
    std::fs::copy(renewed.path(), key.path()).unwrap();
    std::fs::copy(renewed.certificate(), key.certificate()).unwrap();
    office
        .cli("admin", &["server", "rm", "web-1"])
        .await
        .ok()
        .unwrap();
    let refused = add(&key.path().to_string_lossy()).await;
    if refused.success() {
        let run = office.start(&write).await;
        let (watched, view) = office.until_it_is_over(&run).await;
        assert!(!watched.success());
        let error = &step(&view, "write/web-1/file")["error"];
        assert_says(&error.to_string(), &["may not sign in", "ssh-keygen -Lf"]);
    } else {
        assert_says(&refused.stderr, &["may not sign in", "ssh-keygen -Lf"]);
    }
}
