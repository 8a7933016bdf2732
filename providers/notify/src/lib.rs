//! `notify`: tells people through a webhook.
//!
//! A message is signed as [Standard Webhooks](https://www.standardwebhooks.com) ask for. Its `webhook-id` is the
//! attempt id, so that a receiver that sees the same message twice (after a crash, or a lost answer) can drop the
//! second one. Channels are configured when the process starts; a runbook names one, and never sees where it
//! leads: the URL of a webhook is a secret, and appears in no error, output or log line.
//!
//! Redirects are not followed, and every address passes the guard of outgoing connections
//! ([`clawd_provider::egress`]).

mod channel;
mod client;
mod message;
mod news;
mod notify;
mod send;
mod sign;

pub use channel::{Channel, ChannelError, Webhook};
pub use client::ClientError;
pub use news::News;
pub use notify::{Channels, Notify};
pub use sign::InvalidSecret;
