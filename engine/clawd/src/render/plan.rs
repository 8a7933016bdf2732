//! A plan, for people: per server and step, what would change, and what the gate says.

use std::collections::BTreeMap;

use clawd_model::api::PlanView;
use clawd_model::{Decision, DecisionKind, MissingVotes, PlannedStep, WillRun};

use crate::render::printable;
use crate::render::status::paint;

/// Prints the plan.
pub(crate) fn print(view: &PlanView) {
    let plan = &view.plan;
    outln!(
        "{} {}  requested by {}",
        paint("plan", "1"),
        plan.runbook,
        plan.requester
    );
    let mut last = None;
    for step in &plan.steps {
        let place = (&step.job, &step.target.name);
        if last != Some(place) {
            let env = if step.target.env.is_empty() {
                String::new()
            } else {
                format!(" ({})", step.target.env)
            };
            outln!(
                "\n{}{env}",
                paint(&format!("{} on {}", step.job, step.target.name), "1")
            );
            last = Some(place);
        }
        print_step(step);
    }
    let summary = &view.summary;
    outln!();
    outln!(
        "{} servers, {} changes, {} depend on earlier steps, {} errors",
        summary.servers,
        summary.changes,
        summary.depends,
        summary.errors
    );
    outln!(
        "gate: {} allowed, {} need approval, {} denied",
        summary.allowed,
        summary.needs_approval,
        summary.denied
    );
    outln!("{} {}", paint("digest", "1"), view.digest);
}

fn print_step(step: &PlannedStep) {
    let (shape, what) = match (&step.error, &step.will_run, &step.change) {
        (Some(error), ..) => (paint("✖", "31"), printable(&error.message)),
        (None, WillRun::No { condition }, _) => (paint("–", "2"), format!("skipped: {condition}")),
        (None, WillRun::Depends { on }, _) => (paint("?", "33"), format!("depends on {on}")),
        (None, WillRun::Yes, Some(change)) if change.needed => (paint("~", "33"), printable(&change.summary)),
        (None, WillRun::Yes, Some(change)) => (paint("✓", "32"), printable(&change.summary)),
        (None, WillRun::Yes, None) => (paint("·", "2"), "reads only, or cannot be predicted".to_owned()),
    };
    outln!(
        "  {shape} {:<12} {:<20} {what}",
        step.step.as_str(),
        step.uses.as_str()
    );
    if let Some(hint) = step.error.as_ref().and_then(|error| error.hint.as_deref()) {
        outln!("      hint: {}", printable(hint));
    }
    if let Some(change) = step.change.as_ref().filter(|change| change.needed) {
        for line in printable(&change.diff).lines() {
            outln!("      {}", diff_line(line));
        }
    }
    if let Some(decision) = &step.decision
        && !matches!(step.will_run, WillRun::No { .. })
    {
        print_decision(decision);
    }
}

/// One line of a diff, by its first character.
pub(crate) fn diff_line(line: &str) -> String {
    match line.chars().next() {
        Some('+') => paint(line, "32"),
        Some('-') => paint(line, "31"),
        Some('~') => paint(line, "33"),
        _ => line.to_owned(),
    }
}

fn print_decision(decision: &Decision) {
    match &decision.kind {
        DecisionKind::Allow => {}
        DecisionKind::Deny => outln!(
            "      {} {}",
            paint("⊘ denied", "31"),
            decision.reasons.join("; ")
        ),
        DecisionKind::NeedsApproval { missing, .. } => {
            outln!(
                "      {} {}",
                paint("◆ needs approval", "33"),
                alternatives(missing)
            );
        }
    }
}

/// What is missing, in words: any one alternative is enough.
pub(crate) fn alternatives(missing: &[MissingVotes]) -> String {
    let words: Vec<String> = missing.iter().map(missing_votes).collect();
    words.join(", or ")
}

fn missing_votes(missing: &MissingVotes) -> String {
    let mut parts: Vec<String> = counts(&missing.groups);
    if missing.distinct > 0 {
        parts.push(format!("{} of anybody", votes(missing.distinct)));
    }
    let mut words = parts.join(" and ");
    if !missing.candidates.is_empty() {
        let names: Vec<&str> = missing.candidates.iter().map(AsRef::as_ref).collect();
        words.push_str(&format!(" ({})", names.join(", ")));
    }
    words
}

fn counts(groups: &BTreeMap<clawd_model::GroupName, u32>) -> Vec<String> {
    groups
        .iter()
        .map(|(group, count)| format!("{} of {group}", votes(*count)))
        .collect()
}

fn votes(count: u32) -> String {
    if count == 1 {
        "1 vote".to_owned()
    } else {
        format!("{count} votes")
    }
}
