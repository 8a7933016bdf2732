//! What the browser's console shows: errors of scripts, refused resources, violations of the policy.

use anyhow::{Context as _, Result};
use fantoccini::wd::WebDriverCompatibleCommand;
use http::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use super::Browser;

/// One message of the console.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct ConsoleMessage {
    /// `SEVERE`, `WARNING`, `INFO` or `DEBUG`.
    pub level: String,
    /// The text, with the place that it is about.
    pub message: String,
    /// Who says so: `javascript`, `network`, `security`, `console-api` …
    #[serde(default)]
    pub source: String,
}

impl Browser {
    /// The messages since the last call.
    pub async fn console(&self) -> Result<Vec<ConsoleMessage>> {
        let command = SessionCommand {
            path: "se/log",
            body: json!({ "type": "browser" }),
        };
        let messages = self
            .client()
            .issue_cmd(command)
            .await
            .context("no console messages")?;
        serde_json::from_value(messages).context("console messages of another form than expected")
    }

    /// The errors among them.
    pub async fn console_errors(&self) -> Result<Vec<ConsoleMessage>> {
        let mut messages = self.console().await?;
        messages.retain(|message| message.level == "SEVERE");
        Ok(messages)
    }
}

/// A command of chromedriver that WebDriver does not know: a POST to the session.
#[derive(Debug)]
pub(super) struct SessionCommand {
    pub(super) path: &'static str,
    pub(super) body: Value,
}

impl WebDriverCompatibleCommand for SessionCommand {
    fn endpoint(&self, base_url: &url::Url, session_id: Option<&str>) -> Result<url::Url, url::ParseError> {
        base_url.join(&format!(
            "session/{}/{}",
            session_id.unwrap_or_default(),
            self.path
        ))
    }

    fn method_and_body(&self, _: &url::Url) -> (Method, Option<String>) {
        (Method::POST, Some(self.body.to_string()))
    }
}
