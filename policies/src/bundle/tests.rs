//! Digests, and what a bundle says about its policies.

use super::*;
use crate::library;

fn vocabulary() -> Vocabulary {
    library::vocabulary(clawd_provider::contract::all())
}

fn load(files: &[(&str, &str)]) -> Bundle {
    let files = files
        .iter()
        .map(|(name, text)| ((*name).to_owned(), (*text).to_owned()));
    Bundle::load(&files.collect(), &vocabulary()).unwrap()
}

const POLICY: &str = "@id(\"a\")\npermit(principal, action, resource);\n";

#[test]
fn the_digest_names_the_content() {
    let bundle = load(&[("a.cedar", POLICY)]);
    assert_eq!(bundle.digest(), load(&[("a.cedar", POLICY)]).digest());
    assert_eq!(
        bundle.digest(),
        load(&[("a.cedar", &POLICY.replace('\n', "\r\n"))]).digest()
    );
    assert_ne!(
        bundle.digest(),
        load(&[("b.cedar", POLICY)]).digest(),
        "another name"
    );
    assert_ne!(
        bundle.digest(),
        load(&[("a.cedar", POLICY), ("x_test.yaml", "")]).digest(),
        "a test more"
    );
    assert_ne!(
        bundle.digest(),
        load(&[("a.cedar", &format!("// why\n{POLICY}"))]).digest()
    );
}

#[test]
fn policies_are_told_apart_by_what_they_are_for() {
    let bundle = load(&[(
        "a.cedar",
        "@id(\"c\")\npermit(principal, action, resource);
@id(\"g\") @approval_ttl(\"1h\") @notify(\"ops, security\")\nforbid(principal, action, resource) unless { context.approvals.sre >= 1 };
@id(\"r\") @reason(\"no\")\nforbid(principal, action, resource is Server) when { resource.protected };",
    )]);
    let kinds: Vec<(&str, PolicyKind)> = bundle
        .policies()
        .map(|policy| (policy.id.as_str(), policy.kind))
        .collect();
    assert_eq!(
        kinds,
        [
            ("builtin.tenant-isolation", PolicyKind::Rule),
            ("builtin.disabled-principal", PolicyKind::Rule),
            ("c", PolicyKind::Capability),
            ("g", PolicyKind::Guard),
            ("r", PolicyKind::Rule),
        ]
    );
    let guard = bundle.policy("g").unwrap();
    assert_eq!(guard.approval_ttl, Some(DurationMs(3_600_000)));
    assert_eq!(guard.notify, ["ops", "security"]);
    assert_eq!((guard.file.as_deref(), guard.span.line), (Some("a.cedar"), 3));
    assert_eq!(bundle.policy("builtin.tenant-isolation").unwrap().file, None);
    assert_eq!(bundle.policy("nothing"), None);
}

#[test]
fn enlarged_bundles_have_as_many_policies_as_asked_for() {
    let bundle = Bundle::load(&library::enlarged(60), &vocabulary()).unwrap();
    assert_eq!(bundle.len(), 60);
    assert_eq!(bundle.warnings(), []);
}

#[test]
fn a_bundle_can_be_shared_between_threads() {
    fn shared<T: Send + Sync>() {}
    shared::<Bundle>();
}
