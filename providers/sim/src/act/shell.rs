//! `shell`: shows the command, and runs nothing. A simulated server has no programs.

use clawd_model::{Change, OperationSpec, StepError};
use clawd_provider::contract::read_input;
use clawd_provider::contract::shell::{Input, Output, spec};
use serde_json::{Value, json};

use super::{Act, Moment, invalid, to_output};
use crate::world::{File, World};

pub(super) struct Shell;

impl Act for Shell {
    fn spec(&self) -> OperationSpec {
        spec()
    }

    fn foresee(&self, world: &World, input: &Value) -> Result<Change, StepError> {
        let input = read(input)?;
        let exists = input
            .creates
            .as_ref()
            .is_some_and(|path| world.files.contains_key(path));
        let command = words(&input.argv);
        let summary = match (&input.creates, &input.unless) {
            (Some(path), _) if exists => format!("{path} exists"),
            (_, None) => format!("run {command}"),
            // As on real hosts, where asking it would run a command before anybody has voted.
            (_, Some(_)) => {
                format!("run {command}; cannot be predicted: `unless` is asked when the step runs")
            }
        };
        let mut diff = String::new();
        if !exists {
            diff.push_str(&format!("~ {command} (simulated: not executed)\n"));
            if let Some(unless) = &input.unless {
                diff.push_str(&format!("? unless {}\n", words(unless)));
            }
        }
        Ok(Change {
            needed: !exists,
            summary,
            diff,
            basis: json!({"argv": input.argv, "creates": input.creates, "exists": exists, "unless": input.unless}),
        })
    }

    fn transcript(&self, _world: &World, input: &Value) -> Vec<String> {
        read(input)
            .map(|input| vec![format!("not executed: {}", words(&input.argv))])
            .unwrap_or_default()
    }

    fn perform(&self, world: &mut World, input: &Value, moment: &Moment) -> Result<Value, StepError> {
        let input = read(input)?;
        let mut stdout = String::new();
        if moment.needed {
            stdout = format!("[simulated] not executed: {}\n", words(&input.argv));
            if let Some(path) = input.creates {
                world.files.insert(path, made_by_command());
            }
        }
        to_output(&Output {
            exit_code: 0,
            stdout,
            stderr: String::new(),
        })
    }

    fn verify(&self, _world: &World, _input: &Value, _output: &Value) -> Result<(), StepError> {
        Ok(())
    }
}

fn read(input: &Value) -> Result<Input, StepError> {
    let input: Input = read_input(input)?;
    if input.argv.is_empty() {
        return Err(invalid("`argv` is empty"));
    }
    Ok(input)
}

fn words(argv: &[String]) -> String {
    json!(argv).to_string()
}

fn made_by_command() -> File {
    File {
        content: String::new(),
        mode: "0644".to_owned(),
        owner: "root".to_owned(),
        group: "root".to_owned(),
    }
}
