//! Tells channels that votes are wanted, after the request for them is durable. A run never waits for that.

use std::fmt::Write as _;
use std::sync::Arc;

use clawd_model::{Approval, ApprovalId, MissingVotes, StepError, TenantName};
use clawd_scheduler::Input;
use futures::FutureExt as _;
use futures::future::BoxFuture;

use crate::drive::{Driver, Mail};

/// That votes are wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Announcement {
    /// The same whenever it is sent again: a receiver that sees it twice can drop the second one.
    pub id: ApprovalId,
    /// Whose run asks.
    pub tenant: TenantName,
    /// Where to say it: a name of `@notify`.
    pub channel: String,
    /// What is wanted, by whom, and which votes are missing.
    pub text: String,
    /// Where one votes, as a path of the console.
    pub path: String,
}

/// Who tells channels.
pub trait Announce: Send + Sync {
    /// Says it, and returns when the channel has taken it.
    fn announce<'a>(&'a self, announcement: &'a Announcement) -> BoxFuture<'a, Result<(), StepError>>;
}

/// No channels at all: what would be said goes to the log of the process.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoChannels;

impl Announce for NoChannels {
    fn announce<'a>(&'a self, announcement: &'a Announcement) -> BoxFuture<'a, Result<(), StepError>> {
        tracing::info!(channel = %announcement.channel, text = %announcement.text, "votes are wanted");
        std::future::ready(Ok(())).boxed()
    }
}

impl Driver {
    /// Tells a channel of a request. What a channel that fails was told is not known, so it is told again when the run
    /// is taken up the next time.
    pub(crate) fn announce(&self, approval: ApprovalId, channel: String) {
        let Some(request) = self.state.approvals.get(&approval) else {
            return;
        };
        let announcement = Announcement {
            id: approval,
            tenant: self.state.tenant.clone(),
            channel,
            text: text(request),
            path: format!("/approvals/{approval}"),
        };
        let (channels, mailbox) = (Arc::clone(&self.env.deps.channels), self.mailbox.clone());
        tokio::spawn(async move {
            match channels.announce(&announcement).await {
                Ok(()) => {
                    let channel = announcement.channel;
                    let _ = mailbox.send(Mail::Input(Input::Announced { approval, channel }));
                }
                Err(error) => {
                    tracing::warn!(%approval, channel = %announcement.channel, error = %error.message, "a channel could not be told that votes are wanted");
                }
            }
        });
    }
}

fn text(request: &Approval) -> String {
    let subject = &request.subject;
    let mut text = format!(
        "`{}` asks for votes on job `{}` of `{}` ({})",
        request.requester, subject.job, subject.runbook, subject.run
    );
    let wanted: Vec<String> = request.missing.iter().map(alternative).collect();
    if !wanted.is_empty() {
        let _ = write!(text, ": missing {}", wanted.join(", or "));
    }
    for reason in &request.reasons {
        let _ = write!(text, "; {reason}");
    }
    text
}

/// `2 of sre and 1 of security`.
fn alternative(missing: &MissingVotes) -> String {
    let mut parts: Vec<String> = missing
        .groups
        .iter()
        .map(|(group, count)| format!("{count} of {group}"))
        .collect();
    if missing.distinct > missing.groups.values().copied().max().unwrap_or(0) {
        parts.push(format!("{} in all", missing.distinct));
    }
    parts.join(" and ")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn missing_votes_are_said_in_words() {
        let missing = |groups: &[(&str, u32)], distinct| MissingVotes {
            groups: groups
                .iter()
                .map(|(group, count)| (group.parse().unwrap(), *count))
                .collect::<BTreeMap<_, _>>(),
            distinct,
            candidates: Vec::new(),
        };
        assert_eq!(
            alternative(&missing(&[("security", 1), ("sre", 2)], 2)),
            "1 of security and 2 of sre"
        );
        assert_eq!(alternative(&missing(&[("sre", 1)], 3)), "1 of sre and 3 in all");
        assert_eq!(alternative(&missing(&[], 2)), "2 in all");
    }
}
