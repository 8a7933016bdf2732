//! The parts that need no apt; the whole is tested on real hosts.

use serde_json::json;

use super::*;
use crate::testing::Lab;

fn package(name: &str, to: &str) -> Value {
    json!({"name": name, "from": "1.0", "to": to, "security": true})
}

#[test]
fn exact_versions_and_nothing_else() {
    let lab = Lab::new();
    let set =
        read_set(&json!({"set": [package("ab", "1.1"), package("libc6:i386", "1:2.0~rc1-1")]})).unwrap();
    let argv = command(&set, &lab.context);
    let after = argv.iter().skip_while(|word| *word != "--").collect::<Vec<_>>();
    assert_eq!(after, ["--", "ab=1.1", "libc6:i386=1:2.0~rc1-1"]);
    let new = json!({"name": "ab-image-2", "to": "2.0", "security": true});
    let set = read_set(&json!({"set": [package("ab", "1.1"), new]})).unwrap();
    let argv = command(&set, &lab.context);
    let after = argv.iter().skip_while(|word| *word != "--").collect::<Vec<_>>();
    assert_eq!(after, ["--", "ab=1.1"], "new packages come along, marked as such");
    for option in [
        "--only-upgrade",
        "--no-remove",
        "--allow-downgrades=no",
        "DPkg::Lock::Timeout=30",
    ] {
        assert!(argv.iter().any(|word| word == option), "{option}");
    }
}

#[test]
fn what_is_no_package_never_reaches_apt() {
    for bad in [
        package("-oDPkg::Pre-Invoke=id", "1.1"),
        package("ab", "1.1 c=2"),
        package("ab", ""),
        package("a b", "1"),
        package("ab/stable", "1"),
        json!({"name": "ab"}),
    ] {
        let error = read_set(&json!({ "set": [bad] })).unwrap_err();
        assert_eq!(error.kind, ErrorKind::InvalidInput);
    }
}

#[test]
fn versions_before_survive_a_crash() {
    let before = vec![Version {
        name: "ab".to_owned(),
        version: "1.0".to_owned(),
    }];
    assert_eq!(noted(&note(&before)), Some(before));
    for bad in [
        "",
        "null",
        r#"[{"name":"-x","version":"1"}]"#,
        r#"[{"name":"ab","version":"\u001b"}]"#,
    ] {
        assert_eq!(noted(bad), None, "{bad}");
    }
}

/// The package is upgraded, and then the host is away for as many looks as are given.
async fn upgrade_with_losses(losses: usize) -> (Result<Applied, ProviderError>, usize) {
    let lost = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let counted = lost.clone();
    let hosts = crate::testing::scripted(move |argv, call| {
        use std::sync::atomic::Ordering::SeqCst;
        let asks = |word: &str| argv.iter().any(|part| part.contains(word));
        if asks("dpkg-query") {
            if call == 0 {
                return Ok("amd64\nii |ab|all|1.0\n".to_owned());
            }
            if counted.load(SeqCst) < losses {
                counted.fetch_add(1, SeqCst);
                return Err(crate::transport::TransportError::Lost("cut".to_owned()));
            }
            return Ok("amd64\nii |ab|all|1.1\n".to_owned());
        }
        if argv.iter().any(|part| part == "-s") {
            return Ok("Inst ab [1.0] (1.1 Lab:1/lab [all])\n".to_owned());
        }
        Ok(format!("boot_id={}\n", "0".repeat(36)))
    });
    let mut lab = Lab::new();
    lab.context.timeout = clawd_model::DurationMs::from_secs(30);
    let input = json!({"set": [package("ab", "1.1")]});
    let applied = PkgApply::new(hosts).apply(&lab.context, &input).await;
    (applied, lost.load(std::sync::atomic::Ordering::SeqCst))
}

#[tokio::test(start_paused = true)]
async fn an_upgrade_that_took_place_is_not_failed_by_a_lost_connection() {
    let (applied, lost) = upgrade_with_losses(7).await;
    assert_eq!(lost, 7);
    let applied = applied.unwrap();
    assert!(applied.changed);
    assert_eq!(applied.output["after"], json!([{"name": "ab", "version": "1.1"}]));

    let (applied, _) = upgrade_with_losses(usize::MAX).await;
    assert!(
        matches!(&applied, Err(ProviderError::OutcomeUnknown(error)) if error.message.contains("has ended well")),
        "{applied:?}"
    );
}
