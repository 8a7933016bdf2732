//! `Cargo.lock` against the floors and bans of `deny.toml`: versions below a floor have known holes, and one crypto
//! provider is enough. `cargo deny` says more where it is installed; this says the part that must always hold.

use std::collections::BTreeMap;

use clawd_integration_tests::workspace;

/// Locked versions by name.
fn locked() -> BTreeMap<String, Vec<Vec<u64>>> {
    let text = std::fs::read_to_string(workspace().join("Cargo.lock")).unwrap();
    let mut all: BTreeMap<String, Vec<Vec<u64>>> = BTreeMap::new();
    for package in text.split("[[package]]").skip(1) {
        let field = |key: &str| {
            let line = package.lines().find_map(|line| line.strip_prefix(key));
            line.map(|value| value.trim_matches('"').to_owned())
                .unwrap_or_default()
        };
        all.entry(field("name = "))
            .or_default()
            .push(version(&field("version = ")));
    }
    assert!(all.len() > 100, "the lock file was read");
    all
}

fn version(text: &str) -> Vec<u64> {
    let release = text.split(['-', '+']).next().unwrap_or_default();
    release.split('.').map(|part| part.parse().unwrap()).collect()
}

/// The crates that `deny.toml` bans: whole ones, and those below a version. Doors (`wrappers`) are `rows`' business.
fn banned() -> Vec<(String, Option<Vec<u64>>)> {
    let text = std::fs::read_to_string(workspace().join("deny.toml")).unwrap();
    let entries = text
        .lines()
        .filter(|line| !line.contains("wrappers"))
        .filter_map(|line| line.trim().strip_prefix("{ crate = \""))
        .map(|rest| rest.split('"').next().unwrap());
    let all: Vec<_> = entries
        .map(|entry| match entry.split_once("@<") {
            Some((name, floor)) => (name.to_owned(), Some(version(floor))),
            None => (entry.to_owned(), None),
        })
        .collect();
    assert!(all.len() >= 8, "the bans were found: {all:?}");
    all
}

#[test]
fn nothing_is_locked_that_is_banned() {
    let locked = locked();
    for (name, floor) in banned() {
        for version in locked.get(&name).into_iter().flatten() {
            match &floor {
                None => panic!("`{name}` is banned, and locked at {version:?}"),
                Some(floor) => assert!(
                    version >= floor,
                    "`{name}` is locked at {version:?}, below {floor:?}"
                ),
            }
        }
    }
}
