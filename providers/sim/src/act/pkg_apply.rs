//! `pkg.apply`: upgrades packages to exactly the frozen versions, or not at all.

use clawd_model::{Change, ErrorKind, OperationSpec, StepError};
use clawd_provider::contract::pkg_apply::{Input, Output, Version, spec};
use clawd_provider::contract::pkg_plan::Package as Frozen;
use clawd_provider::contract::read_input;
use serde_json::{Value, json};

use super::{Act, Moment, not_seen, to_output};
use crate::world::{Candidate, World};

pub(super) struct PkgApply;

impl Act for PkgApply {
    fn spec(&self) -> OperationSpec {
        spec()
    }

    fn foresee(&self, world: &World, input: &Value) -> Result<Change, StepError> {
        let Input { set } = read_input(input)?;
        let mut basis = Vec::with_capacity(set.len());
        let mut diff = String::new();
        let mut count = 0;
        for frozen in &set {
            let installed = installed(world, &frozen.name);
            basis.push(json!({"name": frozen.name, "installed": installed, "to": frozen.to}));
            if installed != Some(&frozen.to) {
                count += 1;
                let from = installed.unwrap_or("(not installed)");
                let security = if frozen.security { " (security)" } else { "" };
                diff.push_str(&format!("~ {} {from} -> {}{security}\n", frozen.name, frozen.to));
            }
        }
        let summary = match count {
            0 => "all packages are at their planned versions".to_owned(),
            1 => "1 package upgraded".to_owned(),
            count => format!("{count} packages upgraded"),
        };
        Ok(Change {
            needed: count > 0,
            summary,
            diff,
            basis: Value::Array(basis),
        })
    }

    fn transcript(&self, world: &World, input: &Value) -> Vec<String> {
        let set = read_input::<Input>(input)
            .map(|input| input.set)
            .unwrap_or_default();
        let pending: Vec<&Frozen> = set
            .iter()
            .filter(|frozen| installed(world, &frozen.name) != Some(&frozen.to))
            .collect();
        let mut lines: Vec<String> = ["Reading package lists...", "Building dependency tree..."]
            .map(str::to_owned)
            .into();
        let names: Vec<&str> = pending.iter().map(|frozen| frozen.name.as_str()).collect();
        lines.push(format!(
            "{} upgraded, 0 newly installed, 0 to remove.",
            names.len()
        ));
        for (frozen, number) in pending.iter().zip(1..) {
            let suite = if frozen.security {
                "bookworm-security"
            } else {
                "bookworm"
            };
            lines.push(format!(
                "Get:{number} {suite}/main amd64 {} {}",
                frozen.name, frozen.to
            ));
        }
        for frozen in &pending {
            lines.push(format!(
                "Unpacking {} ({}) over ({}) ...",
                frozen.name,
                frozen.to,
                frozen.from.as_deref().unwrap_or("nothing")
            ));
        }
        for frozen in &pending {
            lines.push(format!("Setting up {} ({}) ...", frozen.name, frozen.to));
        }
        if !pending.is_empty() {
            lines.push("Processing triggers for libc-bin ...".to_owned());
        }
        lines
    }

    fn perform(&self, world: &mut World, input: &Value, _moment: &Moment) -> Result<Value, StepError> {
        let Input { set } = read_input(input)?;
        let before = versions(world, &set);
        for frozen in &set {
            upgrade(world, frozen)?;
        }
        to_output(&Output {
            before,
            after: versions(world, &set),
            reboot_required: !world.reboot_reasons.is_empty(),
        })
    }

    fn verify(&self, world: &World, input: &Value, _output: &Value) -> Result<(), StepError> {
        let Input { set } = read_input(input)?;
        for frozen in &set {
            let seen = installed(world, &frozen.name);
            if seen != Some(&frozen.to) {
                return Err(not_seen(format!(
                    "`{}` is at {}, not at {}",
                    frozen.name,
                    seen.unwrap_or("no version"),
                    frozen.to
                )));
            }
        }
        Ok(())
    }
}

fn installed<'a>(world: &'a World, name: &str) -> Option<&'a str> {
    world.packages.get(name).map(|package| package.version.as_str())
}

fn versions(world: &World, set: &[Frozen]) -> Vec<Version> {
    set.iter()
        .filter_map(|frozen| {
            Some(Version {
                name: frozen.name.clone(),
                version: installed(world, &frozen.name)?.to_owned(),
            })
        })
        .collect()
}

/// Upgrades one package, if the host is what the plan saw.
fn upgrade(world: &mut World, frozen: &Frozen) -> Result<(), StepError> {
    let drift = |message: String| {
        Err(StepError::new(ErrorKind::Drift, message).with_hint("plan again: the server has changed since"))
    };
    let name = &frozen.name;
    let Some(package) = world.packages.get_mut(name) else {
        return drift(format!("`{name}` is not installed"));
    };
    if package.version == frozen.to {
        return Ok(());
    }
    let seen = frozen.from.as_deref().unwrap_or("no version");
    if package.version != seen {
        return drift(format!("`{name}` is at {}, the plan saw {seen}", package.version));
    }
    let Some(candidate) = package
        .candidate
        .take_if(|candidate| candidate.version == frozen.to)
    else {
        return drift(format!("version {} of `{name}` is not available", frozen.to));
    };
    if let Some(reason) = candidate.kept_back {
        let message = format!("`{name}` is kept back: {reason}");
        return Err(StepError::new(ErrorKind::Failed, message));
    }
    let Candidate { version, kernel, .. } = candidate;
    if kernel.is_some() {
        world.reboot_reasons.push(format!("{name} was upgraded"));
        world.next_kernel = kernel;
    }
    package.version = version;
    Ok(())
}
