//! Sending a message to a receiver: no error says where that is.

use std::net::IpAddr;

use clawd_model::{DurationMs, ErrorKind, StepError};
use clawd_provider::ProviderError;
use clawd_provider::egress::{Guard, Reach, Refused};
use reqwest::{Client, StatusCode, Url};

use crate::channel::Webhook;
use crate::client::refusal;
use crate::message::Message;

/// The way to a receiver.
pub(crate) struct Route<'a> {
    pub(crate) client: &'a Client,
    pub(crate) guard: &'a Guard,
    pub(crate) channel: &'a str,
    pub(crate) webhook: &'a Webhook,
    pub(crate) limit: DurationMs,
}

impl Route<'_> {
    /// Sends a message, and returns when the receiver has taken it.
    pub(crate) async fn send(&self, message: &Message) -> Result<(), ProviderError> {
        let url = self
            .webhook
            .url()
            .ok_or_else(|| self.error(ErrorKind::Internal, "has no URL"))?;
        if let Some(address) = literal(&url) {
            // An address in the URL never passes the resolver, hence is looked at here.
            let permitted = self.guard.permits(address, Reach::Elsewhere);
            permitted.map_err(|refused| self.refused(&refused))?;
        }
        let id = message.id.clone();
        let seconds = message.at.0.div_euclid(1000);
        let signature = self.webhook.key.sign(&id, seconds, &message.body);
        let sent = self
            .client
            .post(url)
            .timeout(self.limit.to_std())
            .header("content-type", "application/json")
            .header("webhook-id", id)
            .header("webhook-timestamp", seconds.to_string())
            .header("webhook-signature", signature)
            .body(message.body.clone())
            .send()
            .await;
        match sent {
            Ok(response) => self.judge(response.status()).map_err(ProviderError::Failed),
            Err(error) => Err(self.not_sent(&error)),
        }
    }

    fn judge(&self, status: StatusCode) -> Result<(), StepError> {
        let answered = format!("answered {}", status.as_u16());
        match status.as_u16() {
            200..300 => Ok(()),
            300..400 => Err(self
                .error(ErrorKind::Failed, &format!("{answered}, a redirect"))
                .with_hint("redirects of webhooks are not followed: configure the place that it leads to")),
            408 | 429 | 500.. => Err(self.error(ErrorKind::Connection, &answered)),
            410 => Err(self
                .error(
                    ErrorKind::Failed,
                    &format!("{answered}: it wants no more messages"),
                )
                .with_hint("take the channel out of the configuration, or give it another URL")),
            _ => Err(self
                .error(ErrorKind::Failed, &answered)
                .with_hint("check the URL and the signing secret of the channel")),
        }
    }

    fn not_sent(&self, error: &reqwest::Error) -> ProviderError {
        if let Some(refused) = refusal(error) {
            return self.refused(&refused).into();
        }
        if error.is_connect() {
            return self.error(ErrorKind::Connection, "cannot be connected to").into();
        }
        // It may have arrived. The same attempt id makes sending it again harmless.
        let error = if error.is_timeout() {
            self.error(ErrorKind::Timeout, &format!("did not answer in {}", self.limit))
        } else {
            self.error(ErrorKind::Connection, "broke the connection off")
        };
        ProviderError::OutcomeUnknown(error)
    }

    fn refused(&self, refused: &Refused) -> StepError {
        let what = format!("has {}, which may not be connected to from here", refused.what);
        self.error(ErrorKind::InvalidInput, &what).with_hint(
            "add its network to the allowed networks of the configuration, if it can be allowed at all",
        )
    }

    fn error(&self, kind: ErrorKind, what: &str) -> StepError {
        StepError::new(
            kind,
            format!("the receiver of the channel `{}` {what}", self.channel),
        )
    }
}

fn literal(url: &Url) -> Option<IpAddr> {
    let host = url.host_str()?;
    let bare = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    bare.unwrap_or(host).parse().ok()
}
