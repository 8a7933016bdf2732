//! Does what an expression names exist, and does it have a value there? Each reference is checked against the
//! document, the graph of jobs and the outputs of operations.

use serde_json::Value;

use super::compiler::{Compiler, Lanes, Output, Place};
use crate::codes::{self, Code};
use crate::expression::{Fault, Reference, Root};
use crate::suggest;

type Type = Option<&'static str>;

/// What a lane freezes of its server. Facts are not among it: they change while a run goes on, and a step that reads
/// them says at which moment.
const SERVER: [(&str, Type); 3] = [
    ("name", Some("string")),
    ("env", Some("string")),
    ("labels", Some("object")),
];
const RUN: [(&str, Type); 3] = [
    ("id", Some("string")),
    ("requester", Some("string")),
    ("runbook", Some("string")),
];

impl Compiler<'_> {
    /// The type of what a reference stands for, if it is known; or what is wrong with it.
    pub(super) fn check_reference(&self, reference: &Reference, place: &Place) -> Result<Type, Box<Fault>> {
        match &reference.root {
            Root::Inputs => self.input(reference),
            Root::Step(step) => self.step(reference, step, place),
            Root::JobStep { job, step } => {
                let job = self.job(reference, job, place)?;
                self.output_of(reference, job, step)
            }
            Root::JobOutput { job, output, .. } => self.job_output(reference, job, output, place),
            Root::Server => match place.job.map(|job| self.lanes(job)) {
                Some(Lanes::Servers | Lanes::Unknown) if place.in_lane => fields(reference, &SERVER),
                _ => Err(not_here(reference, "there is no server here", server_hint(place))),
            },
            Root::Run => fields(reference, &RUN),
            Root::Secret(_) if place.secrets => Ok(Some("string")),
            Root::Secret(_) => {
                let hint = "secrets are passed on in the `with` of a step".to_owned();
                let message = format!("`{}` cannot be used here", reference.key);
                Err(fault(reference, &codes::SECRET_MISUSE, message, Some(hint)))
            }
        }
    }

    fn input(&self, reference: &Reference) -> Result<Type, Box<Fault>> {
        let field = reference.path.first().or(reference.index.as_ref());
        let Some(name) = field else {
            self.use_all_inputs();
            return Ok(Some("object"));
        };
        let declared = &self.runbook.inputs;
        let Some(input) = declared.iter().find(|input| input.spec.name == *name) else {
            if !self.runbook.inputs_are_whole {
                return Ok(None);
            }
            let hint = suggest::hint(name, declared.iter().map(|input| input.spec.name.as_str()));
            let hint = hint.or_else(|| Some("declare it under `inputs`".to_owned()));
            let message = format!("there is no input `{name}`");
            return Err(fault(reference, &codes::UNKNOWN_INPUT, message, hint));
        };
        self.use_input(name);
        if let [_, part, ..] = reference.path.as_slice() {
            let message = format!(
                "the input `{name}` is of type `{}`: it has no `{part}`",
                input.spec.kind.as_str()
            );
            return Err(fault(reference, &codes::UNKNOWN_INPUT, message, None));
        }
        Ok(if reference.index.is_some() {
            None
        } else {
            Some(input.spec.kind.json_type())
        })
    }

    fn step(&self, reference: &Reference, step: &str, place: &Place) -> Result<Type, Box<Fault>> {
        let Some(job) = place.job.filter(|_| place.in_lane) else {
            return Err(not_here(reference, "no step has run here", server_hint(place)));
        };
        let names = self.names.get(job).map(Vec::as_slice).unwrap_or_default();
        let index = names.iter().position(|name| name.as_str() == step);
        match index {
            Some(index) if index < place.steps_before => self.output_of(reference, job, step),
            Some(_) => {
                let message = format!("the step `{step}` has not run yet");
                let hint = "only earlier steps of the job have outputs".to_owned();
                Err(fault(reference, &codes::UNKNOWN_STEP, message, Some(hint)))
            }
            None => {
                let before = names
                    .iter()
                    .take(place.steps_before)
                    .map(clawd_model::StepName::as_str);
                let hint = suggest::hint(step, before);
                let hint = hint.or_else(|| Some("this is the first step of the job".to_owned()));
                let message = format!("the job has no step `{step}`");
                Err(fault(reference, &codes::UNKNOWN_STEP, message, hint))
            }
        }
    }

    /// Another job whose steps have values here.
    fn job(&self, reference: &Reference, name: &str, place: &Place) -> Result<usize, Box<Fault>> {
        let Some(own) = place.job else {
            return Err(not_here(
                reference,
                "no job has run here",
                "only `inputs` and `run` have values".to_owned(),
            ));
        };
        let Some(job) = self.job_index(name) else {
            let all = self.runbook.jobs.iter().map(|job| job.name.value.as_str());
            let message = format!("there is no job `{name}`");
            return Err(fault(
                reference,
                &codes::UNREACHABLE_JOB,
                message,
                suggest::hint(name, all),
            ));
        };
        if job == own {
            let hint = format!(
                "write `steps.{}`",
                reference.key.splitn(3, '.').nth(2).unwrap_or("<step>")
            );
            let message = format!("`{name}` is this very job");
            return Err(fault(reference, &codes::UNREACHABLE_JOB, message, Some(hint)));
        }
        if !self
            .graph
            .ancestors
            .get(own)
            .is_some_and(|ancestors| ancestors.contains(&job))
        {
            let own = self
                .runbook
                .jobs
                .get(own)
                .map_or("", |job| job.name.value.as_str());
            let message = format!("job `{own}` does not need `{name}`, which may run after it");
            return Err(fault(
                reference,
                &codes::UNREACHABLE_JOB,
                message,
                Some(format!("add `needs: [{name}]`")),
            ));
        }
        let has_server = place.in_lane && self.lanes(own) != Lanes::Controller;
        if self.lanes(job) == Lanes::Servers && !has_server {
            let what = format!("`{name}` has a value for each server");
            let hint = if place.in_lane {
                "a job of the controller has no server to choose by".to_owned()
            } else {
                "put the condition on the steps, which run per server".to_owned()
            };
            return Err(not_here(reference, &what, hint));
        }
        Ok(job)
    }

    fn job_output(
        &self,
        reference: &Reference,
        job: &str,
        output: &str,
        place: &Place,
    ) -> Result<Type, Box<Fault>> {
        if !place.outputs && place.job.is_some() {
            let hint = "use the step itself: `jobs.<job>.<step>.<output>`".to_owned();
            return Err(not_here(
                reference,
                "an output cannot use the outputs of other jobs",
                hint,
            ));
        }
        let index = self.job(reference, job, place)?;
        if let Some(Output { known, .. }) = self.output(index, output) {
            return Ok(if reference.path.is_empty() { known } else { None });
        }
        let declared = self
            .runbook
            .jobs
            .get(index)
            .map(|job| job.outputs.as_slice())
            .unwrap_or_default();
        if declared.iter().any(|(name, _)| name.value == output) {
            // It is there, and something about it was reported.
            return Ok(None);
        }
        let hint = suggest::hint(output, declared.iter().map(|(name, _)| name.value.as_str()));
        let hint = hint.or_else(|| Some("declare it under `outputs` of that job".to_owned()));
        let message = format!("the job `{job}` declares no output `{output}`");
        Err(fault(reference, &codes::UNKNOWN_OUTPUT, message, hint))
    }

    /// The type of an output of a step that is known to exist in a job.
    fn output_of(&self, reference: &Reference, job: usize, step: &str) -> Result<Type, Box<Fault>> {
        let names = self.names.get(job).map(Vec::as_slice).unwrap_or_default();
        let Some(index) = names.iter().position(|name| name.as_str() == step) else {
            let hint = suggest::hint(step, names.iter().map(clawd_model::StepName::as_str));
            let job = self
                .runbook
                .jobs
                .get(job)
                .map_or("", |job| job.name.value.as_str());
            let message = format!("the job `{job}` has no step `{step}`");
            return Err(fault(reference, &codes::UNKNOWN_STEP, message, hint));
        };
        let step = self.runbook.jobs.get(job).and_then(|job| job.steps.get(index));
        let uses = step.and_then(|step| step.uses.as_ref());
        match uses.and_then(|uses| self.specs.get(&uses.value)) {
            Some(spec) => select(&spec.output, reference, spec.name.as_str()),
            // An unknown operation was reported where it stands.
            None => Ok(None),
        }
    }
}

/// Follows the fields of a reference through a schema.
fn select(schema: &Value, reference: &Reference, operation: &str) -> Result<Type, Box<Fault>> {
    let mut at = schema;
    for field in &reference.path {
        let properties = at.get("properties").and_then(Value::as_object);
        if let Some(found) = properties.and_then(|properties| properties.get(field)) {
            at = found;
            continue;
        }
        let kind = at.get("type").and_then(Value::as_str);
        let is_closed = at.get("additionalProperties") == Some(&Value::Bool(false));
        if kind.is_none_or(|kind| kind == "object") && !is_closed {
            return Ok(None);
        }
        let hint = match properties {
            Some(properties) => suggest::hint(field, properties.keys().map(String::as_str)),
            None if kind == Some("array") => Some("pick an item by its index: `[0]`".to_owned()),
            None => None,
        };
        let message = format!("`{operation}` gives no `{}`", reference.path.join("."));
        return Err(fault(reference, &codes::UNKNOWN_OUTPUT, message, hint));
    }
    Ok(if reference.tested { None } else { type_word(at) })
}

fn type_word(schema: &Value) -> Type {
    const WORDS: [&str; 6] = ["string", "integer", "number", "boolean", "array", "object"];
    let word = schema.get("type").and_then(Value::as_str)?;
    WORDS.into_iter().find(|known| *known == word)
}

fn fields(reference: &Reference, known: &[(&str, Type)]) -> Result<Type, Box<Fault>> {
    let Some(field) = reference.path.first() else {
        return Ok(Some("object"));
    };
    match known.iter().find(|(name, _)| name == field) {
        Some((_, kind)) if reference.path.len() == 1 => Ok(*kind),
        Some((_, Some("object"))) => Ok(None),
        _ => {
            let hint = match field.as_str() {
                "facts" => Some("read them in a step: `{id: facts, uses: host.facts@v1}`".to_owned()),
                _ => suggest::hint(field, known.iter().map(|(name, _)| *name)),
            };
            let message = format!("there is no variable `{}`", reference.key);
            Err(fault(reference, &codes::UNKNOWN_VARIABLE, message, hint))
        }
    }
}

fn server_hint(place: &Place) -> String {
    if place.job.is_none() {
        "only `inputs` and `run` have values".to_owned()
    } else if place.in_lane {
        "the job works from the controller".to_owned()
    } else {
        "put the condition on the steps, which run per server".to_owned()
    }
}

fn not_here(reference: &Reference, why: &str, hint: String) -> Box<Fault> {
    let message = format!("`{}` has no value here: {why}", reference.key);
    fault(reference, &codes::NOT_HERE, message, Some(hint))
}

fn fault(reference: &Reference, code: &'static Code, message: String, hint: Option<String>) -> Box<Fault> {
    let range = reference.offset..reference.offset + reference.key.len();
    Box::new(Fault {
        code,
        message,
        hint,
        range,
    })
}
