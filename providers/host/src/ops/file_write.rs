//! `file.write@v1`: a file with given content, replaced in one step. Never follows a symbolic link, and never leaves
//! half a file behind.

use std::sync::Arc;

use async_trait::async_trait;
use clawd_model::{Change, Digest, ErrorKind, OperationSpec, StepError};
use clawd_provider::contract::file_write::{Input, Output, spec};
use clawd_provider::contract::read_input;
use clawd_provider::{Applied, Checked, Context, Operation, ProviderError};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep, timeout_at};

use super::file_diff::{diff, hidden};
use super::file_present::{Present, present};
use super::output;
use crate::host::{ANSWER_MAX, Host, looking, out_of_time, script};
use crate::hosts::Hosts;
use crate::transport::TransportError;

/// The longest content that can be written, and that is compared.
pub(super) const CONTENT_MAX: usize = 1 << 20;
const WRITE: &str = include_str!("file_write.sh");
/// The pause before a lost connection is tried again.
const PAUSE: std::time::Duration = std::time::Duration::from_secs(1);

/// Writes files.
pub struct FileWrite {
    spec: OperationSpec,
    hosts: Arc<Hosts>,
}

impl FileWrite {
    /// On these hosts.
    #[must_use]
    pub fn new(hosts: Arc<Hosts>) -> Self {
        Self { spec: spec(), hosts }
    }
}

/// What is wanted, and what is there.
struct Look {
    wanted: Wanted,
    now: Option<Present>,
}

/// Where, and in which form; nothing left open.
struct Wanted {
    folder: String,
    name: String,
    path: String,
    content: String,
    digest: Digest,
    mode: Option<u32>,
    owner: Option<String>,
    group: Option<String>,
    /// No content is shown: it holds secrets, or the runbook says that it is nobody's business.
    is_sensitive: bool,
}

#[async_trait]
impl Operation for FileWrite {
    fn spec(&self) -> &OperationSpec {
        &self.spec
    }

    async fn check(&self, context: &Context, input: &Value) -> Result<Checked, ProviderError> {
        let wanted = read(context, input)?;
        let host = self.hosts.of_lane(context)?;
        let work = async { Ok(change(&look(&host, wanted).await?)) };
        looking(context, &host.place, work).await.map(Checked::Would)
    }

    async fn apply(&self, context: &Context, input: &Value) -> Result<Applied, ProviderError> {
        let wanted = read(context, input)?;
        let host = self.hosts.of_lane(context)?;
        let deadline = Instant::now() + context.timeout.to_std();
        let look = looking(context, &host.place, async { Ok(look(&host, wanted).await?) }).await?;
        let changed = change(&look).needed;
        if changed {
            timeout_at(deadline, write(&host, context, &look))
                .await
                .unwrap_or_else(|_| Err(ProviderError::OutcomeUnknown(out_of_time(context, &host.place))))?;
        }
        let output = output(&Output {
            sha256: look.wanted.digest.to_string(),
            previous_sha256: look.now.map(|now| now.digest.to_string()),
        })?;
        Ok(Applied { output, changed })
    }

    async fn verify(&self, context: &Context, input: &Value, _: &Applied) -> Result<(), ProviderError> {
        let wanted = read(context, input)?;
        let host = self.hosts.of_lane(context)?;
        let look = looking(context, &host.place, async { Ok(look(&host, wanted).await?) }).await?;
        if !change(&look).needed {
            return Ok(());
        }
        let message = format!("{}: `{}` is not as it was written", host.place, look.wanted.path);
        Err(StepError::new(ErrorKind::NotVerified, message)
            .with_hint("something else on the host writes this file")
            .into())
    }
}

fn refuse(what: String) -> StepError {
    StepError::new(ErrorKind::InvalidInput, what)
}

fn read(context: &Context, input: &Value) -> Result<Wanted, StepError> {
    let input: Input = read_input(input)?;
    let shown = crate::text::line(&input.path, 300);
    let bad_part = |part: &str| matches!(part, "" | "." | "..") || part.len() > 200;
    let (folder, name) = input
        .path
        .strip_prefix('/')
        .filter(|rest| !rest.split('/').any(bad_part) && !input.path.chars().any(char::is_control))
        .and_then(|_| input.path.rsplit_once('/'))
        .ok_or_else(|| {
            refuse(format!("`{shown}` is no absolute path of a file"))
                .with_hint("write it without `.`, `..`, doubled slashes and a slash at the end")
        })?;
    if input.content.len() > CONTENT_MAX {
        return Err(refuse(format!("the content of `{shown}` is longer than 1 MiB")));
    }
    let mode = match &input.mode {
        Some(text) => Some(
            u32::from_str_radix(text, 8)
                .ok()
                .filter(|mode| *mode <= 0o7777)
                .ok_or_else(|| {
                    refuse(format!("`{}` is no mode", crate::text::line(text, 20)))
                        .with_hint("such as `0644`")
                })?,
        ),
        None => None,
    };
    for who in [&input.owner, &input.group].into_iter().flatten() {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "_.-".contains(c);
        if who.is_empty() || who.len() > 64 || who.starts_with('-') || !who.chars().all(is_plain) {
            return Err(refuse(format!(
                "`{}` is no user or group",
                crate::text::line(who, 64)
            )));
        }
    }
    Ok(Wanted {
        folder: if folder.is_empty() {
            "/".to_owned()
        } else {
            folder.to_owned()
        },
        name: name.to_owned(),
        digest: Digest::of(input.content.as_bytes()),
        path: input.path.clone(),
        content: input.content,
        is_sensitive: input.sensitive || context.redactor.has_secrets(),
        mode,
        owner: input.owner,
        group: input.group,
    })
}

async fn look(host: &Host, wanted: Wanted) -> Result<Look, StepError> {
    let now = present(host, &wanted.folder, &wanted.name, &wanted.path).await?;
    Ok(Look { wanted, now })
}

impl Look {
    fn mode(&self) -> u32 {
        let now = self.now.as_ref().map(|now| now.mode);
        self.wanted.mode.or(now).unwrap_or(0o644)
    }

    /// Who it should belong to: as asked for, else as it is, else root.
    fn owner(&self) -> String {
        let now = self.now.as_ref().map(|now| now.owner.id.clone());
        self.wanted
            .owner
            .clone()
            .or(now)
            .unwrap_or_else(|| "root".to_owned())
    }

    fn group(&self) -> String {
        let now = self.now.as_ref().map(|now| now.group.id.clone());
        self.wanted
            .group
            .clone()
            .or(now)
            .unwrap_or_else(|| "root".to_owned())
    }
}

/// Why the contents are not shown, if they are not. A plan is made with root's rights, before anybody has voted, and
/// is kept: what not everybody on the host may read does not go into it.
fn hides(look: &Look) -> Option<&'static str> {
    let is_closed = |now: &Present| !now.is_public();
    if look.wanted.is_sensitive {
        Some("not shown: the content is secret")
    } else if look.now.as_ref().is_some_and(is_closed) {
        Some("not shown: not everybody on the host may read it")
    } else {
        None
    }
}

fn change(look: &Look) -> Change {
    let Look { wanted, now } = look;
    let mut diff_text = String::new();
    let same = now.as_ref().is_some_and(|now| now.digest == wanted.digest);
    if !same {
        diff_text.push_str(&match (now, hides(look)) {
            (_, None) => {
                let old = now.as_ref().map(|now| now.content.as_deref());
                diff(&wanted.path, old, &wanted.content)
            }
            (Some(now), Some(why)) => hidden(&wanted.path, Some((now, why)), &wanted.content),
            (None, Some(_)) => hidden(&wanted.path, None, &wanted.content),
        });
    }
    let mode = look.mode();
    match now {
        Some(now) => {
            if now.mode != mode {
                diff_text.push_str(&format!("~ mode {:04o} → {mode:04o}\n", now.mode));
            }
            for (what, who, wish) in [
                ("owner", &now.owner, &wanted.owner),
                ("group", &now.group, &wanted.group),
            ] {
                if let Some(wish) = wish.as_ref().filter(|wish| !who.is(wish)) {
                    diff_text.push_str(&format!("~ {what} {} → {wish}\n", who.name));
                }
            }
        }
        None => diff_text.push_str(&format!(
            "+ mode {mode:04o}, owner {}, group {}\n",
            look.owner(),
            look.group()
        )),
    }
    let needed = !diff_text.is_empty();
    let basis = json!({
        "path": wanted.path,
        "present": now.as_ref().map(|now| json!({
            "sha256": now.digest, "mode": now.mode, "owner": now.owner.name, "group": now.group.name,
        })),
        "target": {"sha256": wanted.digest, "mode": mode, "owner": wanted.owner, "group": wanted.group},
    });
    let verb = match (needed, now.is_some(), same) {
        (false, ..) => "unchanged",
        (_, false, _) => "created",
        (_, _, true) => "given other rights",
        _ => "changed",
    };
    Change {
        needed,
        summary: format!("{} {verb}", wanted.path),
        diff: diff_text,
        basis,
    }
}

/// Writing the same twice does no harm, so a lost connection is tried again.
async fn write(host: &Host, context: &Context, look: &Look) -> Result<(), ProviderError> {
    let wanted = &look.wanted;
    // Of the name of the folder in which the new file is made; by it a later call finds what an earlier one left.
    let prefix = match context.attempt {
        Some(attempt) => format!(".{attempt}.new"),
        None => return Err(StepError::new(ErrorKind::Internal, "an attempt without a key").into()),
    };
    let mode = format!("{:04o}", look.mode());
    let arguments = [
        &*wanted.folder,
        &*wanted.name,
        &*prefix,
        &*wanted.digest.to_hex(),
        &*mode,
        &*look.owner(),
        &*look.group(),
    ];
    let mut request = script(WRITE, &arguments);
    request.stdin = wanted.content.as_bytes().to_vec();
    loop {
        match host.call(&request, ANSWER_MAX).await {
            Ok(reply) if reply.is_success() => return Ok(()),
            Ok(reply) => {
                let mut error = host.failed(&reply.complaint());
                error.message = format!("{} (writing `{}`)", error.message, wanted.path);
                return Err(error.into());
            }
            Err(TransportError::Lost(_) | TransportError::Unreachable(_)) => sleep(PAUSE).await,
            Err(error) if error.never_began() => return Err(host.error(&error).into()),
            Err(error) => return Err(ProviderError::OutcomeUnknown(host.error(&error))),
        }
    }
}

#[cfg(test)]
#[path = "file_write/tests.rs"]
mod tests;
