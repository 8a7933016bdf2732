//! `docs/reference/operations.md` is made from the contracts.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "everything in here is a test, which ends at the first surprise"
)]

use std::fmt::Write as _;
use std::path::Path;

use clawd_model::{Effect, OperationSpec, Recovery, Risk, Scope, TAKES_SECRETS};
use clawd_provider::contract;
use serde_json::Value;

const BEGINNING: &str = "# Operations\n
What a step can use. An operation means the same on every provider that offers it; runbooks, the Cedar schema and
recovery are checked against these contracts. This page is made from the source; a test keeps it fresh.\n
- **Effect**: an operation that only reads asks no votes, and runs while a plan is made. One that changes something passes
  the gate as `operation.change`.
- **Recovery**: how an attempt without an outcome is taken up after a crash (`docs/architecture.md`).
- **Limit**: of one attempt, when the step sets no `timeout`.
- Fields marked `?` may be left out; those marked `*` may hold secrets, and no others.
";

fn page() -> String {
    let mut page = BEGINNING.to_owned();
    for spec in contract::all() {
        describe(&spec, &mut page);
    }
    page
}

fn describe(spec: &OperationSpec, page: &mut String) {
    let effect = match spec.effect {
        Effect::ReadOnly => "reads only",
        Effect::Mutating => "changes something",
    };
    let risk = match spec.risk {
        Risk::Low => "low",
        Risk::Medium => "medium",
        Risk::High => "high",
    };
    let recovery = match spec.recovery {
        Recovery::Idempotent => "idempotent",
        Recovery::Reconcile => "reconcile",
        Recovery::Reattach => "reattach",
        Recovery::AtMostOnce => "at most once",
    };
    let place = match spec.scope {
        Scope::Server => "on a server",
        Scope::Any => "from the controller",
    };
    let _ = write!(
        page,
        "\n## `{}`\n\n{}. Takes place {place}.\n\n| effect | risk | recovery | limit |\n|---|---|---|---|\n| {effect} | {risk} | \
         {recovery} | {} |\n",
        spec.name,
        sentence(&spec.summary),
        spec.timeout_ms
    );
    table("input", &spec.input, page);
    table("output", &spec.output, page);
}

fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|letter| letter.to_uppercase().to_string());
    first.unwrap_or_default() + letters.as_str()
}

fn table(what: &str, schema: &Value, page: &mut String) {
    let Some(properties) = schema["properties"].as_object().filter(|all| !all.is_empty()) else {
        let _ = write!(page, "\nNo {what}.\n");
        return;
    };
    let _ = write!(page, "\n| {what} | type | |\n|---|---|---|\n");
    rows("", schema, properties, page);
}

fn rows(prefix: &str, schema: &Value, properties: &serde_json::Map<String, Value>, page: &mut String) {
    let required: Vec<&str> = schema["required"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    for (name, shape) in properties {
        let mark = if required.contains(&name.as_str()) {
            ""
        } else {
            "?"
        };
        let secret = if shape[TAKES_SECRETS] == true { "*" } else { "" };
        let description = shape["description"]
            .as_str()
            .unwrap_or_default()
            .replace('|', "\\|");
        let _ = writeln!(
            page,
            "| `{prefix}{name}`{mark}{secret} | {} | {description} |",
            kind(shape)
        );
        let (inner, suffix) = if shape["type"] == "array" {
            (&shape["items"], "[].")
        } else {
            (shape, ".")
        };
        if let Some(members) = inner["properties"].as_object() {
            rows(&format!("{prefix}{name}{suffix}"), inner, members, page);
        }
    }
}

fn kind(shape: &Value) -> String {
    if let Some(values) = shape["enum"].as_array() {
        let words: Vec<String> = values
            .iter()
            .map(|value| format!("`{}`", value.as_str().unwrap_or_default()))
            .collect();
        return words.join(", ");
    }
    match &shape["type"] {
        Value::String(one) if one == "array" => {
            let of = shape["items"]["type"].as_str().unwrap_or("value");
            format!("list of {of}")
        }
        Value::String(one) => one.clone(),
        Value::Array(several) => {
            let words: Vec<&str> = several.iter().filter_map(Value::as_str).collect();
            words.join(" or ")
        }
        _ => "any".to_owned(),
    }
}

#[test]
fn the_page_of_operations_is_fresh() {
    let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference/operations.md");
    let fresh = page();
    if std::env::var_os("CLAWD_UPDATE_REFERENCE").is_some() {
        std::fs::write(&kept, &fresh).unwrap();
    }
    assert!(
        std::fs::read_to_string(&kept).unwrap_or_default() == fresh,
        "docs/reference/operations.md is stale: run the tests with CLAWD_UPDATE_REFERENCE=1"
    );
}
