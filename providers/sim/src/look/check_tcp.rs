//! `check.tcp`: the server's own ports.

use clawd_model::{DurationMs, ErrorKind, OperationSpec, StepError, Timestamp};
use clawd_provider::contract::check_tcp::{Input, Output, spec};
use clawd_provider::contract::read_input;
use serde_json::Value;

use super::{Look, USUAL_PATIENCE, duration, to_output};
use crate::world::World;

pub(super) struct CheckTcp;

/// What connecting would take: it is not measured.
const ELAPSED_MS: u64 = 1;

impl Look for CheckTcp {
    fn spec(&self) -> OperationSpec {
        spec()
    }

    fn understands(&self, input: &Value) -> Result<(), StepError> {
        read(input).map(drop)
    }

    fn is_plannable(&self) -> bool {
        false
    }

    fn see(&self, world: &World, input: &Value, now: Timestamp) -> Result<Value, StepError> {
        let port = read(input)?.port;
        if world.listener(port, now).is_none() {
            let message = format!("[simulated] `{}:{port}` refuses connections", world.hostname);
            return Err(StepError::new(ErrorKind::Connection, message));
        }
        to_output(&Output {
            elapsed_ms: ELAPSED_MS,
        })
    }

    fn patience(&self, input: &Value) -> DurationMs {
        let within = read(input).ok().and_then(|input| input.within);
        let within = within.and_then(|text| DurationMs::parse(&text));
        within.unwrap_or(USUAL_PATIENCE)
    }

    fn words(&self, input: &Value, _output: &Value) -> Vec<String> {
        read(input)
            .map(|input| vec![format!("port {} accepts connections", input.port)])
            .unwrap_or_default()
    }
}

fn read(input: &Value) -> Result<Input, StepError> {
    let input: Input = read_input(input)?;
    duration("within", input.within.as_deref())?;
    if input.host.is_some() {
        let message = "a simulated server answers for itself only, not for another `host`";
        return Err(StepError::new(ErrorKind::InvalidInput, message)
            .with_hint("leave `host` out, or ask it in a job with `targets: controller`"));
    }
    Ok(input)
}
