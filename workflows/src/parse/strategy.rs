//! `strategy` and `approval`: how a job rolls out, and whom it asks beyond what policies ask for.

use std::collections::BTreeMap;

use clawd_model::{DurationMs, GroupName};

use super::keys;
use super::node::{Kind, Node, Spanned};
use super::read::{self, fields};
use crate::codes;
use crate::problems::Problems;
use crate::runbook::DeclaredApproval;
use crate::strategy::{Batch, Strategy};

const LONGEST_SOAK: DurationMs = DurationMs::from_secs(7 * 86_400);
const MAX_VOTES: u32 = 100;

/// Reads how a job rolls out.
pub(crate) fn strategy(node: &Node, problems: &Problems) -> Option<Spanned<Strategy>> {
    let strategy = fields(node, &keys::STRATEGY, problems)?;
    let canary = strategy
        .get("canary")
        .and_then(|node| read::selector(node, "a canary", problems));
    let serial = strategy
        .get("serial")
        .and_then(|node| read::one_or_more(node, "`serial`", problems));
    let percentage = strategy.get("max_fail_percentage");
    let percentage =
        percentage.and_then(|node| read::integer(node, "`max_fail_percentage`", 0..=100, problems));
    let soak = strategy
        .get("soak")
        .and_then(|node| read::duration(node, "`soak`", LONGEST_SOAK, problems));
    let read = Strategy {
        canary: canary.map(|canary| canary.value),
        serial: serial
            .unwrap_or_default()
            .iter()
            .filter_map(|node| batch(node, problems))
            .collect(),
        max_fail_percentage: percentage
            .and_then(|value| u8::try_from(value.value).ok())
            .unwrap_or(0),
        soak: soak.map(|soak| soak.value).unwrap_or_default(),
    };
    Some(Spanned::new(read, node.span))
}

fn batch(node: &Node, problems: &Problems) -> Option<Batch> {
    let Kind::Text(text) = &node.kind else {
        let count = read::integer(node, "a wave", 1..=100_000, problems)?;
        return Some(Batch::Count(count.value));
    };
    let percent = text
        .strip_suffix('%')
        .and_then(|digits| digits.parse::<u8>().ok());
    match percent {
        Some(percent @ 1..=100) => Some(Batch::Percent(percent)),
        _ => {
            let message = format!("`{}` is not the size of a wave", read::shortened(text));
            let hint =
                "a number of servers (`5`), or a share of them (`\"10%\"`, from 1% to 100%)".to_owned();
            problems.error_with_hint(&codes::OUT_OF_RANGE, node.span, message, hint);
            None
        }
    }
}

/// Reads whom a job asks.
pub(crate) fn approval(node: &Node, problems: &Problems) -> Option<DeclaredApproval> {
    let approval = fields(node, &keys::APPROVAL, problems)?;
    let quorum = approval.get("quorum");
    if quorum.is_none() && approval.get("groups").is_none() {
        problems.error(&codes::EMPTY, node.span, "an approval needs `quorum` or `groups`");
    }
    let quorum = quorum.and_then(|node| read::integer(node, "`quorum`", 1..=MAX_VOTES, problems));
    let entries = approval
        .get("groups")
        .and_then(|node| read::map(node, "`groups`", problems));
    let mut groups = BTreeMap::new();
    for entry in entries.unwrap_or_default() {
        let name = read::parse_name::<GroupName>(&entry.key.value, entry.key.span, problems);
        let votes = read::integer(&entry.value, "a number of votes", 1..=MAX_VOTES, problems);
        if let (Some(name), Some(votes)) = (name, votes) {
            groups.insert(name.value, votes.value);
        }
    }
    Some(DeclaredApproval {
        quorum: quorum.map_or(0, |quorum| quorum.value),
        groups,
    })
}
