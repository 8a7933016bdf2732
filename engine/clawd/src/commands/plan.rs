//! `clawd plan`: what a run would change.

use std::path::PathBuf;

use clap::Args;
use clawd_model::RunbookName;
use clawd_model::api::{MakePlan, PlanView};
use clawd_model::product::BINARY;
use serde_json::{Map, Value};

use crate::cli::Globals;
use crate::commands::runbook::specs;
use crate::connect::{client, failure};
use crate::exit::{Exit, Failure, Outcome};
use crate::files;
use crate::render::plan::Known;
use crate::render::simulated::Simulated;
use crate::render::{self, counted};

/// Which runbook, on what, with which inputs.
#[derive(Clone, Debug, Args)]
pub(crate) struct What {
    /// Servers, in place of the runbook's own targets: `role=web,env=prod`, or a name: `name=web-1`.
    #[arg(long, value_name = "SELECTOR")]
    pub(crate) on: Option<String>,
    /// An input, `name=value`; may be given several times. Values that are JSON are read as JSON.
    #[arg(long = "input", short = 'i', value_name = "NAME=VALUE")]
    pub(crate) inputs: Vec<String>,
    /// A JSON file with inputs.
    #[arg(long, value_name = "FILE")]
    pub(crate) inputs_file: Option<PathBuf>,
}

impl What {
    /// The request for a plan.
    pub(crate) fn request(&self) -> Result<MakePlan, Failure> {
        let mut inputs = match &self.inputs_file {
            Some(path) => {
                let text = files::read("file of inputs", path)?;
                serde_json::from_str::<Map<String, Value>>(&text).map_err(|error| {
                    Failure::usage(format!("`{}` is not a JSON object: {error}", path.display()))
                })?
            }
            None => Map::new(),
        };
        for pair in &self.inputs {
            let (name, text) = pair.split_once('=').ok_or_else(|| {
                Failure::usage(format!("`{pair}` is not an input")).with_hint("write NAME=VALUE")
            })?;
            let value = serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.to_owned()));
            inputs.insert(name.to_owned(), value);
        }
        let inputs = if inputs.is_empty() {
            Value::Null
        } else {
            Value::Object(inputs)
        };
        Ok(MakePlan {
            inputs,
            on: self.on.clone(),
        })
    }
}

/// Show what a run would change on which server, and what the policies say.
#[derive(Debug, Args)]
pub(crate) struct PlanArgs {
    /// Which runbook.
    runbook: RunbookName,
    #[command(flatten)]
    what: What,
}

impl PlanArgs {
    pub(crate) async fn run(self, globals: &Globals) -> Outcome {
        let client = client(globals)?;
        let plan = client
            .plan(&self.runbook, &self.what.request()?, None)
            .await
            .map_err(failure)?;
        let known = Known {
            specs: specs(),
            simulated: Simulated::ask(&client).await,
        };
        render::print(globals.output, &plan, |plan| render::plan::print(plan, &known))?;
        conclude(&plan);
        Ok(exit_of(&plan))
    }
}

/// What follows from the plan, in words: for people only, hence on standard error.
fn conclude(view: &PlanView) {
    let summary = &view.summary;
    if summary.errors > 0 {
        eprintln!(
            "{} could not be predicted; see above",
            counted(summary.errors.into(), "step")
        );
    }
    if summary.denied > 0 {
        eprintln!(
            "{} will not pass the gate; see above",
            counted(summary.denied.into(), "step")
        );
    }
    if view.plan.has_changes() {
        eprintln!(
            "start it with: {BINARY} run start {} --plan {}",
            view.plan.runbook, view.digest
        );
    } else if summary.errors == 0 && summary.denied == 0 {
        eprintln!("nothing to change");
    }
}

/// Changes come first: they say that there is something to start. A plan without any is judged by what went wrong.
fn exit_of(view: &PlanView) -> Exit {
    if view.plan.has_changes() {
        return Exit::Changes;
    }
    let errors = view.plan.steps.iter().filter_map(|step| step.error.as_ref());
    if let Some(exit) = Exit::of_errors(errors) {
        return exit;
    }
    if view.summary.denied > 0 {
        return Exit::Denied;
    }
    Exit::Ok
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// A plan of these steps, as the API gives it.
    fn view(steps: &[Value], denied: u32) -> PlanView {
        let (digest, at) = (format!("sha256:{}", "0".repeat(64)), 1_793_491_200_000_i64);
        let steps = steps.iter().map(|step| {
            let mut whole = json!({
                "ref": {"job": 0, "lane": 0, "step": 0}, "step": "one", "job": "work", "target": {"name": "web-1"},
                "uses": "file.write@v1", "will_run": {"is": "yes"},
            });
            let fields = step.as_object().unwrap().clone();
            whole.as_object_mut().unwrap().extend(fields);
            whole
        });
        let plan = json!({
            "tenant": "main", "runbook": "write-file", "workflow": digest, "inputs": {}, "requester": "ana", "at": at,
            "jobs": [], "steps": steps.collect::<Vec<Value>>(),
        });
        let summary = json!({
            "servers": 1, "changes": 0, "depends": 0, "errors": 0, "allowed": 0, "needs_approval": 0, "denied": denied,
        });
        let view = json!({"digest": digest, "expires_at": at, "summary": summary, "plan": plan});
        serde_json::from_value(view).unwrap()
    }

    #[test]
    fn a_plan_is_told_to_scripts_by_what_can_be_done_with_it() {
        let change = json!({"change": {"needed": true, "summary": "1 file", "basis": {}}});
        let same = json!({"change": {"needed": false, "summary": "as wanted", "basis": {}}});
        let error = |kind: &str| json!({"error": {"kind": kind, "message": "no"}});
        let cases = [
            (vec![], 0, Exit::Ok),
            (vec![same.clone()], 0, Exit::Ok),
            (vec![same.clone()], 1, Exit::Denied),
            (vec![change.clone()], 0, Exit::Changes),
            (vec![change.clone(), error("connection")], 1, Exit::Changes),
            (vec![error("connection"), error("host-key")], 0, Exit::Unreachable),
            (vec![error("connection"), error("permission")], 0, Exit::Failed),
            (vec![error("permission"), same], 3, Exit::Failed),
        ];
        for (steps, denied, expected) in cases {
            assert_eq!(
                exit_of(&view(&steps, denied)),
                expected,
                "{steps:?} with {denied} denied"
            );
        }
    }
}
