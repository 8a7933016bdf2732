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
