//! YAML becomes a [`Runbook`]: the document as its author meant it, every part with its place in the source.
//!
//! First stop of a runbook's way. Here the shape is read (keys, types, names, durations); whether the parts fit each
//! other and the operations that exist is [`crate::validate`]'s to say. A part that could not be read is absent and
//! was reported; the rest is read nevertheless.

use std::collections::BTreeMap;

use clawd_model::{DurationMs, GroupName, JobName, OperationName, RunbookName, SourceSpan, StepName};

use crate::parse::{self, Kind, Lines, Node, Spanned};
use crate::problems::Problems;
use crate::{Digest, InputSpec, Retry, Selector, Strategy, Triggers, digest};

/// A document, spans kept.
#[derive(Debug)]
pub(crate) struct Runbook {
    pub(crate) digest: Digest,
    pub(crate) name: Option<RunbookName>,
    pub(crate) labels: BTreeMap<String, String>,
    pub(crate) description: String,
    pub(crate) triggers: Triggers,
    pub(crate) inputs: Vec<DeclaredInput>,
    /// False when an input could not be read: then no expression is told that its input is unknown.
    pub(crate) inputs_are_whole: bool,
    pub(crate) targets: Option<DeclaredTargets>,
    pub(crate) lock: Option<Node>,
    pub(crate) jobs: Vec<DeclaredJob>,
}

#[derive(Debug)]
pub(crate) struct DeclaredInput {
    pub(crate) spec: InputSpec,
    pub(crate) span: SourceSpan,
}

#[derive(Clone, Debug)]
pub(crate) struct DeclaredTargets {
    pub(crate) value: DeclaredTarget,
    pub(crate) facts_max_age: Option<DurationMs>,
}

#[derive(Clone, Debug)]
pub(crate) enum DeclaredTarget {
    Controller,
    Servers(Selector),
    /// Reported already.
    Broken,
}

#[derive(Debug)]
pub(crate) struct DeclaredJob {
    pub(crate) name: Spanned<JobName>,
    /// The name as it is written, which `needs` refer to.
    pub(crate) key: String,
    pub(crate) needs: Vec<Spanned<String>>,
    pub(crate) condition: Option<Node>,
    pub(crate) targets: Option<DeclaredTargets>,
    pub(crate) strategy: Option<Spanned<Strategy>>,
    pub(crate) approval: Option<DeclaredApproval>,
    /// `steps`, then `rescue`, then `always`.
    pub(crate) steps: Vec<DeclaredStep>,
    pub(crate) rescue_from: usize,
    pub(crate) always_from: usize,
    pub(crate) outputs: Vec<(Spanned<String>, Node)>,
}

#[derive(Debug)]
pub(crate) struct DeclaredApproval {
    pub(crate) quorum: u32,
    pub(crate) groups: BTreeMap<GroupName, u32>,
}

#[derive(Debug)]
pub(crate) struct DeclaredStep {
    pub(crate) id: Option<Spanned<StepName>>,
    pub(crate) uses: Option<Spanned<OperationName>>,
    pub(crate) with: Option<Node>,
    pub(crate) condition: Option<Node>,
    pub(crate) retry: Retry,
    pub(crate) timeout: Option<DurationMs>,
    pub(crate) span: SourceSpan,
}

/// Reads a document; `None` when it is no mapping at all.
pub(crate) fn read(source: &str, lines: &Lines<'_>, problems: &Problems) -> Option<Runbook> {
    let root = parse::yaml(source, lines, problems)?;
    if !matches!(root.kind, Kind::Map(_)) {
        return parse::wrong(&root, "a runbook is a mapping", None, problems);
    }
    parse::runbook(&root, digest::of(&root), problems)
}
