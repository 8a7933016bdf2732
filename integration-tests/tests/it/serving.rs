//! How people reach a running process: over TLS of its own, behind a proxy that does TLS, and what it refuses.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clawd_integration_tests::{ClawdOptions, ClawdProcess, Ran};
use tokio::process::Command;

use crate::support::{Answer, Request, send};

const DEADLINE: Duration = Duration::from_secs(60);
const PUBLIC: &str = "https://claw.example";

async fn run(program: &str, args: &[&str]) -> Ran {
    run_with(program, args, &[]).await
}

async fn run_with(program: &str, args: &[&str], env: &[(&str, &Path)]) -> Ran {
    let output = Command::new(program)
        .args(args)
        .envs(env.iter().copied())
        .output()
        .await
        .unwrap();
    Ran {
        command: format!("{program} {}", args.join(" ")),
        code: output.status.code(),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// A certificate for 127.0.0.1, signed by nobody else.
async fn certificate(dir: &Path) -> (PathBuf, PathBuf) {
    let (cert, key) = (dir.join("cert.pem"), dir.join("key.pem"));
    let (cert_text, key_text) = (cert.to_string_lossy(), key.to_string_lossy());
    let mut args = vec![
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:prime256v1",
        "-nodes",
    ];
    args.extend([
        "-days",
        "2",
        "-subj",
        "/CN=clawd",
        "-addext",
        "subjectAltName=IP:127.0.0.1",
    ]);
    args.extend(["-addext", "basicConstraints=critical,CA:FALSE"]);
    args.extend(["-keyout", &key_text, "-out", &cert_text]);
    run("openssl", &args).await.ok().unwrap();
    (cert, key)
}

#[tokio::test]
async fn it_serves_over_tls_of_its_own() {
    let dir = tempfile::tempdir().unwrap();
    let (cert, key) = certificate(dir.path()).await;
    let (cert_text, key_text) = (cert.to_string_lossy(), key.to_string_lossy());
    let mut clawd = ClawdProcess::start_with(ClawdOptions {
        args: ["--tls-cert", &cert_text, "--tls-key", &key_text]
            .map(str::to_owned)
            .to_vec(),
        ..ClawdOptions::default()
    })
    .await
    .unwrap();
    let url = clawd.url();
    assert!(url.starts_with("https://127.0.0.1:"), "{url}");

    let health = format!("{url}/healthz");
    let seen = run("curl", &["-sS", "-i", "--http2", "--cacert", &cert_text, &health]).await;
    let seen = seen.ok().unwrap().stdout.to_lowercase();
    assert!(seen.starts_with("http/1.1 200"), "{seen}");
    assert!(seen.contains("strict-transport-security: max-age="), "{seen}");
    // Whoever does not know the certificate is not talked to, and plain HTTP is not spoken.
    let stranger = run("curl", &["-sS", &health]).await;
    assert_eq!(stranger.code, Some(60), "{stranger}");
    let plain = run("curl", &["-sS", &health.replacen("https", "http", 1)]).await;
    assert!(!plain.success(), "{plain}");

    // The command line takes the certificates that the machine trusts; this names another file of them.
    let (binary, data) = (
        clawd.binary().to_string_lossy().into_owned(),
        clawd.data_dir().to_owned(),
    );
    let args = ["whoami", "--data-dir", &data.to_string_lossy()];
    let trusting = run_with(&binary, &args, &[("SSL_CERT_FILE", &cert)]).await;
    assert!(trusting.ok().unwrap().stdout.contains("admin of main"));
    let stranger = run(&binary, &args).await.expect_code(4).unwrap();
    assert!(stranger.stderr.contains("certificate"), "{stranger}");

    // Cookies are for TLS only.
    let args = ["console", "--data-dir", &data.to_string_lossy()];
    let link = run_with(&binary, &args, &[("SSL_CERT_FILE", &cert)])
        .await
        .ok()
        .unwrap()
        .stdout;
    let secret = link.trim().rsplit('/').next().unwrap();
    let (form, there) = (format!("link={secret}"), format!("{url}/sign-in/link"));
    let origin = format!("origin: {url}");
    let signed_in = run(
        "curl",
        &[
            "-sS", "-i", "--cacert", &cert_text, "-H", &origin, "-d", &form, &there,
        ],
    )
    .await;
    assert_secure(&signed_in.ok().unwrap().stdout);
    assert_eq!(clawd.stop().await.unwrap(), Some(0));
}

/// An answer that signs somebody in sets cookies that browsers keep to TLS and to this host.
#[track_caller]
fn assert_secure(answer: &str) {
    let cookies: Vec<&str> = answer
        .lines()
        .filter(|line| line.to_lowercase().starts_with("set-cookie:"))
        .collect();
    assert!(cookies.len() >= 2, "{answer}");
    for cookie in cookies {
        assert!(cookie.contains("__Host-clawd"), "{cookie}");
        assert!(
            cookie.contains("; Secure") && cookie.contains("; HttpOnly"),
            "{cookie}"
        );
    }
}

/// Signs in with a link, as a page at `origin` would, through a proxy that passes the request on.
async fn sign_in(clawd: &ClawdProcess, origin: &str) -> Answer {
    let link = clawd.cli(["console"]).await.unwrap().ok().unwrap().stdout;
    let secret = link.trim().rsplit('/').next().unwrap();
    let body = format!("link={secret}");
    let headers = format!("origin: {origin}\r\ncontent-type: application/x-www-form-urlencoded\r\n");
    let request = Request {
        method: "POST",
        path: "/sign-in/link",
        token: None,
        headers: &headers,
        body: body.as_bytes(),
    };
    send(&clawd.url(), &request).await.unwrap()
}

#[tokio::test]
async fn behind_a_proxy_that_does_tls_all_is_for_its_address() {
    let clawd = ClawdProcess::start_with(ClawdOptions {
        args: ["--insecure", "--public-url", PUBLIC].map(str::to_owned).to_vec(),
        ..ClawdOptions::default()
    })
    .await
    .unwrap();
    assert!(!clawd.log().contains("WARN"), "{}", clawd.log());
    let link = clawd.cli(["console"]).await.unwrap().ok().unwrap().stdout;
    assert!(link.starts_with(&format!("{PUBLIC}/sign-in/")), "{link}");
    // The command line itself goes past the proxy.
    clawd.cli(["whoami"]).await.unwrap().ok().unwrap();

    let signed_in = sign_in(&clawd, PUBLIC).await;
    assert_eq!(signed_in.status, 303, "{}", signed_in.body);
    assert_secure(&signed_in.head());
    assert!(signed_in.header("strict-transport-security").is_some());
    for foreign in [
        clawd.url(),
        "https://evil.example".to_owned(),
        "http://claw.example".to_owned(),
    ] {
        assert_eq!(sign_in(&clawd, &foreign).await.status, 403, "{foreign}");
    }
}

#[tokio::test]
async fn the_demo_prints_a_link_that_works_through_the_proxy() {
    let mut clawd = ClawdProcess::start_with(ClawdOptions {
        demo: true,
        args: ["--public-url", PUBLIC].map(str::to_owned).to_vec(),
        ..ClawdOptions::default()
    })
    .await
    .unwrap();
    let line = clawd.wait_for_line("  console ", DEADLINE).await.unwrap();
    assert!(line.contains(&format!("{PUBLIC}/sign-in/")), "{line}");
}

#[tokio::test]
async fn without_tls_and_without_a_proxy_it_warns() {
    let clawd = ClawdProcess::start_with(ClawdOptions {
        args: vec!["--insecure".to_owned()],
        ..ClawdOptions::default()
    })
    .await
    .unwrap();
    let log = clawd.log();
    assert!(log.contains("WARN") && log.contains("--public-url"), "{log}");
    let signed_in = sign_in(&clawd, &clawd.url()).await;
    assert_eq!(signed_in.status, 303, "{}", signed_in.body);
    assert!(signed_in.header("strict-transport-security").is_none());

    for wrong in ["http://claw.example", "https://claw.example/console"] {
        let args = ["serve", "--public-url", wrong];
        let refused = clawd.cli(args).await.unwrap();
        assert!(refused.stderr.contains("--public-url"), "{refused}");
    }
}
