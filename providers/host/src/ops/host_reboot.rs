//! `host.reboot@v1`: reboots, and proves it by the boot id, which changes with every boot. The job on the host holds
//! the boot id before, so that a controller that crashed in between can tell whether the reboot took place.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use clawd_model::{Change, ErrorKind, OperationSpec, StepError};
use clawd_provider::contract::host_reboot::{Input, Output, When, spec};
use clawd_provider::contract::read_input;
use clawd_provider::{Applied, Checked, Context, Operation, ProviderError, Recovered, Stream};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep, timeout, timeout_at};

use super::output;
use super::reboot_required::{Boot, boot, is_boot_id};
use crate::host::{Host, deadline, looking, looking_until, out_of_time};
use crate::hosts::Hosts;
use crate::job::{self, Begun, JobSpec};

/// The pause lets the job say that it has started.
const REBOOT: &str = r"sleep 1
if [ -d /run/systemd/system ]; then systemctl --no-block reboot || exec shutdown -r now
else exec shutdown -r now; fi";
/// The pause between two looks.
const PAUSE: Duration = Duration::from_secs(1);
/// One look may take so long.
const LOOK_LIMIT: Duration = Duration::from_secs(20);

/// Reboots hosts.
pub struct HostReboot {
    spec: OperationSpec,
    hosts: Arc<Hosts>,
}

impl HostReboot {
    /// On these hosts.
    #[must_use]
    pub fn new(hosts: Arc<Hosts>) -> Self {
        Self { spec: spec(), hosts }
    }
}

#[async_trait]
impl Operation for HostReboot {
    fn spec(&self) -> &OperationSpec {
        &self.spec
    }

    async fn check(&self, context: &Context, input: &Value) -> Result<Checked, ProviderError> {
        let input: Input = read_input(input)?;
        let host = self.hosts.of_lane(context)?;
        let work = async { Ok(change(input.when, &boot(&host).await?)) };
        looking(context, &host.place, work).await.map(Checked::Would)
    }

    async fn apply(&self, context: &Context, input: &Value) -> Result<Applied, ProviderError> {
        let input: Input = read_input(input)?;
        let host = self.hosts.of_lane(context)?;
        let deadline = deadline(context);
        let look = async { Ok(boot(&host).await?) };
        let before = looking_until(deadline, context, &host.place, look).await?;
        if !change(input.when, &before).needed {
            return Ok(result(&before.id, &before.id)?);
        }
        let spec = JobSpec {
            argv: ["sh", "-c", REBOOT].map(str::to_owned).to_vec(),
            stdin: Vec::new(),
            note: before.id.clone(),
        };
        job::begin(&host, context, &spec, deadline).await?;
        context.output.write(Stream::Note, b"the reboot has begun\n");
        match watch(&host, context, &before.id, deadline).await {
            Watched::Rebooted(after) => Ok(result(&before.id, &after)?),
            Watched::Refused(error) => Err(error.into()),
            Watched::Unclear(error) => Err(ProviderError::OutcomeUnknown(error)),
        }
    }

    async fn recover(&self, context: &Context, input: &Value) -> Result<Recovered, ProviderError> {
        let Input { .. } = read_input(input)?;
        let host = self.hosts.of_lane(context)?;
        let deadline = deadline(context);
        let before = match job::begun(&host, context, deadline).await? {
            Begun::NotStarted => return Ok(Recovered::NotStarted),
            Begun::Started { note, .. } if is_boot_id(&note) => note,
            Begun::Started { .. } => {
                let message = format!("{}: the job does not say which boot it belongs to", host.place);
                return Ok(Recovered::Indeterminate(StepError::new(
                    ErrorKind::Indeterminate,
                    message,
                )));
            }
        };
        Ok(match watch(&host, context, &before, deadline).await {
            Watched::Rebooted(after) => Recovered::Done(Ok(result(&before, &after)?)),
            Watched::Refused(error) => Recovered::Done(Err(error)),
            Watched::Unclear(error) => Recovered::Indeterminate(error),
        })
    }
}

fn change(when: When, now: &Boot) -> Change {
    let required = !now.reasons.is_empty();
    let needed = when == When::Always || required;
    let why = if required {
        now.reasons.join("; ")
    } else {
        "asked for by the runbook".to_owned()
    };
    let basis = match when {
        When::Always => json!({"when": "always"}),
        When::Required => json!({"when": "required", "required": required}),
    };
    Change {
        needed,
        summary: if needed {
            format!("reboot: {}", crate::text::line(&why, 200))
        } else {
            "no reboot is needed".to_owned()
        },
        diff: if needed {
            format!("~ reboot ({why})\n")
        } else {
            String::new()
        },
        basis,
    }
}

fn result(before: &str, after: &str) -> Result<Applied, StepError> {
    let rebooted = before != after;
    let output = output(&Output {
        rebooted,
        boot_id_before: before.to_owned(),
        boot_id_after: after.to_owned(),
    })?;
    Ok(Applied {
        output,
        changed: rebooted,
    })
}

/// What was seen of a reboot.
enum Watched {
    /// The host is back, in this boot.
    Rebooted(String),
    /// The command to reboot failed.
    Refused(StepError),
    /// The time is up.
    Unclear(StepError),
}

/// Waits for another boot id.
async fn watch(host: &Host, context: &Context, before: &str, deadline: Instant) -> Watched {
    let mut last: Option<StepError> = None;
    let waiting = async {
        loop {
            match timeout(LOOK_LIMIT, boot(host)).await {
                Ok(Ok(now)) if now.id != before => return Watched::Rebooted(now.id),
                Ok(Ok(_)) => {
                    if let Some(error) = refused(host, context, deadline).await {
                        return Watched::Refused(error);
                    }
                }
                Ok(Err(error)) if error.kind == ErrorKind::HostKey => return Watched::Unclear(error),
                // While it goes down and comes up it answers in many ways, or not at all.
                Ok(Err(error)) => {
                    last = Some(error);
                    host.transport.reset().await;
                }
                Err(_) => host.transport.reset().await,
            }
            sleep(PAUSE).await;
        }
    };
    match timeout_at(deadline, waiting).await {
        Ok(watched) => watched,
        Err(_) => {
            let mut error = out_of_time(context, &host.place);
            error.message.push_str(match last {
                Some(_) => ": the host went away and is not back",
                None => ": the host has not gone down",
            });
            Watched::Unclear(error)
        }
    }
}

/// Why the command to reboot failed, if it did.
async fn refused(host: &Host, context: &Context, deadline: Instant) -> Option<StepError> {
    let asked = timeout(LOOK_LIMIT, job::begun(host, context, deadline)).await;
    match asked.ok()? {
        Ok(Begun::Started { code: Some(code), .. }) if code != 0 => {
            let said = format!("the command to reboot ended with exit code {code}");
            Some(host.failed(&said))
        }
        _ => None,
    }
}
