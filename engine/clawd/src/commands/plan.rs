//! `clawd plan`: what a run would change.

use std::path::PathBuf;

use clap::Args;
use clawd_model::RunbookName;
use clawd_model::api::MakePlan;
use serde_json::{Map, Value};

use crate::cli::Globals;
use crate::connect::{client, failure};
use crate::exit::{Exit, Failure, Outcome};
use crate::files;
use crate::render;

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
        let changes = plan.plan.has_changes();
        render::print(globals.output, &plan, render::plan::print)?;
        if changes {
            eprintln!(
                "start it with: clawd run start {} --plan {}",
                self.runbook, plan.digest
            );
        } else if plan.summary.errors > 0 {
            eprintln!("some steps could not be predicted; see above");
        } else {
            eprintln!("nothing to change");
        }
        Ok(if changes { Exit::Changes } else { Exit::Ok })
    }
}
