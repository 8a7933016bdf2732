//! `check.http`: the server answers for itself, since it has no address that anybody could ask.

use clawd_model::{DurationMs, ErrorKind, OperationSpec, StepError, Timestamp};
use clawd_provider::contract::check_http::{Input, Output, spec};
use clawd_provider::contract::read_input;
use serde_json::Value;

use super::{Look, USUAL_PATIENCE, duration, to_output};
use crate::world::World;

pub(super) struct CheckHttp;

/// What an answer would take: it is not measured.
const ELAPSED_MS: u64 = 3;

impl Look for CheckHttp {
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
        let (input, path) = read(input)?;
        let port = input.port.unwrap_or(80);
        let place = format!("http://{}:{port}{path}", world.hostname);
        let Some(service) = world
            .listener(port, now)
            .filter(|service| !service.pages.is_empty())
        else {
            let message = format!("[simulated] `{place}` refuses connections");
            return Err(StepError::new(ErrorKind::Connection, message));
        };
        let page = service.pages.get(&path);
        let status = if page.is_some() { 200 } else { 404 };
        let wanted = input
            .status
            .map_or((200..300).contains(&status), |wanted| wanted == status);
        if !wanted {
            let message = format!("[simulated] `{place}` answered {status}");
            return Err(StepError::new(ErrorKind::NotVerified, message));
        }
        let body = page.map_or("", String::as_str);
        if let Some(text) = input.contains.filter(|text| !body.contains(text.as_str())) {
            let message = format!("[simulated] the answer of `{place}` does not hold `{text}`");
            return Err(StepError::new(ErrorKind::NotVerified, message));
        }
        to_output(&Output {
            status,
            elapsed_ms: ELAPSED_MS,
        })
    }

    fn patience(&self, input: &Value) -> DurationMs {
        let within = read(input).ok().and_then(|(input, _)| input.within);
        let within = within.and_then(|text| DurationMs::parse(&text));
        within.unwrap_or(USUAL_PATIENCE)
    }

    fn words(&self, input: &Value, output: &Value) -> Vec<String> {
        let (Ok((input, path)), Ok(output)) = (read(input), read_input::<Output>(output)) else {
            return Vec::new();
        };
        let mut lines = vec![format!("GET {path}: {}", output.status)];
        if let Some(ok_for) = input.ok_for {
            lines.push(format!("holds for {ok_for}, without waiting for it"));
        }
        lines
    }
}

/// The input and the path that is asked for.
fn read(input: &Value) -> Result<(Input, String), StepError> {
    let input: Input = read_input(input)?;
    duration("ok_for", input.ok_for.as_deref())?;
    duration("within", input.within.as_deref())?;
    let invalid = |message: &str| StepError::new(ErrorKind::InvalidInput, message);
    if input.url.is_some() {
        return Err(
            invalid("a simulated server answers for itself only, not for a `url`")
                .with_hint("use `path`, or ask the URL in a job with `targets: controller`"),
        );
    }
    let Some(path) = input.path.clone() else {
        return Err(invalid("neither `url` nor `path` is given"));
    };
    if !path.starts_with('/') {
        return Err(invalid("`path` does not begin with `/`"));
    }
    Ok((input, path))
}
