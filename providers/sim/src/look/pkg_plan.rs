//! `pkg.plan`: which packages would be upgraded, and which would not.

use clawd_model::{OperationSpec, StepError, Timestamp};
use clawd_provider::contract::pkg_plan::{Class, Input, KeptBack, Output, Package, spec};
use clawd_provider::contract::read_input;
use serde_json::Value;

use super::{Look, to_output};
use crate::world::World;

pub(super) struct PkgPlan;

impl Look for PkgPlan {
    fn spec(&self) -> OperationSpec {
        spec()
    }

    fn understands(&self, input: &Value) -> Result<(), StepError> {
        read_input::<Input>(input).map(drop)
    }

    fn is_plannable(&self) -> bool {
        true
    }

    fn see(&self, world: &World, input: &Value, _now: Timestamp) -> Result<Value, StepError> {
        let input: Input = read_input(input)?;
        let everything = input.classes.contains(&Class::All);
        let security = input.classes.contains(&Class::Security);
        let mut output = Output {
            packages: Vec::new(),
            kept_back: Vec::new(),
        };
        for (name, package) in &world.packages {
            let Some(candidate) = &package.candidate else {
                continue;
            };
            if !(everything || security && candidate.security) {
                continue;
            }
            let excluded = input
                .exclude
                .iter()
                .find(|pattern| matches(pattern, name))
                .map(|pattern| format!("excluded by `{pattern}`"));
            match excluded.or_else(|| candidate.kept_back.clone()) {
                Some(reason) => output.kept_back.push(KeptBack {
                    name: name.clone(),
                    from: package.version.clone(),
                    to: candidate.version.clone(),
                    reason,
                }),
                None => output.packages.push(Package {
                    name: name.clone(),
                    from: Some(package.version.clone()),
                    to: candidate.version.clone(),
                    security: candidate.security,
                }),
            }
        }
        to_output(&output)
    }

    fn words(&self, _input: &Value, output: &Value) -> Vec<String> {
        let Ok(output) = read_input::<Output>(output) else {
            return Vec::new();
        };
        let mut lines = vec![format!(
            "{} to upgrade, {} kept back",
            output.packages.len(),
            output.kept_back.len()
        )];
        for kept in &output.kept_back {
            lines.push(format!("kept back: {} ({})", kept.name, kept.reason));
        }
        lines
    }
}

/// Whether a name fits a pattern in which `*` stands for any text.
fn matches(pattern: &str, name: &str) -> bool {
    let Some((head, tail)) = pattern.split_once('*') else {
        return pattern == name;
    };
    name.strip_prefix(head).is_some_and(|rest| {
        rest.char_indices()
            .map(|(at, _)| rest.split_at(at).1)
            .chain([""])
            .any(|end| matches(tail, end))
    })
}
