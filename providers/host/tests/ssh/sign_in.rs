//! Who is let in, and into what.

use std::time::Duration;

use clawd_model::{DurationMs, ErrorKind};
use clawd_provider_host::{
    Captured, Hosts, Request, SshOptions, SshPool, Transport, TransportError, enroll, probe_host_key,
};

use super::sshd::{Sshd, free_port, keygen, me, run, set_mode};

fn pool() -> std::sync::Arc<SshPool> {
    SshPool::new(SshOptions::default())
}

async fn answer(transport: &dyn Transport) -> Result<String, TransportError> {
    let request = Request {
        argv: ["echo", "here"].map(str::to_owned).to_vec(),
        ..Request::default()
    };
    let mut captured = Captured::up_to(1000);
    transport.exec(&request, &mut captured).await?;
    Ok(String::from_utf8(captured.stdout).unwrap())
}

#[tokio::test]
async fn the_key_of_a_host_is_learnt_without_signing_in() {
    let sshd = Sshd::start();
    let probed = probe_host_key(&sshd.address(), Duration::from_secs(20))
        .await
        .unwrap();
    let shown = run("ssh-keygen", &["-lf", &sshd.path("host.pub")]);
    assert_eq!(shown.split(' ').nth(1), Some(probed.fingerprint.as_str()));
    assert!(sshd.host_key().starts_with(&probed.line), "{}", probed.line);
    assert_eq!(probed.algorithm, "ssh-ed25519");
    assert!(!sshd.log().contains("Accepted"), "{}", sshd.log());
}

#[tokio::test]
async fn a_key_and_the_pinned_host_let_us_in() {
    let sshd = Sshd::start();
    assert_eq!(
        answer(&*sshd.transport(&pool(), "user").unwrap())
            .await
            .as_deref(),
        Ok("here\n")
    );
}

#[tokio::test]
async fn another_host_key_is_a_hard_stop() {
    let sshd = Sshd::start();
    let other = keygen(sshd.folder.path(), "other", "ed25519");
    let other_kind = keygen(sshd.folder.path(), "other-kind", "ecdsa");
    for pinned in [other, other_kind] {
        let pinned = std::fs::read_to_string(format!("{pinned}.pub")).unwrap();
        let mut server = sshd.server();
        server.host_key = Some(pinned);
        let hosts = Hosts::new(SshOptions::default(), sshd.keys());
        let error = enroll(&hosts, &server, DurationMs::from_secs(30))
            .await
            .unwrap_err();
        assert_eq!(error.kind, ErrorKind::HostKey, "{error:?}");
        assert!(
            error.message.contains("web-1 (") && error.message.contains("SHA256:"),
            "{error:?}"
        );
        assert!(error.hint.is_some());
    }
    assert!(!sshd.log().contains("Accepted"), "{}", sshd.log());
    let mut server = sshd.server();
    server.host_key = None;
    let error = enroll(
        &Hosts::new(SshOptions::default(), sshd.keys()),
        &server,
        DurationMs::from_secs(30),
    )
    .await
    .unwrap_err();
    assert_eq!(error.kind, ErrorKind::HostKey);
}

#[tokio::test]
async fn a_certificate_lets_us_in_where_the_bare_key_does_not() {
    let sshd = Sshd::start();
    let key = keygen(sshd.folder.path(), "staff", "ed25519");
    let sign = |validity: &str| {
        let (ca, public, me) = (sshd.path("ca"), format!("{key}.pub"), me());
        run(
            "ssh-keygen",
            &["-q", "-s", &ca, "-I", "staff", "-n", &me, "-V", validity, &public],
        );
    };
    let refused = answer(&*sshd.transport(&pool(), "staff").unwrap()).await;
    assert!(
        matches!(&refused, Err(TransportError::Refused { .. })),
        "{refused:?}"
    );
    sign("+5m");
    assert_eq!(
        answer(&*sshd.transport(&pool(), "staff").unwrap())
            .await
            .as_deref(),
        Ok("here\n")
    );
    assert!(
        sshd.log().contains("Accepted certificate ID \"staff\""),
        "{}",
        sshd.log()
    );
    sign("20200101:20200102");
    let refused = answer(&*sshd.transport(&pool(), "staff").unwrap()).await;
    assert!(
        matches!(&refused, Err(TransportError::Refused { .. })),
        "{refused:?}"
    );
}

/// What is granted is a link; the certificate lies beside the key that it leads to.
#[tokio::test]
async fn a_link_leads_to_the_key_and_its_certificate() {
    let sshd = Sshd::start();
    let elsewhere = tempfile::tempdir().unwrap();
    let key = keygen(elsewhere.path(), "staff", "ed25519");
    let (ca, public) = (sshd.path("ca"), format!("{key}.pub"));
    run(
        "ssh-keygen",
        &["-q", "-s", &ca, "-I", "linked", "-n", &me(), "-V", "+5m", &public],
    );
    std::os::unix::fs::symlink(&key, sshd.path("granted")).unwrap();
    let said = answer(&*sshd.transport(&pool(), "granted").unwrap()).await;
    assert_eq!(said.as_deref(), Ok("here\n"));
    assert!(
        sshd.log().contains("Accepted certificate ID \"linked\""),
        "{}",
        sshd.log()
    );
}

/// The same name is another key, or none, in another tenant; and nobody learns where keys lie.
#[tokio::test]
async fn a_tenant_signs_in_with_its_own_keys_only() {
    let sshd = Sshd::start();
    let mut server = sshd.server();
    server.tenant = "acme".parse().unwrap();
    let hosts = Hosts::new(SshOptions::default(), sshd.keys());
    let error = enroll(&hosts, &server, DurationMs::from_secs(30))
        .await
        .unwrap_err();
    assert_eq!(error.kind, ErrorKind::Permission, "{error:?}");
    assert!(
        error.message.contains("the key `user` is not among those"),
        "{error:?}"
    );
    let folder = sshd.folder.path().to_str().unwrap();
    assert!(!format!("{error:?}").contains(folder), "{error:?}");
    assert!(!sshd.log().contains("Accepted"), "{}", sshd.log());
}

#[tokio::test]
async fn keys_of_ours_that_cannot_be_used() {
    let sshd = Sshd::start();
    let problem = |what: Result<String, TransportError>| match what {
        Err(TransportError::Identity(why)) => why,
        other => panic!("{other:?}"),
    };
    let transport = sshd.transport(&pool(), "missing").unwrap();
    assert!(problem(answer(&*transport).await).contains("not among those that were granted"));
    set_mode(&sshd.path("user"), 0o644);
    let transport = sshd.transport(&pool(), "user").unwrap();
    assert!(problem(answer(&*transport).await).contains("chmod 600"));
    let locked = sshd.path("locked");
    run(
        "ssh-keygen",
        &["-q", "-t", "ed25519", "-N", "secret", "-f", &locked],
    );
    assert!(problem(answer(&*sshd.transport(&pool(), "locked").unwrap()).await).contains("passphrase"));
    std::fs::write(sshd.path("garbage"), "garbage").unwrap();
    set_mode(&sshd.path("garbage"), 0o600);
    assert!(problem(answer(&*sshd.transport(&pool(), "garbage").unwrap()).await).contains("cannot be read"));
}

#[tokio::test]
async fn a_new_server_is_looked_at() {
    let sshd = Sshd::start();
    let hosts = Hosts::new(SshOptions::default(), sshd.keys());
    let enrolled = enroll(&hosts, &sshd.server(), DurationMs::from_secs(60))
        .await
        .unwrap();
    assert_eq!(enrolled.facts.kernel, run("uname", &["-r"]).trim());
    assert_eq!(
        enrolled.not_root.is_none(),
        me() == "root",
        "{:?}",
        enrolled.not_root
    );
}

#[tokio::test]
async fn nobody_there_is_said_with_a_hint() {
    let sshd = Sshd::start();
    let mut server = sshd.server();
    server.address = format!("root@127.0.0.1:{}", free_port());
    let hosts = Hosts::new(SshOptions::default(), sshd.keys());
    let error = enroll(&hosts, &server, DurationMs::from_secs(30))
        .await
        .unwrap_err();
    assert_eq!(error.kind, ErrorKind::Connection, "{error:?}");
    assert!(
        error.message.contains("connection refused") && error.hint.is_some(),
        "{error:?}"
    );
    server.address = "no address".to_owned();
    let error = enroll(&hosts, &server, DurationMs::from_secs(30))
        .await
        .unwrap_err();
    assert_eq!(error.kind, ErrorKind::InvalidInput);
}
