//! The rows of the architecture, read from `cargo metadata`: a crate imports only rows below its own.

use std::collections::BTreeMap;
use std::process::Command;

use clawd_integration_tests::workspace;
use serde_json::Value;

/// `docs/architecture.md` shows the same table. Half rows stand between.
const ROWS: &[(&str, u8)] = &[
    ("clawd", 8),
    ("clawd-api", 6),
    ("clawd-client", 6),
    ("clawd-web", 6),
    ("clawd-control", 4),
    ("clawd-worker", 4),
    ("clawd-store", 2),
    ("clawd-scheduler", 2),
    ("clawd-provider-host", 2),
    ("clawd-provider-http", 2),
    ("clawd-provider-notify", 2),
    ("clawd-provider-sim", 2),
    ("clawd-workflow", 1),
    ("clawd-policy", 1),
    ("clawd-audit", 1),
    ("clawd-provider", 1),
    ("clawd-model", 0),
];

/// No runtime, clock, file, socket or randomness.
const PURE: &[&str] = &[
    "clawd-model",
    "clawd-workflow",
    "clawd-policy",
    "clawd-audit",
    "clawd-scheduler",
];
const IMPURE: &[&str] = &[
    "tokio",
    "tokio-util",
    "async-std",
    "reqwest",
    "axum",
    "hyper",
    "sqlx",
    "russh",
    "rand",
    "getrandom",
    "mio",
];

fn packages() -> Vec<Value> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--no-deps", "--offline"])
        .current_dir(workspace())
        .output()
        .expect("cargo metadata runs");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("cargo metadata is JSON");
    metadata["packages"].as_array().expect("packages").clone()
}

fn dependencies(package: &Value) -> Vec<&str> {
    let all = package["dependencies"].as_array().expect("dependencies").iter();
    all.filter(|dependency| dependency["kind"] != "dev")
        .filter_map(|dependency| dependency["name"].as_str())
        .collect()
}

#[test]
fn a_crate_imports_only_rows_below_its_own() {
    let rows: BTreeMap<&str, u8> = ROWS.iter().copied().collect();
    let mut wrong = Vec::new();
    for package in packages() {
        let name = package["name"].as_str().expect("a name");
        if name == "clawd-integration-tests" {
            continue;
        }
        let Some(row) = rows.get(name) else {
            wrong.push(format!(
                "`{name}` has no row: add it here and in docs/architecture.md"
            ));
            continue;
        };
        for dependency in dependencies(&package) {
            if let Some(other) = rows.get(dependency)
                && other >= row
            {
                wrong.push(format!(
                    "`{name}` (row {row}) imports `{dependency}` (row {other})"
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn providers_import_only_the_sdk_and_the_model() {
    for package in packages() {
        let name = package["name"].as_str().expect("a name");
        if name.starts_with("clawd-provider-") {
            let ours: Vec<&str> = dependencies(&package)
                .into_iter()
                .filter(|dependency| dependency.starts_with("clawd-"))
                .collect();
            assert!(
                ours.iter()
                    .all(|dependency| ["clawd-model", "clawd-provider"].contains(dependency)),
                "`{name}` imports {ours:?}"
            );
        }
    }
}

#[test]
fn pure_crates_name_nothing_impure() {
    for package in packages() {
        let name = package["name"].as_str().expect("a name");
        if PURE.contains(&name) {
            let impure: Vec<&str> = dependencies(&package)
                .into_iter()
                .filter(|dependency| IMPURE.contains(dependency))
                .collect();
            assert!(impure.is_empty(), "`{name}` is pure and imports {impure:?}");
        }
    }
}

#[test]
fn only_the_store_knows_sql_only_the_policies_know_cedar_only_hosts_know_ssh() {
    let doors = [
        ("sqlx", "clawd-store"),
        ("cedar-policy", "clawd-policy"),
        ("russh", "clawd-provider-host"),
    ];
    for package in packages() {
        let name = package["name"].as_str().expect("a name");
        for dependency in dependencies(&package) {
            for (library, owner) in doors {
                assert!(
                    dependency != library || name == owner,
                    "`{name}` imports `{library}`, which is `{owner}`'s"
                );
            }
        }
    }
}
