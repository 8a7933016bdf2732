//! `service.state@v1`: starts, stops, restarts, enables or disables a systemd unit, as a job.

use std::collections::HashMap;
use std::sync::Arc;

use async_trait::async_trait;
use clawd_model::{Change, ErrorKind, OperationSpec, StepError};
use clawd_provider::contract::read_input;
use clawd_provider::contract::service_state::{Input, Output, State, spec};
use clawd_provider::{Applied, Checked, Context, Operation, ProviderError, Recovered};
use serde_json::{Value, json};
use tokio::time::{Duration, Instant, sleep};

use super::output;
use crate::host::{Host, deadline, insist, looking, looking_until, script};
use crate::hosts::Hosts;
use crate::job::{self, AtLimit, Ended, JobRecovered, JobSpec};
use crate::text;

const ASK: &str = r#"[ -d /run/systemd/system ] || exit 3
systemctl show --property=LoadState,ActiveState,UnitFileState -- "$1""#;
const ANSWER_MAX: usize = 16 * 1024;
/// How long a unit may take to come to rest after systemd says that it was started.
const SETTLE_LIMIT: Duration = Duration::from_secs(15);
/// The pause between two looks.
const PAUSE: Duration = Duration::from_millis(500);
const BRING: &str = include_str!("service_state.sh");
const SUFFIXES: [&str; 6] = [".service", ".socket", ".timer", ".path", ".mount", ".target"];

/// Brings a service into a state.
pub struct ServiceState {
    spec: OperationSpec,
    hosts: Arc<Hosts>,
}

impl ServiceState {
    /// On these hosts.
    #[must_use]
    pub fn new(hosts: Arc<Hosts>) -> Self {
        Self { spec: spec(), hosts }
    }
}

/// What systemd says of a unit.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Unit {
    /// `active`, `inactive`, `failed`, `activating` …
    state: String,
    /// `enabled`, `disabled`, `static`, `masked` …
    file: String,
}

impl Unit {
    fn active(&self) -> bool {
        matches!(self.state.as_str(), "active" | "reloading")
    }

    /// Whether it is on its way to another state: so is one that starts again and again, and never runs.
    fn moves(&self) -> bool {
        matches!(self.state.as_str(), "activating" | "deactivating")
    }

    /// Whether it starts at the next boot. What is enabled at run time only (`enabled-runtime`) does not: it is
    /// forgotten by then.
    fn enabled(&self) -> bool {
        matches!(self.file.as_str(), "enabled" | "generated")
    }
}

#[async_trait]
impl Operation for ServiceState {
    fn spec(&self) -> &OperationSpec {
        &self.spec
    }

    async fn check(&self, context: &Context, input: &Value) -> Result<Checked, ProviderError> {
        let (wanted, name) = read(input)?;
        let host = self.hosts.of_lane(context)?;
        let work = async { Ok(change(&name, &wanted, &unit(&host, &name, &wanted).await?)) };
        looking(context, &host.place, work).await.map(Checked::Would)
    }

    async fn apply(&self, context: &Context, input: &Value) -> Result<Applied, ProviderError> {
        let (wanted, name) = read(input)?;
        let host = self.hosts.of_lane(context)?;
        let deadline = deadline(context);
        let look = async { Ok(unit(&host, &name, &wanted).await?) };
        let now = looking_until(deadline, context, &host.place, look).await?;
        if !change(&name, &wanted, &now).needed {
            return Ok(applied(&now, false)?);
        }
        let (state, enabled) = words(&wanted);
        let argv = ["sh", "-c", BRING, "sh", &name, state, enabled];
        let spec = JobSpec {
            argv: argv.map(str::to_owned).to_vec(),
            ..JobSpec::default()
        };
        // Ending systemctl does not end the work that systemd has taken over from it.
        let ended = job::run(&host, context, &spec, AtLimit::LetGo, deadline).await?;
        refuse_failure(&host, &name, &ended)?;
        let now = insist(context, &host.place, deadline, || settled(&host, &name, &wanted)).await?;
        Ok(applied(&now, true)?)
    }

    async fn verify(&self, context: &Context, input: &Value, _: &Applied) -> Result<(), ProviderError> {
        let (wanted, name) = read(input)?;
        let host = self.hosts.of_lane(context)?;
        let now = looking(context, &host.place, async {
            Ok(settled(&host, &name, &wanted).await?)
        })
        .await?;
        let active = wanted.state != State::Stopped;
        let fits = now.active() == active && wanted.enabled.is_none_or(|enabled| enabled == now.enabled());
        if fits {
            return Ok(());
        }
        let message = format!("{}: `{name}` is {}", host.place, describe(&now));
        Err(StepError::new(ErrorKind::NotVerified, message)
            .with_hint(format!("`journalctl -u {name}` on the host may say why"))
            .into())
    }

    async fn recover(&self, context: &Context, input: &Value) -> Result<Recovered, ProviderError> {
        let (wanted, name) = read(input)?;
        let host = self.hosts.of_lane(context)?;
        match job::recover(&host, context, AtLimit::LetGo).await? {
            JobRecovered::NotStarted => Ok(Recovered::NotStarted),
            JobRecovered::Stopped(error) => Ok(Recovered::Done(Err(error))),
            JobRecovered::Indeterminate(error) => Ok(Recovered::Indeterminate(error)),
            JobRecovered::Ended(ended) => match finish(&host, &name, &wanted, &ended).await {
                Err(error) if error.kind == ErrorKind::Connection => Err(error.into()),
                result => Ok(Recovered::Done(result)),
            },
        }
    }
}

/// The wish, and the unit's full name.
fn read(input: &Value) -> Result<(Input, String), StepError> {
    let wanted: Input = read_input(input)?;
    let is_plain = |c: char| c.is_ascii_alphanumeric() || ":-_.\\@".contains(c);
    let name = &wanted.name;
    if name.is_empty() || name.len() > 200 || name.starts_with('-') || !name.chars().all(is_plain) {
        let message = format!("`{}` is no name of a unit", text::line(name, 200));
        return Err(StepError::new(ErrorKind::InvalidInput, message));
    }
    let suffixed = SUFFIXES.iter().any(|suffix| name.ends_with(suffix));
    let full = if suffixed {
        name.clone()
    } else {
        format!("{name}.service")
    };
    Ok((wanted, full))
}

fn words(wanted: &Input) -> (&'static str, &'static str) {
    let state = match wanted.state {
        State::Running => "running",
        State::Stopped => "stopped",
        State::Restarted => "restarted",
    };
    let enabled = match wanted.enabled {
        Some(true) => "true",
        Some(false) => "false",
        None => "keep",
    };
    (state, enabled)
}

/// Asks the host, and refuses what cannot come true.
async fn unit(host: &Host, name: &str, wanted: &Input) -> Result<Unit, StepError> {
    let reply = host.ask(&script(ASK, &[name]), ANSWER_MAX).await?;
    let refuse = |what: String| StepError::new(ErrorKind::InvalidInput, format!("{}: {what}", host.place));
    if reply.exit == crate::transport::Exit::Code(3) {
        return Err(refuse("systemd does not run there".to_owned()));
    }
    if !reply.is_success() {
        return Err(host.failed(&reply.complaint()));
    }
    let text = reply.text();
    let values: HashMap<&str, &str> = text.lines().filter_map(|line| line.split_once('=')).collect();
    let value = |key: &str| values.get(key).copied().unwrap_or_default();
    if value("LoadState") == "not-found" {
        return Err(refuse(format!("there is no unit `{name}`")));
    }
    let unit = Unit {
        state: text::line(value("ActiveState"), 40),
        file: text::line(value("UnitFileState"), 40),
    };
    if unit.file.starts_with("masked") && wanted.state != State::Stopped {
        return Err(
            refuse(format!("`{name}` is masked")).with_hint(format!("`systemctl unmask {name}` on the host"))
        );
    }
    let fixed = matches!(
        unit.file.as_str(),
        "static" | "indirect" | "transient" | "generated"
    );
    if fixed && wanted.enabled.is_some_and(|enabled| enabled != unit.enabled()) {
        return Err(refuse(format!(
            "`{name}` is {} and cannot be enabled or disabled",
            unit.file
        )));
    }
    Ok(unit)
}

/// The unit, once it has come to rest, or a little later.
async fn settled(host: &Host, name: &str, wanted: &Input) -> Result<Unit, StepError> {
    let patience = Instant::now() + SETTLE_LIMIT;
    loop {
        let now = unit(host, name, wanted).await?;
        if !now.moves() || Instant::now() >= patience {
            return Ok(now);
        }
        sleep(PAUSE).await;
    }
}

fn describe(unit: &Unit) -> String {
    let file = if unit.file.is_empty() {
        "not installed"
    } else {
        &unit.file
    };
    format!("{}, {file}", unit.state)
}

fn change(name: &str, wanted: &Input, now: &Unit) -> Change {
    let mut lines = Vec::new();
    match (wanted.state, now.active()) {
        (State::Running, false) => lines.push(format!("~ {name} inactive → active")),
        (State::Stopped, true) => lines.push(format!("~ {name} active → inactive")),
        (State::Restarted, _) => lines.push(format!("~ {name} restarted")),
        _ => {}
    }
    if let Some(enabled) = wanted.enabled.filter(|enabled| *enabled != now.enabled()) {
        let target = if enabled { "enabled" } else { "disabled" };
        lines.push(format!("~ {name} {} → {target}", now.file));
    }
    let (state, enabled) = words(wanted);
    Change {
        needed: !lines.is_empty(),
        summary: if lines.is_empty() {
            format!("{name} is {}", describe(now))
        } else {
            format!("{name} {state}")
        },
        diff: lines.iter().map(|line| format!("{line}\n")).collect(),
        basis: json!({"unit": name, "active": now.active(), "file": now.file, "state": state, "enabled": enabled}),
    }
}

fn applied(now: &Unit, changed: bool) -> Result<Applied, StepError> {
    let output = output(&Output {
        active: now.active(),
        enabled: now.enabled(),
    })?;
    Ok(Applied { output, changed })
}

async fn finish(host: &Host, name: &str, wanted: &Input, ended: &Ended) -> Result<Applied, StepError> {
    refuse_failure(host, name, ended)?;
    applied(&settled(host, name, wanted).await?, true)
}

fn refuse_failure(host: &Host, name: &str, ended: &Ended) -> Result<(), StepError> {
    if ended.code == 0 {
        return Ok(());
    }
    let said = ended
        .last_line
        .clone()
        .unwrap_or_else(|| format!("exit code {}", ended.code));
    Err(host
        .failed(&said)
        .with_hint(format!("`journalctl -u {name}` on the host may say why")))
}

#[cfg(test)]
#[path = "service_state/tests.rs"]
mod tests;
