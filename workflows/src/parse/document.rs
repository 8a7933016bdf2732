//! The top of a runbook: apiVersion, kind, metadata, targets, lock, and the list of jobs.

use std::collections::BTreeMap;

use clawd_model::{Digest, DurationMs, RunbookName, product};

use super::keys;
use super::node::{Kind, Node};
use super::read::{self, fields};
use super::{input, job, triggers};
use crate::codes;
use crate::problems::Problems;
use crate::runbook::{DeclaredTarget, DeclaredTargets, Runbook};

const KIND: &str = "Runbook";
const LONGEST_AGE: DurationMs = DurationMs::from_secs(30 * 86_400);

/// Reads the whole document.
pub(crate) fn runbook(root: &Node, digest: Digest, problems: &Problems) -> Option<Runbook> {
    let top = fields(root, &keys::RUNBOOK, problems)?;
    for (key, wanted) in [("apiVersion", product::API_VERSION), ("kind", KIND)] {
        if let Some(node) = top.require(key, problems) {
            read::word(node, &format!("`{key}`"), &[wanted], problems);
        }
    }
    let mut name = None;
    let mut labels = BTreeMap::new();
    let mut description = String::new();
    if let Some(metadata) = top.require("metadata", problems)
        && let Some(metadata) = fields(metadata, &keys::METADATA, problems)
    {
        let node = metadata.require("name", problems);
        name = node.and_then(|node| read::name::<RunbookName>(node, "the name of a runbook", problems));
        labels = metadata
            .get("labels")
            .map(|node| read_labels(node, problems))
            .unwrap_or_default();
        let text = metadata
            .get("description")
            .and_then(|node| read::text(node, "a description", problems));
        description = text.map(|text| text.value.trim().to_owned()).unwrap_or_default();
    }
    let (inputs, inputs_are_whole) = top
        .get("inputs")
        .map_or_else(|| (Vec::new(), true), |node| input::inputs(node, problems));
    Some(Runbook {
        digest,
        name: name.map(|name| name.value),
        labels,
        description,
        triggers: top
            .get("triggers")
            .map(|node| triggers::triggers(node, problems))
            .unwrap_or_default(),
        inputs,
        inputs_are_whole,
        targets: top.get("targets").map(|node| targets(node, problems)),
        lock: top.get("lock").cloned(),
        jobs: top
            .require("jobs", problems)
            .map(|node| job::jobs(node, problems))
            .unwrap_or_default(),
    })
}

fn read_labels(node: &Node, problems: &Problems) -> BTreeMap<String, String> {
    let entries = read::map(node, "labels", problems).unwrap_or_default();
    let label = |entry: &super::node::Entry| {
        let value = read::text(
            &entry.value,
            &format!("the label `{}`", entry.key.value),
            problems,
        )?;
        Some((entry.key.value.clone(), value.value.to_owned()))
    };
    entries.iter().filter_map(label).collect()
}

/// `controller`, or `{selector: …}`.
pub(crate) fn targets(node: &Node, problems: &Problems) -> DeclaredTargets {
    let broken = DeclaredTargets {
        value: DeclaredTarget::Broken,
        facts_max_age: None,
    };
    if let Kind::Text(text) = &node.kind {
        if text == "controller" {
            return DeclaredTargets {
                value: DeclaredTarget::Controller,
                facts_max_age: None,
            };
        }
        let message = format!("targets cannot be `{}`", read::shortened(text));
        let hint = "write `targets: controller` or `targets: {selector: \"role=web\"}`".to_owned();
        problems.error_with_hint(&codes::UNKNOWN_VALUE, node.span, message, hint);
        return broken;
    }
    let Some(targets) = fields(node, &keys::TARGETS, problems) else {
        return broken;
    };
    let selector = targets.require("selector", problems);
    let selector = selector.and_then(|node| read::selector(node, "a selector", problems));
    let age = targets.get("facts_max_age");
    DeclaredTargets {
        value: selector.map_or(DeclaredTarget::Broken, |selector| {
            DeclaredTarget::Servers(selector.value)
        }),
        facts_max_age: age
            .and_then(|node| read::duration(node, "the age of facts", LONGEST_AGE, problems))
            .map(|age| age.value),
    }
}
