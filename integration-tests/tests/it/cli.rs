//! The command line as people and scripts use it: what each command prints, for both, and how it ends.

mod bench;
mod plans;
mod policies;
mod records;
mod runs;
mod strangers;
mod usage;

use clawd_integration_tests::Ran;
use serde_json::Value;

use crate::support::Site;

/// The same question for programs: one document, one a line, and YAML. Gives the document.
async fn documents(site: &Site, who: &str, args: &[&str]) -> Value {
    let ask = async |format: &str| {
        let args: Vec<&str> = args.iter().copied().chain(["-o", format]).collect();
        site.cli(who, &args).await.unwrap().ok().unwrap()
    };
    let document: Value = ask("json").await.json().unwrap();
    let lines = lines(&ask("ndjson").await);
    match &document {
        Value::Array(items) => assert_eq!(&lines, items, "{args:?}"),
        one => assert_eq!(&lines, std::slice::from_ref(one), "{args:?}"),
    }
    let yaml = ask("yaml").await;
    assert!(yaml.stdout.starts_with("---\n"), "{yaml}");
    document
}

/// JSON Lines.
fn lines(ran: &Ran) -> Vec<Value> {
    let lines = ran.stdout.lines();
    lines
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")))
        .collect()
}

/// The columns of a table's header; each line begins at the margin.
fn header(ran: &Ran) -> Vec<&str> {
    for line in ran.stdout.lines() {
        assert!(!line.starts_with(' '), "a table begins at the margin:\n{ran}");
    }
    ran.stdout
        .lines()
        .next()
        .unwrap_or_default()
        .split_whitespace()
        .collect()
}
