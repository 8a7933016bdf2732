//! Misbehaviour on demand: labels of a simulated server that make its operations go wrong.

use clawd_model::{AttemptId, DurationMs, ErrorKind, Labels, StepError};
use clawd_provider::contract;

use crate::job::BadEnd;
use crate::world::World;

/// The labels, and what they do. An operation is named by its action (`pkg.apply`), several with commas; `:N`
/// after it means the first N attempts only.
pub const FAULT_LABELS: [(&str, &str); 4] = [
    ("sim.fail", "these operations fail: `pkg.apply`, `check.http:1`"),
    (
        "sim.flaky",
        "the first N attempts that would change something cannot connect: `2`",
    ),
    ("sim.slow", "every change takes so much longer: `5s`"),
    (
        "sim.indeterminate",
        "the power goes while these operations run: `pkg.apply`",
    ),
];

/// What the labels of one server ask for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Faults {
    fail: Vec<Target>,
    indeterminate: Vec<Target>,
    flaky: usize,
    pub(crate) slow: DurationMs,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Target {
    action: String,
    times: Option<usize>,
}

impl Faults {
    /// Reads the labels.
    pub(crate) fn of(labels: &Labels) -> Result<Self, StepError> {
        let mut faults = Self::default();
        for (label, value) in labels {
            let understood = match label.as_str() {
                "sim.fail" => targets(value).map(|fail| faults.fail = fail),
                "sim.indeterminate" => targets(value).map(|lost| faults.indeterminate = lost),
                "sim.flaky" => value.trim().parse().ok().map(|times| faults.flaky = times),
                "sim.slow" => DurationMs::parse(value).map(|slow| faults.slow = slow),
                other if other.starts_with("sim.") => None,
                _ => Some(()),
            };
            if understood.is_none() {
                return Err(misread(label, value));
            }
        }
        Ok(faults)
    }

    /// Whether this attempt cannot connect.
    pub(crate) fn cannot_connect(&self, world: &mut World, attempt: AttemptId) -> bool {
        self.flaky > 0 && strike(world, "flaky".to_owned(), Some(self.flaky), attempt)
    }

    /// How this attempt of an operation goes wrong.
    pub(crate) fn bad_end(&self, world: &mut World, action: &str, attempt: AttemptId) -> Option<BadEnd> {
        let kinds = [
            ("indeterminate", &self.indeterminate, BadEnd::PowerCut),
            ("fail", &self.fail, BadEnd::Failure),
        ];
        for (kind, targets, end) in kinds {
            for target in targets.iter().filter(|target| target.action == action) {
                if strike(world, format!("{kind} {action}"), target.times, attempt) {
                    return Some(end);
                }
            }
        }
        None
    }
}

/// Whether a fault hits this attempt: those that it has hit before, and new ones while any are left.
fn strike(world: &mut World, fault: String, times: Option<usize>, attempt: AttemptId) -> bool {
    let Some(times) = times else {
        return true;
    };
    let hit = world.strikes.entry(fault).or_default();
    if hit.contains(&attempt) {
        return true;
    }
    let hits = hit.len() < times;
    if hits {
        hit.push(attempt);
    }
    hits
}

fn targets(value: &str) -> Option<Vec<Target>> {
    value.split(',').map(|text| target(text.trim())).collect()
}

fn target(text: &str) -> Option<Target> {
    let (action, times) = match text.split_once(':') {
        Some((action, times)) => (action, Some(times.parse().ok()?)),
        None => (text, None),
    };
    let known = contract::all().iter().any(|spec| spec.name.action() == action);
    known.then(|| Target {
        action: action.to_owned(),
        times,
    })
}

fn misread(label: &str, value: &str) -> StepError {
    let known: Vec<String> = FAULT_LABELS
        .iter()
        .map(|(label, what)| format!("{label}: {what}"))
        .collect();
    StepError::new(
        ErrorKind::InvalidInput,
        format!("the label `{label}={value}` of the simulated server is not understood"),
    )
    .with_hint(known.join("; "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(label: &str, value: &str) -> Result<Faults, StepError> {
        Faults::of(&Labels::from([(label.to_owned(), value.to_owned())]))
    }

    #[test]
    fn labels_are_read_and_typing_errors_are_named() {
        let faults = read("sim.fail", "pkg.apply, check.http:1").unwrap();
        assert_eq!(faults.fail.len(), 2);
        assert_eq!(faults.fail[1].times, Some(1));
        assert_eq!(read("sim.slow", "5s").unwrap().slow, DurationMs::from_secs(5));
        assert_eq!(read("role", "web").unwrap(), Faults::default());
        for (label, value) in [
            ("sim.fail", "pkg.aply"),
            ("sim.fail", "pkg.apply:x"),
            ("sim.flaky", "often"),
            ("sim.slow", "5"),
            ("sim.fial", "pkg.apply"),
        ] {
            let error = read(label, value).expect_err(label);
            assert!(error.message.contains(label) && error.hint.is_some(), "{error:?}");
        }
    }
}
