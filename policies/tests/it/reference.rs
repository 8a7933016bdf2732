//! The generated reference is fresh. `UPDATE_REFERENCE=1 cargo test -p clawd-policy` writes it.

use std::fmt::Write as _;
use std::path::PathBuf;

use clawd_policy::PROBLEM_CODES;

use crate::support::vocabulary;

fn docs(file: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../docs")
        .join(file)
}

fn fresh(file: &str, expected: &str) {
    let path = docs(file);
    if std::env::var_os("UPDATE_REFERENCE").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, expected).unwrap();
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        found == expected,
        "docs/{file} is stale: UPDATE_REFERENCE=1 cargo test -p clawd-policy"
    );
}

#[test]
fn the_schema_of_the_shipped_operations() {
    fresh("reference/baseline.cedarschema", &vocabulary().schema_text());
}

#[test]
fn the_table_of_problems() {
    let text = std::fs::read_to_string(docs("policies.md")).unwrap();
    let head = "| code | |\n|---|---|\n";
    let (before, _) = text
        .split_once(head)
        .expect("docs/policies.md ends with the table of problems");
    let mut expected = format!("{before}{head}");
    for (code, meaning) in PROBLEM_CODES {
        let _ = writeln!(expected, "| `{code}` | {meaning} |");
    }
    fresh("policies.md", &expected);
}
