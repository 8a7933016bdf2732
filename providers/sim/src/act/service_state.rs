//! `service.state`: starts, stops, restarts or enables a service.

use clawd_model::{Change, OperationSpec, StepError};
use clawd_provider::contract::read_input;
use clawd_provider::contract::service_state::{Input, Output, State, spec};
use serde_json::{Value, json};

use super::{Act, Moment, invalid, not_seen, to_output};
use crate::world::{Service, World};

pub(super) struct ServiceState;

impl Act for ServiceState {
    fn spec(&self) -> OperationSpec {
        spec()
    }

    fn foresee(&self, world: &World, input: &Value) -> Result<Change, StepError> {
        let input: Input = read_input(input)?;
        let name = bare(&input.name);
        let service = find(world, name)?;
        let mut done = Vec::new();
        match (input.state, service.active) {
            (State::Running, false) => done.push("started"),
            (State::Stopped, true) => done.push("stopped"),
            (State::Restarted, _) => done.push("restarted"),
            (State::Running, true) | (State::Stopped, false) => {}
        }
        match input.enabled {
            Some(true) if !service.enabled => done.push("enabled"),
            Some(false) if service.enabled => done.push("disabled"),
            _ => {}
        }
        let needed = !done.is_empty();
        Ok(Change {
            needed,
            summary: if needed {
                format!("{name} {}", done.join(" and "))
            } else {
                format!("{name} is as wanted")
            },
            diff: done.iter().map(|done| format!("~ {name} {done}\n")).collect(),
            basis: json!({
                "service": name, "active": service.active, "enabled": service.enabled,
                "restarts": service.restarts, "state": input.state, "wanted_enabled": input.enabled,
            }),
        })
    }

    fn transcript(&self, _world: &World, input: &Value) -> Vec<String> {
        let Ok(input) = read_input::<Input>(input) else {
            return Vec::new();
        };
        let name = bare(&input.name);
        let verb = match input.state {
            State::Running => "start",
            State::Stopped => "stop",
            State::Restarted => "restart",
        };
        vec![format!("systemctl {verb} {name}.service")]
    }

    fn perform(&self, world: &mut World, input: &Value, moment: &Moment) -> Result<Value, StepError> {
        let input: Input = read_input(input)?;
        let name = bare(&input.name);
        let service = world.services.get_mut(name).ok_or_else(|| unknown(name))?;
        if moment.needed {
            service.active = input.state != State::Stopped;
            if input.state == State::Restarted {
                service.restarts += 1;
            }
            service.enabled = input.enabled.unwrap_or(service.enabled);
        }
        to_output(&Output {
            active: service.active,
            enabled: service.enabled,
        })
    }

    fn verify(&self, world: &World, input: &Value, _output: &Value) -> Result<(), StepError> {
        let input: Input = read_input(input)?;
        let name = bare(&input.name);
        let service = find(world, name)?;
        if service.active == (input.state == State::Stopped) {
            let seen = if service.active { "runs" } else { "does not run" };
            return Err(not_seen(format!("`{name}` {seen}")));
        }
        if input.enabled.is_some_and(|wanted| wanted != service.enabled) {
            return Err(not_seen(format!("`{name}` is not enabled as wanted")));
        }
        Ok(())
    }
}

fn bare(name: &str) -> &str {
    name.strip_suffix(".service").unwrap_or(name)
}

fn find<'a>(world: &'a World, name: &str) -> Result<&'a Service, StepError> {
    world.services.get(name).ok_or_else(|| {
        let known: Vec<&str> = world.services.keys().map(String::as_str).collect();
        unknown(name).with_hint(format!("the server has {}", known.join(", ")))
    })
}

fn unknown(name: &str) -> StepError {
    invalid(format!("there is no service `{name}`"))
}
