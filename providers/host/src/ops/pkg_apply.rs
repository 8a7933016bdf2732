//! `pkg.apply@v1`: upgrades packages to exactly the frozen versions, as a job, with the new packages that were frozen
//! with them. Never installs, removes or downgrades anything else: apt is asked by simulation first, and what does not fit the plan any more is refused.

use std::sync::Arc;

use async_trait::async_trait;
use clawd_model::{ErrorKind, OperationSpec, StepError};
use clawd_provider::contract::pkg_apply::{Input, Output, Version, spec};
use clawd_provider::contract::pkg_plan::Package;
use clawd_provider::contract::read_input;
use clawd_provider::{Applied, Checked, Context, Operation, ProviderError, Recovered};
use serde_json::Value;

use super::pkg_change::{amiss, change, is_there, left_behind, planned, versions};
use super::{output, reboot_required};
use crate::apt::{self, Packages, Simulated};
use crate::host::{Host, deadline, insist, looking, looking_until};
use crate::hosts::Hosts;
use crate::job::{self, AtLimit, Ended, JobRecovered, JobSpec};

/// How long apt waits for another package manager, at most.
const LOCK_WAIT_S_MAX: u64 = 600;
/// A longer note is not worth its way.
const NOTE_MAX: usize = 32 * 1024;

/// Upgrades packages to frozen versions.
pub struct PkgApply {
    spec: OperationSpec,
    hosts: Arc<Hosts>,
}

impl PkgApply {
    /// On these hosts.
    #[must_use]
    pub fn new(hosts: Arc<Hosts>) -> Self {
        Self { spec: spec(), hosts }
    }
}

#[async_trait]
impl Operation for PkgApply {
    fn spec(&self) -> &OperationSpec {
        &self.spec
    }

    async fn check(&self, context: &Context, input: &Value) -> Result<Checked, ProviderError> {
        let set = read_set(input)?;
        let host = self.hosts.of_lane(context)?;
        let work = async { Ok(change(&set, &apt::installed(&host).await?)) };
        looking(context, &host.place, work).await.map(Checked::Would)
    }

    async fn apply(&self, context: &Context, input: &Value) -> Result<Applied, ProviderError> {
        let set = read_set(input)?;
        let host = self.hosts.of_lane(context)?;
        let deadline = deadline(context);
        let looked = async {
            let packages = apt::installed(&host).await?;
            let outdated = outdated(&host, &set, &packages)?;
            refuse_side_effects(&host, &outdated).await?;
            Ok((packages, outdated))
        };
        let (packages, outdated) = looking_until(deadline, context, &host.place, looked).await?;
        let before = versions(&set, &packages);
        if outdated.is_empty() {
            return Ok(done(&host, before.clone(), before, false).await?);
        }
        let spec = JobSpec {
            argv: command(&outdated, context),
            stdin: Vec::new(),
            note: note(&before),
        };
        // Ending dpkg halfway leaves a broken host.
        let ended = job::run(&host, context, &spec, AtLimit::LetGo, deadline).await?;
        if ended.code != 0 {
            return Ok(finish(&host, &set, before, &ended).await?);
        }
        insist(context, &host.place, deadline, || {
            finish(&host, &set, before.clone(), &ended)
        })
        .await
    }

    async fn verify(&self, context: &Context, input: &Value, _: &Applied) -> Result<(), ProviderError> {
        let set = read_set(input)?;
        let host = self.hosts.of_lane(context)?;
        let work = async { Ok(verified(&host, &set, &apt::installed(&host).await?)?) };
        looking(context, &host.place, work).await
    }

    async fn recover(&self, context: &Context, input: &Value) -> Result<Recovered, ProviderError> {
        let set = read_set(input)?;
        let host = self.hosts.of_lane(context)?;
        match job::recover(&host, context, AtLimit::LetGo).await? {
            JobRecovered::NotStarted => Ok(Recovered::NotStarted),
            JobRecovered::Stopped(error) => Ok(Recovered::Done(Err(error))),
            JobRecovered::Indeterminate(error) => Ok(Recovered::Indeterminate(error)),
            JobRecovered::Ended(ended) => {
                let before = noted(&ended.note).unwrap_or_else(|| planned(&set));
                match finish(&host, &set, before, &ended).await {
                    Ok(applied) => Ok(Recovered::Done(Ok(applied))),
                    Err(error) if error.kind == ErrorKind::Connection => Err(error.into()),
                    Err(error) => Ok(Recovered::Done(Err(error))),
                }
            }
        }
    }
}

fn read_set(input: &Value) -> Result<Vec<Package>, StepError> {
    let Input { set } = read_input(input)?;
    let is_sound = |package: &Package| apt::is_name(&package.name) && apt::is_version(&package.to);
    match set.iter().find(|package| !is_sound(package)) {
        Some(package) => {
            let shown = crate::text::line(&format!("{}={}", package.name, package.to), 200);
            Err(
                StepError::new(ErrorKind::InvalidInput, format!("`{shown}` is no package"))
                    .with_hint("give `set` the `packages` of a `pkg.plan` step"),
            )
        }
        None => Ok(set),
    }
}

fn outdated(host: &Host, set: &[Package], packages: &Packages) -> Result<Vec<Package>, StepError> {
    if let Some(gone) = set
        .iter()
        .find(|package| package.from.is_some() && !packages.contains_key(&package.name))
    {
        let message = format!("{}: `{}` is not installed any more", host.place, gone.name);
        return Err(drift(message));
    }
    Ok(set
        .iter()
        .filter(|package| !is_there(package, packages))
        .cloned()
        .collect())
}

fn drift(message: String) -> StepError {
    StepError::new(ErrorKind::Drift, message).with_hint("plan again: the host has changed since")
}

async fn refuse_side_effects(host: &Host, outdated: &[Package]) -> Result<(), StepError> {
    if outdated.is_empty() {
        return Ok(());
    }
    let place = &host.place;
    if let (Some(new), None) = (outdated.first(), apt::wanted(outdated).next()) {
        return Err(drift(format!(
            "{place}: nothing needs the new package `{}` any more",
            new.name
        )));
    }
    match apt::simulate(host, outdated).await? {
        Simulated::Cannot(reason) => Err(drift(format!("{place}: {reason}"))),
        Simulated::Would { installs, removes } => {
            let planned = |name: &str, to: &str| {
                outdated
                    .iter()
                    .any(|package| package.name == name && package.to == to)
            };
            let other = installs.iter().find(|inst| !planned(&inst.name, &inst.to));
            let missing = outdated
                .iter()
                .find(|package| !installs.iter().any(|inst| inst.name == package.name));
            match (other, removes.first(), missing) {
                (_, Some(name), _) => Err(drift(format!("{place}: apt would remove `{name}`"))),
                (Some(inst), None, _) => Err(drift(format!(
                    "{place}: apt would also install `{}` {}",
                    inst.name, inst.to
                ))),
                (None, None, Some(package)) => Err(drift(format!(
                    "{place}: apt would not install `{}`",
                    package.name
                ))),
                (None, None, None) => Ok(()),
            }
        }
    }
}

fn command(outdated: &[Package], context: &Context) -> Vec<String> {
    let lock_s = (context.timeout.0 / 1000 / 2).clamp(1, LOCK_WAIT_S_MAX);
    let lock = format!("DPkg::Lock::Timeout={lock_s}");
    let mut argv = vec![
        "env",
        "DEBIAN_FRONTEND=noninteractive",
        "APT_LISTCHANGES_FRONTEND=none",
        // What runs on after an upgrade is for the runbook to restart, this very job least of all.
        "NEEDRESTART_SUSPEND=1",
        "NEEDRESTART_MODE=l",
        "apt-get",
        "-y",
        "-q",
    ];
    for option in [
        // No progress of a terminal in the output.
        "Dpkg::Use-Pty=0",
        "Dpkg::Options::=--force-confdef",
        "Dpkg::Options::=--force-confold",
        &lock,
    ] {
        argv.extend(["-o", option]);
    }
    argv.extend(apt::ONLY_UPGRADE);
    argv.extend(["install", "--"]);
    let mut argv: Vec<String> = argv.into_iter().map(str::to_owned).collect();
    argv.extend(apt::wanted(outdated));
    argv
}

/// The versions before, for a controller that finds the job again.
fn note(before: &[Version]) -> String {
    let text = serde_json::to_string(before).unwrap_or_default();
    if text.len() <= NOTE_MAX {
        text
    } else {
        String::new()
    }
}

fn noted(note: &str) -> Option<Vec<Version>> {
    let before: Vec<Version> = serde_json::from_str(note).ok()?;
    let is_sound = |item: &Version| apt::is_name(&item.name) && apt::is_version(&item.version);
    before.iter().all(is_sound).then_some(before)
}

async fn finish(
    host: &Host,
    set: &[Package],
    before: Vec<Version>,
    ended: &Ended,
) -> Result<Applied, StepError> {
    let packages = apt::installed(host).await;
    if ended.code == 0 {
        return done(host, before, versions(set, &packages?), true).await;
    }
    let mut error = apt::complaint(
        &host.place,
        &format!("{}\n{}", ended.stdout_tail, ended.stderr_tail),
    );
    let reached = left_behind(set, &before, &packages.unwrap_or_default());
    if !reached.is_empty() {
        error.message = format!("{}; changed all the same: {}", error.message, reached.join(", "));
    }
    Err(error)
}

async fn done(
    host: &Host,
    before: Vec<Version>,
    after: Vec<Version>,
    changed: bool,
) -> Result<Applied, StepError> {
    let boot = reboot_required::boot(host).await?;
    let output = output(&Output {
        before,
        after,
        reboot_required: !boot.reasons.is_empty(),
    })?;
    Ok(Applied { output, changed })
}

fn verified(host: &Host, set: &[Package], packages: &Packages) -> Result<(), StepError> {
    match amiss(set, packages) {
        Some(what) => Err(StepError::new(
            ErrorKind::NotVerified,
            format!("{}: {what}", host.place),
        )),
        None => Ok(()),
    }
}

#[cfg(test)]
#[path = "pkg_apply/tests.rs"]
mod tests;
