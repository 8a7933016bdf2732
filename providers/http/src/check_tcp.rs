//! `check.tcp`: expects a listening port.

use async_trait::async_trait;
use clawd_model::{DurationMs, ErrorKind, OperationSpec, StepError};
use clawd_provider::contract::check_tcp::{Input, Output, spec};
use clawd_provider::contract::read_input;
use clawd_provider::egress::{Guard, Reach, ResolveError};
use clawd_provider::{Applied, Checked, Context, Operation, ProviderError};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::time::Instant;

use crate::Settings;
use crate::target::{USUAL_WITHIN, duration, invalid, lane_host, reach_of};
use crate::until::{Patience, Unmet, note, until};

/// Expects a listening port.
pub struct CheckTcp {
    spec: OperationSpec,
    settings: Settings,
}

struct Place {
    host: String,
    port: u16,
    reach: Reach,
}

impl CheckTcp {
    /// The operation under these settings.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        Self {
            spec: spec(),
            settings,
        }
    }

    fn read(&self, context: &Context, input: &Value) -> Result<(Place, Patience), StepError> {
        let input: Input = read_input(input)?;
        let host = match input.host {
            Some(host) => host,
            None => lane_host(context)?,
        };
        if input.port == 0 {
            return Err(invalid("`port` is 0"));
        }
        let patience = Patience {
            within: duration("within", input.within.as_deref())?.unwrap_or(USUAL_WITHIN),
            ok_for: DurationMs(0),
            interval: self.settings.interval,
        };
        let place = Place {
            reach: reach_of(context, &host),
            host,
            port: input.port,
        };
        Ok((place, patience))
    }
}

#[async_trait]
impl Operation for CheckTcp {
    fn spec(&self) -> &OperationSpec {
        &self.spec
    }

    async fn check(&self, context: &Context, input: &Value) -> Result<Checked, ProviderError> {
        self.read(context, input)?;
        Ok(Checked::Unpredictable)
    }

    async fn apply(&self, context: &Context, input: &Value) -> Result<Applied, ProviderError> {
        let (place, patience) = self.read(context, input)?;
        let look = || connect(&self.settings.guard, &place, self.settings.look_timeout);
        let elapsed = until(context, patience, look).await?;
        note(
            context,
            &format!("{}:{} accepts connections", place.host, place.port),
        );
        let output = Output {
            elapsed_ms: elapsed.0,
        };
        Ok(Applied {
            output: json!(output),
            changed: false,
        })
    }
}

/// Connects once, and closes the connection again.
async fn connect(guard: &Guard, place: &Place, limit: DurationMs) -> Result<DurationMs, Unmet> {
    let Place { host, port, reach } = place;
    let unmet = |kind, what: String| Unmet::Yet(StepError::new(kind, format!("`{host}:{port}` {what}")));
    let attempt = async {
        let addresses = guard
            .resolve(host, *port, *reach)
            .await
            .map_err(|error| match error {
                ResolveError::Refused(refused) => {
                    Unmet::Ever(invalid(refused.to_string()).with_hint(refused.hint()))
                }
                other => Unmet::Yet(StepError::new(ErrorKind::Connection, other.to_string())),
            })?;
        let began = Instant::now();
        TcpStream::connect(addresses.as_slice())
            .await
            .map_err(|error| unmet(ErrorKind::Connection, format!("cannot be connected to: {error}")))?;
        Ok(DurationMs(
            u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX),
        ))
    };
    match tokio::time::timeout(limit.to_std(), attempt).await {
        Ok(result) => result,
        Err(_) => Err(unmet(ErrorKind::Timeout, format!("did not answer in {limit}"))),
    }
}
