//! A channel: where messages go.

use std::net::IpAddr;

use reqwest::Url;
use secrecy::{ExposeSecret, SecretString};

use crate::sign::{InvalidSecret, SigningKey};

/// Where messages go.
#[derive(Debug)]
pub enum Channel {
    /// To the log of this process only.
    Log,
    /// To a receiver over HTTP.
    Webhook(Webhook),
}

/// A receiver over HTTP.
#[derive(Debug)]
pub struct Webhook {
    url: SecretString,
    pub(crate) key: SigningKey,
}

/// A channel is configured in a way that cannot work. The URL is a secret, so no message shows it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChannelError {
    /// Not a URL.
    #[error("the channel's URL is not a URL")]
    Url,
    /// Not HTTPS.
    #[error("the channel's URL does not begin with https; http is for receivers on this machine only")]
    Scheme,
    /// The signing secret.
    #[error("the channel's signing secret cannot be used")]
    Secret(#[source] InvalidSecret),
}

impl Channel {
    /// A channel to a receiver: its URL, and the signing secret that it was given (`whsec_…`).
    ///
    /// # Errors
    /// When the URL or the secret cannot be used.
    pub fn webhook(url: SecretString, signing_secret: &SecretString) -> Result<Self, ChannelError> {
        let parsed = Url::parse(url.expose_secret()).map_err(|_| ChannelError::Url)?;
        let is_safe = match parsed.scheme() {
            "https" => true,
            "http" => is_this_machine(&parsed),
            _ => false,
        };
        if !is_safe {
            return Err(ChannelError::Scheme);
        }
        let key = SigningKey::read(signing_secret).map_err(ChannelError::Secret)?;
        Ok(Self::Webhook(Webhook { url, key }))
    }
}

impl Webhook {
    /// The place to send to. It was a URL when the channel was made.
    pub(crate) fn url(&self) -> Option<Url> {
        Url::parse(self.url.expose_secret()).ok()
    }
}

fn is_this_machine(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let is_loopback = |address: IpAddr| address.to_canonical().is_loopback();
    bare == "localhost" || bare.parse().is_ok_and(is_loopback)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn webhook(url: &str, secret: &str) -> Result<Channel, ChannelError> {
        Channel::webhook(url.into(), &secret.into())
    }

    const SECRET: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";

    #[test]
    fn a_channel_is_checked_when_it_is_made() {
        for url in [
            "https://hooks.example.net/T0/B0",
            "http://127.0.0.1:8080/",
            "http://[::1]/",
            "http://localhost/",
        ] {
            assert!(webhook(url, SECRET).is_ok(), "{url}");
        }
        for (url, error) in [
            ("http://hooks.example.net/", ChannelError::Scheme),
            ("http://10.0.0.1/", ChannelError::Scheme),
            ("ftp://127.0.0.1/", ChannelError::Scheme),
            ("hooks.example.net", ChannelError::Url),
        ] {
            assert_eq!(webhook(url, SECRET).unwrap_err(), error, "{url}");
        }
        let short = webhook("https://hooks.example.net/", "whsec_aaaa");
        assert!(matches!(short, Err(ChannelError::Secret(_))));
    }

    #[test]
    fn neither_the_url_nor_the_secret_can_be_printed() {
        let shown = format!(
            "{:?}",
            webhook("https://hooks.example.net/T0/B0", SECRET).unwrap()
        );
        assert!(!shown.contains("hooks") && !shown.contains("C2FV"), "{shown}");
    }
}
