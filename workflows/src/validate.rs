//! A [`Runbook`] becomes a [`Workflow`]: everything that it names exists and fits, and the jobs form a graph without
//! circles.
//!
//! Second stop of a runbook's way. Nothing stops at the first problem: whatever could not be understood is left out,
//! the rest is checked, and a workflow comes out only if there was no error at all.

mod compiler;
mod conditions;
mod graph;
mod jobs;
mod names;
mod place;
mod references;
mod with;

use std::collections::BTreeMap;

use clawd_model::{OperationName, OperationSpec, Problem};

use crate::parse::{Lines, Node, beginning};
use crate::problems::Problems;
use crate::runbook::{self, Runbook};
use crate::{Template, Workflow, codes};
use compiler::{Compiler, Place};

/// More jobs are generated, and belong into several runbooks.
const MAX_JOBS: usize = 256;
/// More steps than anybody reads.
const MAX_STEPS: usize = 1000;

/// What came of checking a runbook.
#[derive(Debug)]
pub struct Checked {
    /// The workflow, unless there is an error.
    pub workflow: Option<Workflow>,
    /// All problems, in the order of the source; warnings may be among them although there is a workflow.
    pub problems: Vec<Problem>,
}

/// Checks a runbook against the operations that exist, and finds all problems at once.
#[must_use]
pub fn check(source: &str, specs: &BTreeMap<OperationName, OperationSpec>) -> Checked {
    let problems = Problems::default();
    let lines = Lines::new(source);
    let runbook = runbook::read(source, &lines, &problems);
    let workflow = runbook.and_then(|runbook| validate(runbook, source, specs, &lines, &problems));
    let workflow = workflow.filter(|_| !problems.has_errors());
    Checked {
        workflow,
        problems: problems.into_sorted(),
    }
}

fn validate(
    runbook: Runbook,
    source: &str,
    specs: &BTreeMap<OperationName, OperationSpec>,
    lines: &Lines<'_>,
    problems: &Problems,
) -> Option<Workflow> {
    if !fits_limits(&runbook, problems) {
        return None;
    }
    let graph = graph::build(&runbook.jobs, problems);
    let names = names::assign(&runbook.jobs, problems);
    let compiler = Compiler::new(&runbook, specs, &graph, &names, lines, problems);
    let jobs = jobs::jobs(&compiler);
    let lock = runbook.lock.as_ref().and_then(|node| lock(node, &compiler));
    // An expression that could not be read may be the one that uses it.
    if !problems.has_errors() {
        warn_of_unused_inputs(&compiler);
    }
    let order = graph
        .order
        .iter()
        .filter_map(|job| u16::try_from(*job).ok())
        .collect();
    Some(Workflow {
        digest: runbook.digest,
        name: runbook.name?,
        labels: runbook.labels,
        description: runbook.description,
        triggers: runbook.triggers,
        inputs: runbook.inputs.into_iter().map(|input| input.spec).collect(),
        lock,
        jobs: jobs?,
        order,
        source: source.into(),
    })
}

fn fits_limits(runbook: &Runbook, problems: &Problems) -> bool {
    if let Some(extra) = runbook.jobs.get(MAX_JOBS) {
        let message = format!(
            "a runbook has at most {MAX_JOBS} jobs, not {}",
            runbook.jobs.len()
        );
        problems.error(&codes::OUT_OF_RANGE, extra.name.span, message);
        return false;
    }
    let too_long = runbook.jobs.iter().find(|job| job.steps.len() > MAX_STEPS);
    if let Some(job) = too_long {
        let message = format!("a job has at most {MAX_STEPS} steps, not {}", job.steps.len());
        problems.error(&codes::OUT_OF_RANGE, job.name.span, message);
    }
    too_long.is_none()
}

/// `lock: env/prod`, perhaps with inputs in it.
fn lock(node: &Node, compiler: &Compiler<'_>) -> Option<Template> {
    let text = crate::parse::text(node, "`lock`", compiler.problems)?;
    let pieces = crate::template::split(text.value).unwrap_or_default();
    // What an expression stands for is not known yet; `x` is a word like any other.
    let sample: String = pieces
        .iter()
        .map(|piece| if piece.is_expression { "x" } else { piece.text })
        .collect();
    let is_word = |word: &str| {
        !word.is_empty()
            && word
                .chars()
                .all(|next| next.is_ascii_alphanumeric() || matches!(next, '-' | '_' | '.'))
    };
    let is_unclosed = pieces.is_empty() && !text.value.is_empty();
    if !is_unclosed && (sample.len() > 200 || !sample.split('/').all(is_word)) {
        let message = format!(
            "`{}` is not a name of a lock",
            crate::parse::shortened(text.value)
        );
        let hint = "words with slashes between them: `env/prod`".to_owned();
        compiler
            .problems
            .error_with_hint(&codes::INVALID_LOCK, text.span, message, hint);
        return None;
    }
    Some(Template::new(compiler.template(
        node,
        &Place::lock(),
        &mut BTreeMap::new(),
    )))
}

fn warn_of_unused_inputs(compiler: &Compiler<'_>) {
    for input in &compiler.runbook.inputs {
        if !compiler.uses_input(&input.spec.name) {
            let message = format!("no expression uses the input `{}`", input.spec.name);
            let hint = format!("use it as `${{{{ inputs.{} }}}}`, or remove it", input.spec.name);
            compiler
                .problems
                .warning(&codes::UNUSED_INPUT, beginning(input.span), message, &hint);
        }
    }
}
