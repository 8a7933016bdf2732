//! `notify`: the operation.

use std::collections::BTreeMap;

use async_trait::async_trait;
use clawd_model::{DurationMs, ErrorKind, OperationSpec, StepError};
use clawd_provider::contract::notify::{Input, Output, spec};
use clawd_provider::contract::read_input;
use clawd_provider::egress::Guard;
use clawd_provider::{Applied, Checked, Context, Operation, ProviderError, Redactor, Stream};
use reqwest::Client;
use serde_json::{Value, json};

use crate::channel::{Channel, Webhook};
use crate::client::{ClientError, client};
use crate::message::{Message, usual_text};
use crate::send::Route;

/// The channels, by the names that runbooks use.
pub type Channels = BTreeMap<String, Channel>;

/// How long a text may be, in bytes.
const TEXT_MAX: usize = 16 * 1024;

/// Tells people through a webhook.
pub struct Notify {
    spec: OperationSpec,
    channels: Channels,
    guard: Guard,
    client: Client,
}

impl Notify {
    /// The operation with these channels. The process must have a TLS crypto provider installed.
    ///
    /// # Errors
    /// When the HTTP client cannot be made.
    pub fn new(channels: Channels, guard: Guard) -> Result<Self, ClientError> {
        Ok(Self {
            spec: spec(),
            channels,
            client: client(&guard)?,
            guard,
        })
    }

    fn read(&self, input: &Value) -> Result<(Input, &Channel), StepError> {
        let input: Input = read_input(input)?;
        let invalid = |message: String| StepError::new(ErrorKind::InvalidInput, message);
        if input.text.as_ref().is_some_and(|text| text.len() > TEXT_MAX) {
            return Err(invalid(format!("`text` is longer than {} KiB", TEXT_MAX / 1024)));
        }
        let channel = self.channel(&input.to)?;
        Ok((input, channel))
    }

    pub(crate) fn channel(&self, name: &str) -> Result<&Channel, StepError> {
        self.channels.get(name).ok_or_else(|| {
            let known: Vec<&str> = self.channels.keys().map(String::as_str).collect();
            let message = format!("there is no channel `{name}`");
            StepError::new(ErrorKind::InvalidInput, message).with_hint(if known.is_empty() {
                "the configuration has no channels".to_owned()
            } else {
                format!("the configured channels are {}", known.join(", "))
            })
        })
    }

    /// The way to a receiver.
    pub(crate) fn route<'a>(
        &'a self,
        channel: &'a str,
        webhook: &'a Webhook,
        limit: DurationMs,
    ) -> Route<'a> {
        Route {
            client: &self.client,
            guard: &self.guard,
            channel,
            webhook,
            limit,
        }
    }
}

#[async_trait]
impl Operation for Notify {
    fn spec(&self) -> &OperationSpec {
        &self.spec
    }

    async fn check(&self, _context: &Context, input: &Value) -> Result<Checked, ProviderError> {
        self.read(input)?;
        Ok(Checked::Unpredictable)
    }

    async fn apply(&self, context: &Context, input: &Value) -> Result<Applied, ProviderError> {
        let (input, channel) = self.read(input)?;
        let id = context.attempt.ok_or_else(|| {
            StepError::new(
                ErrorKind::Internal,
                "an operation was applied without an attempt id",
            )
        })?;
        let text = input.text.unwrap_or_else(|| usual_text(context));
        let delivered = match channel {
            Channel::Log => {
                let text_shown = for_log(&context.redactor, &text);
                tracing::info!(tenant = %context.tenant, channel = %input.to, text = %text_shown, "notification");
                note(
                    context,
                    &format!("the channel `{}` goes to the log only: {text}", input.to),
                );
                false
            }
            Channel::Webhook(webhook) => {
                let route = self.route(&input.to, webhook, context.timeout);
                route.send(&Message::new(context, id, &input.to, &text)).await?;
                note(context, &format!("delivered to the channel `{}`", input.to));
                true
            }
        };
        Ok(Applied {
            output: json!(Output { delivered }),
            changed: delivered,
        })
    }
}

/// A message as one line of the log: without secrets, and with escapes where its text could begin another line.
fn for_log(redactor: &Redactor, text: &str) -> String {
    format!("{:?}", redactor.text(text))
}

fn note(context: &Context, line: &str) {
    context.output.write(Stream::Note, format!("{line}\n").as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_one_line_of_the_log_and_tells_no_secret() {
        let redactor = Redactor::new(vec!["hunter2-and-more".to_owned()]);
        let text = "patched\n2026-01-01 INFO forged line \u{1b}[31m hunter2-and-more";
        assert_eq!(
            for_log(&redactor, text),
            r#""patched\n2026-01-01 INFO forged line \u{1b}[31m [secret]""#
        );
    }
}
