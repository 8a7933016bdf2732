//! `DATA_DIR/clawd.toml`: what an installation may want to say beyond the command line. All of it is optional.
//!
//! ```toml
//! [http]
//! allow = ["10.0.0.0/8"]        # private networks that checks and webhooks may reach
//!
//! [notify.ops]
//! url_secret = "OPS_WEBHOOK"    # secrets/OPS_WEBHOOK holds the URL
//! signing_secret = "OPS_SIGN"   # secrets/OPS_SIGN holds whsec_…
//! ```
//!
//! These secrets belong to the installation. Those of runbooks lie in `secrets/TENANT/`, and no runbook can name these.

use std::collections::BTreeMap;

use anyhow::{Context as _, anyhow};
use clawd_model::{SecretName, binary};
use clawd_provider::egress::{Guard, Network};
use clawd_provider_notify::{Channel, Channels};
use serde::Deserialize;

use crate::datadir::DataDir;

/// Its name.
const FILE: &str = concat!(binary!(), ".toml");

/// The file.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Config {
    http: Http,
    notify: BTreeMap<String, Webhook>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Http {
    allow: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Webhook {
    url_secret: SecretName,
    signing_secret: SecretName,
}

impl Config {
    /// Reads the file; the defaults when there is none.
    pub(crate) fn read(dir: &DataDir) -> anyhow::Result<Self> {
        let path = dir.path().join(FILE);
        match std::fs::read_to_string(&path) {
            Ok(text) => toml::from_str(&text).with_context(|| format!("`{}` is not valid", path.display())),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(error).with_context(|| format!("`{}` cannot be read", path.display())),
        }
    }

    /// Where checks and webhooks may go.
    pub(crate) fn guard(&self) -> anyhow::Result<Guard> {
        let networks = self.http.allow.iter().map(|text| text.parse::<Network>());
        Ok(Guard::new(
            networks
                .collect::<Result<Vec<_>, _>>()
                .with_context(|| format!("{FILE}, [http] allow"))?,
        ))
    }

    /// Where messages go. A channel `ops` that only logs is there unless it is configured.
    pub(crate) fn channels(&self, dir: &DataDir) -> anyhow::Result<Channels> {
        let mut channels = Channels::from([("ops".to_owned(), Channel::Log)]);
        for (name, webhook) in &self.notify {
            let read = |secret: &SecretName| {
                std::fs::read_to_string(dir.secrets().join(secret.as_str()))
                    .map(|text| text.trim_end().to_owned())
                    .map_err(|_| anyhow!("{FILE}, [notify.{name}]: there is no secret `{secret}`"))
            };
            let (url, key) = (read(&webhook.url_secret)?, read(&webhook.signing_secret)?);
            let channel = Channel::webhook(url.into(), &key.into())
                .with_context(|| format!("{FILE}, [notify.{name}]"))?;
            channels.insert(name.clone(), channel);
        }
        Ok(channels)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(text: &str) -> (tempfile::TempDir, DataDir) {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("clawd.toml"), text).unwrap();
        let data = DataDir::open(dir.path()).unwrap();
        (dir, data)
    }

    #[test]
    fn a_typo_is_an_error_that_names_the_file() {
        let (_dir, data) = with("[htpp]\nallow = []\n");
        let error = format!("{:#}", Config::read(&data).unwrap_err());
        assert!(error.contains("clawd.toml") && error.contains("htpp"), "{error}");
    }

    #[test]
    fn channels_take_their_urls_from_secrets() {
        let (dir, data) = with("[notify.ops]\nurl_secret = \"HOOK\"\nsigning_secret = \"SIGN\"\n");
        let config = Config::read(&data).unwrap();
        assert!(
            config
                .channels(&data)
                .unwrap_err()
                .to_string()
                .contains("no secret `HOOK`")
        );
        std::fs::write(dir.path().join("secrets/HOOK"), "https://hooks.example/x\n").unwrap();
        std::fs::write(
            dir.path().join("secrets/SIGN"),
            "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n",
        )
        .unwrap();
        let channels = config.channels(&data).unwrap();
        assert!(matches!(channels.get("ops"), Some(Channel::Webhook(_))));
    }
}
