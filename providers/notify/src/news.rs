//! News that no step tells: that votes are wanted.

use clawd_model::{DurationMs, StepError, TenantName, Timestamp};
use clawd_provider::ProviderError;

use crate::channel::Channel;
use crate::message::Message;
use crate::notify::Notify;

/// How long a receiver has for taking news.
const LIMIT: DurationMs = DurationMs::from_secs(30);

/// What a channel is told.
#[derive(Clone, Copy, Debug)]
pub struct News<'a> {
    /// What it is about, for programs: `votes_wanted`.
    pub kind: &'a str,
    /// The same whenever it is sent again.
    pub id: &'a str,
    /// Whose.
    pub tenant: &'a TenantName,
    /// The channel.
    pub channel: &'a str,
    /// For people.
    pub text: &'a str,
    /// Where to look, as a path of the console.
    pub path: &'a str,
}

impl Notify {
    /// Tells a channel, and returns when it has taken the news.
    ///
    /// # Errors
    /// When there is no such channel, or its receiver did not take it, or may not have.
    pub async fn tell(&self, news: &News<'_>, at: Timestamp) -> Result<(), StepError> {
        match self.channel(news.channel)? {
            Channel::Log => {
                tracing::info!(tenant = %news.tenant, channel = %news.channel, path = %news.path, text = %news.text, "notification");
                Ok(())
            }
            Channel::Webhook(webhook) => {
                let route = self.route(news.channel, webhook, LIMIT);
                let sent = route.send(&Message::news(news, at)).await;
                sent.map_err(|error| match error {
                    ProviderError::Failed(error) | ProviderError::OutcomeUnknown(error) => error,
                })
            }
        }
    }
}
