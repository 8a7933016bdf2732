//! Jobs and steps, once everything that they can name is known.

use std::collections::BTreeMap;

use super::compiler::{Compiler, Lanes, Output, Place, Types};
use crate::codes;
use crate::runbook::{DeclaredJob, DeclaredStep, DeclaredTarget};
use crate::template::Template;
use crate::workflow::{ExtraApproval, Job, Step, Targets};

/// Builds all jobs, in the order of the document; `None` when one of them has no operation or no targets.
pub(super) fn jobs(compiler: &Compiler<'_>) -> Option<Vec<Job>> {
    let mut built: BTreeMap<usize, Option<Job>> = BTreeMap::new();
    // A job's outputs have to be known before the jobs that use them.
    for index in &compiler.graph.order {
        if let Some(declared) = compiler.runbook.jobs.get(*index) {
            built.insert(*index, job(compiler, *index, declared));
        }
    }
    built.into_values().collect()
}

fn job(compiler: &Compiler<'_>, index: usize, declared: &DeclaredJob) -> Option<Job> {
    check_targets(compiler, index, declared);
    let condition = declared
        .condition
        .as_ref()
        .map(|node| compiler.condition(node, &Place::job(index)));
    let steps: Vec<Option<Step>> = (0..)
        .zip(&declared.steps)
        .map(|(at, declared)| step(compiler, index, at, declared))
        .collect();
    let mut outputs = BTreeMap::new();
    for (name, node) in &declared.outputs {
        let mut types = Types::new();
        let template = compiler.template(node, &Place::output(index, declared.steps.len()), &mut types);
        let template = Template::new(template);
        let known = types.get(&node.span.start).copied().flatten();
        compiler.put_output(
            index,
            &name.value,
            Output {
                template: template.clone(),
                known,
            },
        );
        outputs.insert(name.value.clone(), template);
    }
    let targets = declared.targets.as_ref().or(compiler.runbook.targets.as_ref())?;
    let needs = compiler.graph.needs.get(index)?.iter();
    Some(Job {
        name: declared.name.value.clone(),
        needs: needs.filter_map(|need| u16::try_from(*need).ok()).collect(),
        condition: condition.flatten(),
        targets: match &targets.value {
            DeclaredTarget::Controller => Targets::Controller,
            DeclaredTarget::Servers(selector) => Targets::Servers(selector.clone()),
            DeclaredTarget::Broken => return None,
        },
        has_own_targets: declared.targets.is_some(),
        facts_max_age: targets.facts_max_age,
        strategy: declared
            .strategy
            .as_ref()
            .map(|strategy| strategy.value.clone())
            .unwrap_or_default(),
        steps: steps.into_iter().collect::<Option<_>>()?,
        rescue_from: u16::try_from(declared.rescue_from).ok()?,
        always_from: u16::try_from(declared.always_from).ok()?,
        approval: declared.approval.as_ref().map(|approval| ExtraApproval {
            quorum: approval.quorum,
            groups: approval.groups.clone(),
        }),
        outputs,
    })
}

fn check_targets(compiler: &Compiler<'_>, index: usize, declared: &DeclaredJob) {
    if declared.targets.is_none() && compiler.runbook.targets.is_none() {
        let message = format!("nothing says where the job `{}` works", declared.name.value);
        let hint = "write `targets: {selector: \"role=web\"}`, or `targets: controller`".to_owned();
        compiler
            .problems
            .error_with_hint(&codes::NO_TARGETS, declared.name.span, message, hint);
    }
    if let Some(strategy) = &declared.strategy
        && compiler.lanes(index) == Lanes::Controller
    {
        let message = format!(
            "the job `{}` has no servers that a strategy could order",
            declared.name.value
        );
        let span = crate::parse::beginning(strategy.span);
        compiler.problems.error_with_hint(
            &codes::CONTROLLER_STRATEGY,
            span,
            message,
            "remove `strategy`".to_owned(),
        );
    }
}

fn step(compiler: &Compiler<'_>, job: usize, at: usize, declared: &DeclaredStep) -> Option<Step> {
    let spec = compiler.operation(declared, job);
    let place = Place::step(job, at);
    let condition = declared
        .condition
        .as_ref()
        .map(|node| compiler.condition(node, &place));
    let with = compiler.with(declared, spec, &place.with_secrets());
    Some(Step {
        name: compiler.names.get(job)?.get(at)?.clone(),
        uses: declared.uses.as_ref()?.value.clone(),
        with,
        condition: condition.flatten(),
        retry: declared.retry.clone(),
        timeout: declared.timeout,
    })
}
