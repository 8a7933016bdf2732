//! A plan, for people: per server and step, what would change, and what the gate says.

use std::collections::BTreeMap;

use clawd_model::api::PlanView;
use clawd_model::{Decision, DecisionKind, MissingVotes, OperationName, OperationSpec, PlannedStep, WillRun};

use crate::render::simulated::Simulated;
use crate::render::status::paint;
use crate::render::{counted, printable, sentence};

/// What is known besides the plan: what its operations are, and which servers are simulated.
pub(crate) struct Known {
    pub(crate) specs: BTreeMap<OperationName, OperationSpec>,
    pub(crate) simulated: Simulated,
}

/// Prints the plan.
pub(crate) fn print(view: &PlanView, known: &Known) {
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
                format!(" ({})", printable(&step.target.env))
            };
            outln!(
                "\n{}{env}{}",
                paint(&format!("{} on {}", step.job, step.target.name), "1"),
                known.simulated.mark(&step.target)
            );
            last = Some(place);
        }
        print_step(step, known.specs.get(&step.uses));
    }
    let summary = &view.summary;
    outln!();
    outln!(
        "{}, {}, {} depend on earlier steps, {}",
        counted(summary.servers.into(), "server"),
        counted(summary.changes.into(), "change"),
        summary.depends,
        counted(summary.errors.into(), "error")
    );
    outln!(
        "gate: {} allowed, {} need approval, {} denied",
        summary.allowed,
        summary.needs_approval,
        summary.denied
    );
    outln!("{} {}", paint("digest", "1"), view.digest);
}

fn print_step(step: &PlannedStep, spec: Option<&OperationSpec>) {
    let (shape, what) = match (&step.error, &step.will_run, &step.change) {
        (Some(error), ..) => (paint("✖", "31"), printable(&error.message)),
        (None, WillRun::No { condition }, _) => {
            (paint("–", "2"), format!("skipped: {}", printable(condition)))
        }
        (None, WillRun::Depends { on }, _) => (paint("?", "33"), format!("depends on {}", printable(on))),
        (None, WillRun::Yes, Some(change)) if change.needed => (paint("~", "33"), printable(&change.summary)),
        (None, WillRun::Yes, Some(change)) => (paint("✓", "32"), printable(&change.summary)),
        (None, WillRun::Yes, None) => unforeseen(step, spec),
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

/// A step that runs, and of which no change is known: it reads, or nobody could look at what it would change.
fn unforeseen(step: &PlannedStep, spec: Option<&OperationSpec>) -> (String, String) {
    let reads = step.output.is_some() || spec.is_some_and(|spec| !spec.is_mutating());
    let decision = step.decision.as_ref().map(|decision| &decision.kind);
    let text = match (reads, decision) {
        (true, Some(DecisionKind::Deny)) => "reads only; may not look",
        (true, Some(DecisionKind::NeedsApproval { .. })) if step.output.is_none() => {
            "reads only; may not look before the votes"
        }
        (true, _) => "reads only",
        (false, Some(DecisionKind::Deny)) => "a change; it was not looked at",
        (false, _) => "a change that cannot be predicted",
    };
    let shape = if reads { paint("·", "2") } else { paint("?", "33") };
    (shape, text.to_owned())
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
            sentence(&decision.reasons)
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

#[cfg(test)]
mod tests {
    use clawd_model::{Digest, JobName, LaneTarget, StepRef};
    use clawd_provider::contract;

    use super::*;

    fn step(uses: &str, kind: DecisionKind) -> PlannedStep {
        let job: JobName = "work".parse().unwrap();
        PlannedStep {
            step_ref: StepRef {
                job: 0,
                lane: 0,
                step: 0,
            },
            step: "one".parse().unwrap(),
            job,
            target: LaneTarget::controller(),
            uses: uses.parse().unwrap(),
            will_run: WillRun::Yes,
            input: None,
            change: None,
            output: None,
            decision: Some(Decision {
                kind,
                policies: Vec::new(),
                reasons: Vec::new(),
                bundle: Digest::of(b""),
                voters: Vec::new(),
            }),
            error: None,
        }
    }

    #[test]
    fn reads_are_told_from_changes_that_nobody_looked_at() {
        let specs: Vec<OperationSpec> = contract::all();
        let said = |uses: &str, kind: DecisionKind| {
            let step = step(uses, kind);
            let spec = specs.iter().find(|spec| spec.name == step.uses);
            unforeseen(&step, spec).1
        };
        let votes = || DecisionKind::NeedsApproval {
            missing: Vec::new(),
            ttl_ms: None,
            notify: Vec::new(),
        };
        for (uses, kind, expected) in [
            ("host.facts@v1", DecisionKind::Allow, "reads only"),
            ("host.facts@v1", DecisionKind::Deny, "reads only; may not look"),
            (
                "host.facts@v1",
                votes(),
                "reads only; may not look before the votes",
            ),
            (
                "pkg.apply@v1",
                DecisionKind::Deny,
                "a change; it was not looked at",
            ),
            (
                "notify@v1",
                DecisionKind::Allow,
                "a change that cannot be predicted",
            ),
            ("pkg.apply@v1", votes(), "a change that cannot be predicted"),
            (
                "other.thing@v1",
                DecisionKind::Allow,
                "a change that cannot be predicted",
            ),
        ] {
            assert_eq!(said(uses, kind), expected, "{uses}");
        }
    }
}
