//! `shell@v1`: any command, as a job. An argument list; nothing splits or expands it on the way.

use std::sync::Arc;

use async_trait::async_trait;
use clawd_model::{Change, Digest, ErrorKind, OperationSpec, StepError};
use clawd_provider::contract::read_input;
use clawd_provider::contract::shell::{Input, Output, spec};
use clawd_provider::{Applied, Checked, Context, Operation, ProviderError, Recovered, Redactor, Stream};
use serde_json::{Value, json};

use super::output;
use crate::host::{ANSWER_MAX, Host, deadline, looking, looking_until, script};
use crate::hosts::Hosts;
use crate::job::{self, AtLimit, Ended, JobRecovered, JobSpec};
use crate::ssh::bootstrap;
use crate::text;
use crate::transport::{Exit, Request};

const EXISTS: &str = r#"[ -e "$1" ] || [ -L "$1" ]"#;
/// What of a script people are shown.
const SHOWN_MAX: usize = 16 * 1024;
/// The longest input of a command.
const STDIN_MAX: usize = 4 << 20;
/// The longest argument list.
const ARGV_MAX: usize = 100 * 1024;

/// Runs any command.
pub struct Shell {
    spec: OperationSpec,
    hosts: Arc<Hosts>,
}

impl Shell {
    /// On these hosts.
    #[must_use]
    pub fn new(hosts: Arc<Hosts>) -> Self {
        Self { spec: spec(), hosts }
    }
}

#[async_trait]
impl Operation for Shell {
    fn spec(&self) -> &OperationSpec {
        &self.spec
    }

    async fn check(&self, context: &Context, input: &Value) -> Result<Checked, ProviderError> {
        let input = read(input)?;
        let host = self.hosts.of_lane(context)?;
        let work = async { Ok(change(&host.redactor, &input, made(&host, &input).await?)) };
        looking(context, &host.place, work).await.map(Checked::Would)
    }

    async fn apply(&self, context: &Context, input: &Value) -> Result<Applied, ProviderError> {
        let input = read(input)?;
        let host = self.hosts.of_lane(context)?;
        let deadline = deadline(context);
        // This is the attempt: the gate has let `unless` pass together with the command.
        let look = async { Ok(settled(&host, &input).await?) };
        if let Some(why) = looking_until(deadline, context, &host.place, look).await? {
            let note = format!("nothing to run: {why}\n");
            context.output.write(Stream::Note, note.as_bytes());
            let output = output(&Output {
                exit_code: 0,
                stdout: String::new(),
                stderr: String::new(),
            })?;
            return Ok(Applied {
                output,
                changed: false,
            });
        }
        let spec = JobSpec {
            argv: input.argv.clone(),
            stdin: input.stdin.clone().unwrap_or_default().into_bytes(),
            note: String::new(),
        };
        let ended = job::run(&host, context, &spec, AtLimit::Stop, deadline).await?;
        Ok(finish(&host, &input, ended)?)
    }

    async fn verify(&self, context: &Context, input: &Value, _: &Applied) -> Result<(), ProviderError> {
        let input = read(input)?;
        if input.creates.is_none() && input.unless.is_none() {
            return Ok(());
        }
        let host = self.hosts.of_lane(context)?;
        let settled = looking(context, &host.place, async { Ok(settled(&host, &input).await?) }).await?;
        if settled.is_some() {
            return Ok(());
        }
        let what = if input.creates.is_some() {
            "`creates` does not exist after the command"
        } else {
            "`unless` still fails after the command"
        };
        Err(StepError::new(ErrorKind::NotVerified, format!("{}: {what}", host.place)).into())
    }

    async fn recover(&self, context: &Context, input: &Value) -> Result<Recovered, ProviderError> {
        let input = read(input)?;
        let host = self.hosts.of_lane(context)?;
        Ok(match job::recover(&host, context, AtLimit::Stop).await? {
            JobRecovered::NotStarted => Recovered::NotStarted,
            JobRecovered::Stopped(error) => Recovered::Done(Err(error)),
            JobRecovered::Indeterminate(error) => Recovered::Indeterminate(error),
            JobRecovered::Ended(ended) => Recovered::Done(finish(&host, &input, ended)),
        })
    }
}

fn read(input: &Value) -> Result<Input, StepError> {
    let input: Input = read_input(input)?;
    let refuse = |what: &str| Err(StepError::new(ErrorKind::InvalidInput, what.to_owned()));
    for argv in [Some(&input.argv), input.unless.as_ref()].into_iter().flatten() {
        if bootstrap::encode(argv).is_err() || argv.first().is_some_and(String::is_empty) {
            return refuse("an argument list must name a program, and hold no zero bytes");
        }
        if argv.iter().map(String::len).sum::<usize>() > ARGV_MAX {
            return refuse("an argument list may not be longer than 100 KiB: give a long script as `stdin`");
        }
    }
    if input.stdin.as_ref().is_some_and(|text| text.len() > STDIN_MAX) {
        return refuse("`stdin` may not be longer than 4 MiB");
    }
    if input
        .creates
        .as_ref()
        .is_some_and(|path| !path.starts_with('/') || path.contains('\0'))
    {
        return refuse("`creates` must be an absolute path");
    }
    Ok(input)
}

/// Why there is nothing to do, if what the command makes is there. Looks with a constant script.
async fn made(host: &Host, input: &Input) -> Result<Option<String>, StepError> {
    let Some(path) = &input.creates else {
        return Ok(None);
    };
    let reply = host.ask(&script(EXISTS, &[path]), ANSWER_MAX).await?;
    let shown = text::line(&host.redactor.text(path), 200);
    Ok(reply.is_success().then(|| format!("`{shown}` exists")))
}

/// Why there is nothing to do, if there is. Runs `unless`, which may do anything: only for an attempt.
async fn settled(host: &Host, input: &Input) -> Result<Option<String>, StepError> {
    if let Some(why) = made(host, input).await? {
        return Ok(Some(why));
    }
    let Some(argv) = &input.unless else {
        return Ok(None);
    };
    let request = Request {
        argv: argv.clone(),
        stdin: Vec::new(),
        root: true,
    };
    let reply = host.ask(&request, ANSWER_MAX).await?;
    match reply.exit {
        Exit::Code(0) => {
            let shown = text::clip(text::command(&host.redactor, argv), 200);
            Ok(Some(format!("`{shown}` succeeds")))
        }
        // What cannot be run says nothing about the host.
        Exit::Code(126 | 127) => Err(host.failed(&format!("`unless` cannot be run: {}", reply.complaint()))),
        _ => Ok(None),
    }
}

/// What would be done. Whether `unless` succeeds is not known here: asking it is running a command of the runbook.
fn change(redactor: &Redactor, input: &Input, made: Option<String>) -> Change {
    let command = text::command(redactor, &input.argv);
    let mut diff = String::new();
    if made.is_none() {
        for line in text::clip(command.clone(), SHOWN_MAX).lines() {
            diff.push_str(&format!("+ {line}\n"));
        }
        let stdin = redactor.text(input.stdin.as_deref().unwrap_or_default());
        for line in text::clip(text::harmless(&stdin), SHOWN_MAX).lines() {
            diff.push_str(&format!("+ | {line}\n"));
        }
        if let Some(unless) = &input.unless {
            let unless = text::clip(text::command(redactor, unless), SHOWN_MAX);
            diff.push_str(&format!("? unless {unless}\n"));
        }
    }
    let stdin = input.stdin.as_ref().map(|text| Digest::of(text.as_bytes()));
    let shown = text::line(&command, 100);
    Change {
        needed: made.is_none(),
        summary: match (&made, &input.unless) {
            (Some(why), _) => format!("nothing to run: {why}"),
            (None, None) => format!("run {shown}"),
            (None, Some(_)) => {
                format!("run {shown}; cannot be predicted: `unless` is asked when the step runs")
            }
        },
        diff,
        basis: json!({"argv": input.argv, "stdin": stdin, "creates": input.creates, "unless": input.unless}),
    }
}

fn finish(host: &Host, input: &Input, ended: Ended) -> Result<Applied, StepError> {
    if ended.code == 0 {
        let output = output(&Output {
            exit_code: 0,
            stdout: ended.stdout,
            stderr: ended.stderr,
        })?;
        return Ok(Applied {
            output,
            changed: true,
        });
    }
    let program = host.redactor.text(input.argv.first().map_or("", String::as_str));
    let program = text::line(&program, 100);
    let said = ended
        .last_line
        .map(|line| format!(": {line}"))
        .unwrap_or_default();
    let how = match ended.code {
        127 => "was not found or ended with exit code 127".to_owned(),
        code @ 129..=192 => format!("was ended by signal {}", code - 128),
        code => format!("ended with exit code {code}"),
    };
    Err(host.failed(&format!("`{program}` {how}{said}")))
}

#[cfg(test)]
#[path = "shell/tests.rs"]
mod tests;
