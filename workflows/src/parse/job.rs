//! `jobs`: each with its targets, strategy and three lists of steps.

use clawd_model::JobName;

use super::document::targets;
use super::input::is_identifier;
use super::keys;
use super::node::{Entry, Node, Spanned};
use super::read::{self, Fields, fields};
use super::step;
use super::strategy::{approval, strategy};
use crate::codes;
use crate::problems::Problems;
use crate::runbook::{DeclaredJob, DeclaredStep};

/// Reads all jobs, in the order of the document.
pub(crate) fn jobs(node: &Node, problems: &Problems) -> Vec<DeclaredJob> {
    let entries = read::map(node, "`jobs`", problems).unwrap_or_default();
    if entries.is_empty() && matches!(node.kind, super::Kind::Map(_)) {
        problems.error(&codes::EMPTY, node.span, "a runbook needs at least one job");
    }
    entries.iter().filter_map(|entry| job(entry, problems)).collect()
}

fn job(entry: &Entry, problems: &Problems) -> Option<DeclaredJob> {
    let key = &entry.key;
    // A job whose name is none is checked all the same, under a name that is one.
    let name = read::parse_name::<JobName>(&key.value, key.span, problems)
        .map(|name| name.value)
        .or_else(|| read::mended(&key.value).parse().ok());
    let job = fields(&entry.value, &keys::JOB, problems)?;
    let needs = job
        .get("needs")
        .and_then(|node| read::one_or_more(node, "`needs`", problems));
    let needs = needs
        .unwrap_or_default()
        .iter()
        .filter_map(|node| read::text(node, "a needed job", problems));
    let needs = needs
        .map(|text| Spanned::new(text.value.to_owned(), text.span))
        .collect();

    let mut steps = list(&job, "steps", true, problems);
    let rescue_from = steps.len();
    steps.extend(list(&job, "rescue", false, problems));
    let always_from = steps.len();
    steps.extend(list(&job, "always", false, problems));
    Some(DeclaredJob {
        name: Spanned::new(name?, key.span),
        key: key.value.clone(),
        needs,
        condition: job.get("if").cloned(),
        targets: job.get("targets").map(|node| targets(node, problems)),
        strategy: job.get("strategy").and_then(|node| strategy(node, problems)),
        approval: job.get("approval").and_then(|node| approval(node, problems)),
        steps,
        rescue_from,
        always_from,
        outputs: job
            .get("outputs")
            .map(|node| outputs(node, problems))
            .unwrap_or_default(),
    })
}

fn list(job: &Fields<'_>, key: &str, required: bool, problems: &Problems) -> Vec<DeclaredStep> {
    let node = if required {
        job.require(key, problems)
    } else {
        job.get(key)
    };
    let Some(node) = node else { return Vec::new() };
    let items = read::list(node, &format!("`{key}`"), problems);
    if items.is_some_and(<[Node]>::is_empty) {
        problems.error(&codes::EMPTY, node.span, format!("`{key}` is empty"));
    }
    items
        .unwrap_or_default()
        .iter()
        .filter_map(|node| step::step(node, problems))
        .collect()
}

fn outputs(node: &Node, problems: &Problems) -> Vec<(Spanned<String>, Node)> {
    let entries = read::map(node, "`outputs`", problems).unwrap_or_default();
    let mut outputs = Vec::new();
    for Entry { key, value } in entries {
        if is_identifier(&key.value) {
            outputs.push((key.clone(), value.clone()));
            continue;
        }
        let message = format!("`{}` is not a name of an output", read::shortened(&key.value));
        let hint = "such a name is 1 to 63 letters, digits or _ beginning with a letter".to_owned();
        problems.error_with_hint(&codes::INVALID_NAME, key.span, message, hint);
    }
    outputs
}
