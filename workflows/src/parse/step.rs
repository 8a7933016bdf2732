//! One step: what it does, with what, when, and how often it is tried.

use clawd_model::{DurationMs, ErrorKind, OperationName, StepName};

use super::keys;
use super::node::Node;
use super::read::{self, fields};
use crate::codes;
use crate::problems::Problems;
use crate::retry::{self, Retry};
use crate::runbook::DeclaredStep;
use crate::suggest;

const LONGEST_TIMEOUT: DurationMs = DurationMs::from_secs(7 * 86_400);
const LONGEST_BACKOFF: DurationMs = DurationMs::from_secs(86_400);
const MAX_ATTEMPTS: u32 = 100;

/// Reads one step.
pub(crate) fn step(node: &Node, problems: &Problems) -> Option<DeclaredStep> {
    let step = fields(node, &keys::STEP, problems)?;
    let id = step
        .get("id")
        .and_then(|node| read::name::<StepName>(node, "`id`", problems));
    let uses = step.require("uses", problems);
    let timeout = step.get("timeout");
    let timeout = timeout.and_then(|node| read::duration(node, "`timeout`", LONGEST_TIMEOUT, problems));
    if let Some(timeout) = &timeout
        && timeout.value.0 == 0
    {
        problems.error(
            &codes::OUT_OF_RANGE,
            timeout.span,
            "a timeout of nothing leaves no time for the step",
        );
    }
    Some(DeclaredStep {
        id,
        uses: uses.and_then(|node| operation(node, problems)),
        with: step.get("with").cloned(),
        condition: step.get("if").cloned(),
        retry: step
            .get("retry")
            .and_then(|node| retry(node, problems))
            .unwrap_or_default(),
        timeout: timeout.map(|timeout| timeout.value),
        span: node.span,
    })
}

fn operation(node: &Node, problems: &Problems) -> Option<super::Spanned<OperationName>> {
    let text = read::text(node, "`uses`", problems)?;
    let versioned = format!("{}@v1", text.value);
    if !text.value.contains('@') && versioned.parse::<OperationName>().is_ok() {
        let message = format!("the operation `{}` has no version", text.value);
        problems.error_with_hint(
            &codes::INVALID_NAME,
            text.span,
            message,
            format!("write `{versioned}`"),
        );
        return None;
    }
    read::name::<OperationName>(node, "`uses`", problems)
}

fn retry(node: &Node, problems: &Problems) -> Option<Retry> {
    let fields = fields(node, &keys::RETRY, problems)?;
    let attempts = fields.get("attempts");
    let attempts = attempts.and_then(|node| read::integer(node, "`attempts`", 1..=MAX_ATTEMPTS, problems));
    let wait = |key: &str| {
        let node = fields.get(key)?;
        read::duration(node, &format!("`{key}`"), LONGEST_BACKOFF, problems).map(|wait| wait.value)
    };
    let errors = fields
        .get("errors")
        .and_then(|node| read::one_or_more(node, "`errors`", problems));
    let backoff = wait("backoff").unwrap_or(retry::DEFAULT_BACKOFF);
    Some(Retry {
        attempts: attempts.map_or(retry::DEFAULT_ATTEMPTS, |attempts| attempts.value),
        backoff,
        backoff_max: wait("backoff_max")
            .unwrap_or(retry::DEFAULT_BACKOFF_MAX)
            .max(backoff),
        errors: match errors {
            Some(nodes) => nodes
                .iter()
                .filter_map(|node| error_kind(node, problems))
                .collect(),
            None => retry::TRANSIENT.to_vec(),
        },
    })
}

fn error_kind(node: &Node, problems: &Problems) -> Option<ErrorKind> {
    let text = read::text(node, "an error", problems)?;
    let retryable = || {
        ErrorKind::ALL
            .into_iter()
            .filter(|word| retry::kind(word).is_some_and(|kind| !retry::NEVER.contains(&kind)))
    };
    let (message, hint) = match retry::kind(text.value) {
        Some(kind) if !retry::NEVER.contains(&kind) => return Some(kind),
        Some(kind) => {
            let listed = suggest::listed(&retryable().collect::<Vec<_>>());
            (
                format!("`{}` is never retried: a person has to look first", kind.as_str()),
                listed,
            )
        }
        None => {
            let hint = suggest::hint(text.value, retryable());
            (
                format!("`{}` is not a kind of error", read::shortened(text.value)),
                hint,
            )
        }
    };
    problems.error_with_hint(&codes::RETRY_ERROR, text.span, message, hint);
    None
}
