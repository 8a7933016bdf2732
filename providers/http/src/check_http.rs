//! `check.http`: expects an answer over HTTP.

use async_trait::async_trait;
use clawd_model::{DurationMs, OperationSpec, StepError};
use clawd_provider::contract::check_http::{Input, Output, spec};
use clawd_provider::contract::read_input;
use clawd_provider::{Applied, Checked, Context, Operation, ProviderError};
use reqwest::Url;
use serde_json::{Value, json};

use crate::Settings;
use crate::ask::{Question, ask, shown};
use crate::client::{ClientError, Clients};
use crate::target::{USUAL_WITHIN, duration, invalid, lane_host, reach_of};
use crate::until::{Patience, note, until};

/// Expects an answer over HTTP.
pub struct CheckHttp {
    spec: OperationSpec,
    settings: Settings,
    clients: Clients,
}

impl CheckHttp {
    /// The operation under these settings. The process must have a TLS crypto provider installed.
    ///
    /// # Errors
    /// When the HTTP client cannot be made.
    pub fn new(settings: Settings) -> Result<Self, ClientError> {
        Ok(Self {
            spec: spec(),
            clients: Clients::new(&settings.guard)?,
            settings,
        })
    }

    fn read(&self, context: &Context, input: &Value) -> Result<(Question, Patience), StepError> {
        let input: Input = read_input(input)?;
        let patience = Patience {
            within: duration("within", input.within.as_deref())?.unwrap_or(USUAL_WITHIN),
            ok_for: duration("ok_for", input.ok_for.as_deref())?.unwrap_or(DurationMs(0)),
            interval: self.settings.interval,
        };
        let url = url(context, &input)?;
        let host = url.host_str().unwrap_or_default();
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        let question = Question {
            reach: reach_of(context, bare),
            url,
            status: input.status,
            contains: input.contains,
        };
        Ok((question, patience))
    }
}

#[async_trait]
impl Operation for CheckHttp {
    fn spec(&self) -> &OperationSpec {
        &self.spec
    }

    async fn check(&self, context: &Context, input: &Value) -> Result<Checked, ProviderError> {
        self.read(context, input)?;
        Ok(Checked::Unpredictable)
    }

    async fn apply(&self, context: &Context, input: &Value) -> Result<Applied, ProviderError> {
        let (question, patience) = self.read(context, input)?;
        let look = || {
            ask(
                &self.clients,
                &self.settings.guard,
                &question,
                self.settings.look_timeout,
            )
        };
        let answer = until(context, patience, look).await?;
        note(
            context,
            &format!("{} answered {}", shown(&question.url), answer.status),
        );
        let output = Output {
            status: answer.status,
            elapsed_ms: answer.elapsed.0,
        };
        Ok(Applied {
            output: json!(output),
            changed: false,
        })
    }
}

/// The URL that is given, or that of the path on the lane's server.
fn url(context: &Context, input: &Input) -> Result<Url, StepError> {
    let url = match (&input.url, &input.path) {
        (Some(_), Some(_)) => {
            return Err(invalid("both `url` and `path` are given").with_hint("give one of them"));
        }
        (None, None) => {
            return Err(invalid("neither `url` nor `path` is given").with_hint("give one of them"));
        }
        (Some(url), None) => {
            if input.port.is_some() {
                return Err(
                    invalid("`port` goes with `path` only").with_hint("write the port into the `url`")
                );
            }
            // The text may hold a secret, so the message does not show it.
            Url::parse(url).map_err(|error| invalid(format!("`url` is not a URL: {error}")))?
        }
        (None, Some(path)) => own_url(&lane_host(context)?, input.port, path)?,
    };
    if !matches!(url.scheme(), "http" | "https") {
        return Err(invalid(format!(
            "`{}` is not a scheme of `url`: expected http or https",
            url.scheme()
        )));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(invalid("`url` holds a user or a password").with_hint("a check asks as anybody would"));
    }
    Ok(url)
}

fn own_url(host: &str, port: Option<u16>, path: &str) -> Result<Url, StepError> {
    if !path.starts_with('/') {
        return Err(invalid(format!(
            "`path` is `{path}`, which does not begin with `/`"
        )));
    }
    let host = if host.contains(':') {
        format!("[{host}]")
    } else {
        host.to_owned()
    };
    Url::parse(&format!("http://{host}:{}{path}", port.unwrap_or(80)))
        .map_err(|error| invalid(format!("`{path}` on `{host}` is not a URL: {error}")))
}
