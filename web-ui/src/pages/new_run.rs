//! Asking for a run: the form, and the plan that comes of it.

use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect};
use clawd_control::{
    Class, Explained, PlanCreate, RunbookOn, RunbookRead, ServerRead, list_runbooks, list_servers, plan_run,
    show_runbook,
};
use clawd_model::RunbookName;
use clawd_model::api::MakePlan;
use clawd_workflow::{InputKind, InputSpec, Targets, Workflow};
use serde_json::{Map, Value};

use super::workflow;
use crate::door::{Allowed, Answer, Failure, Sent, Visitor, Web, encoded, render, sentence};
use crate::view::fleet::ProviderTag;
use crate::view::new_run::{Field, InputField, Match, NewRunPage, RunbookChoice};
use crate::view::shell::Section;

/// What somebody has filled in so far.
#[derive(Clone, Debug, Default)]
struct Filled {
    runbook: String,
    on: String,
    /// Inputs by name, as texts.
    inputs: Vec<(String, String)>,
    /// The names of check boxes that were shown: one that was not sent is not ticked.
    flags: Vec<String>,
}

impl Filled {
    fn read<'a>(pairs: impl Iterator<Item = (&'a str, &'a str)>) -> Self {
        let mut filled = Self::default();
        for (name, value) in pairs {
            if let Some(input) = name.strip_prefix("input.") {
                filled.inputs.push((input.to_owned(), value.to_owned()));
            } else if let Some(flag) = name.strip_prefix("flag.") {
                filled.flags.push(flag.to_owned());
            } else if name == "runbook" {
                filled.runbook = value.trim().to_owned();
            } else if name == "on" {
                filled.on = value.trim().to_owned();
            }
        }
        filled
    }

    fn text(&self, input: &InputSpec) -> Option<String> {
        let sent = self.inputs.iter().find(|(name, _)| *name == input.name);
        match sent {
            Some((_, text)) => Some(text.clone()),
            None if self.flags.contains(&input.name) => Some("false".to_owned()),
            None => None,
        }
    }

    /// The value of an input; `None` when nothing was said, so that the default holds.
    fn value(&self, input: &InputSpec) -> Option<Result<Value, String>> {
        let text = self.text(input)?;
        match &input.kind {
            InputKind::List => {
                let items = text.lines().map(str::trim).filter(|line| !line.is_empty());
                Some(Ok(Value::Array(
                    items.map(|line| Value::String(line.to_owned())).collect(),
                )))
            }
            InputKind::Text => Some(input.read(&text).map_err(|problem| problem.message)),
            _ if text.trim().is_empty() => None,
            _ => Some(input.read(&text).map_err(|problem| problem.message)),
        }
    }
}

/// The form.
pub(crate) async fn form(
    State(web): State<Web>,
    Allowed { visitor, permit }: Allowed<RunbookRead>,
    Query(query): Query<Vec<(String, String)>>,
) -> Answer {
    let filled = Filled::read(query.iter().map(|(name, value)| (name.as_str(), value.as_str())));
    let page = page(&web, &visitor, &permit, &filled, Vec::new()).await?;
    render(&page)
}

async fn page(
    web: &Web,
    visitor: &Visitor,
    permit: &clawd_control::Permit<RunbookRead>,
    filled: &Filled,
    mut problems: Vec<String>,
) -> Result<NewRunPage, Failure> {
    let runbooks = list_runbooks(permit).await?.items;
    let known = runbooks
        .iter()
        .any(|runbook| runbook.name.as_str() == filled.runbook);
    let workflow = if known {
        chosen(web, visitor, &filled.runbook).await?
    } else {
        None
    };
    if !known && !filled.runbook.is_empty() {
        problems.push(format!("There is no runbook `{}`.", filled.runbook));
    }
    if known && workflow.is_none() {
        problems.push("This runbook does not fit the operations of this version.".to_owned());
    }
    let default_selector = workflow.as_ref().map(default_selector).unwrap_or_default();
    let wanted = if filled.on.is_empty() {
        &default_selector
    } else {
        &filled.on
    };
    let matches = match matches(web, visitor, wanted).await? {
        Ok(matches) => matches,
        Err(problem) => {
            problems.push(problem);
            Vec::new()
        }
    };
    Ok(NewRunPage {
        shell: web.shell(visitor, Section::Runs).await,
        runbooks: runbooks
            .iter()
            .map(|runbook| RunbookChoice {
                name: runbook.name.to_string(),
                description: runbook.description.clone(),
                href: format!("/runs/new?runbook={}&on={}", runbook.name, encoded(&filled.on)),
                chosen: runbook.name.as_str() == filled.runbook,
            })
            .collect(),
        chosen: known.then(|| filled.runbook.clone()),
        inputs: workflow
            .iter()
            .flat_map(|workflow| &workflow.inputs)
            .map(|input| field(input, filled))
            .collect(),
        selector: filled.on.clone(),
        default_selector,
        matches: if known { matches } else { Vec::new() },
        problems,
    })
}

async fn chosen(web: &Web, visitor: &Visitor, name: &str) -> Result<Option<Workflow>, Failure> {
    let name: RunbookName = name.parse().map_err(|_| Failure::no_such("runbook", name))?;
    let permit = web
        .app
        .permit_on::<RunbookRead, RunbookOn>(&visitor.caller, &name)
        .await
        .map_err(Failure::refused)?;
    Ok(workflow::of(&show_runbook(&permit)))
}

/// The selector of the runbook's own targets: that of its first job that works on servers.
fn default_selector(workflow: &Workflow) -> String {
    let selectors = workflow.jobs.iter().filter_map(|job| match &job.targets {
        Targets::Servers(selector) => Some(selector.to_string()),
        Targets::Controller => None,
    });
    selectors.into_iter().next().unwrap_or_default()
}

async fn matches(web: &Web, visitor: &Visitor, on: &str) -> Result<Result<Vec<Match>, String>, Failure> {
    if on.is_empty() || !visitor.may("server.read") {
        return Ok(Ok(Vec::new()));
    }
    let permit = web
        .app
        .permit::<ServerRead>(&visitor.caller)
        .await
        .map_err(Failure::refused)?;
    match list_servers(&permit, Some(on)).await {
        Ok(page) => Ok(Ok(page
            .items
            .into_iter()
            .map(|server| Match {
                name: server.name.to_string(),
                env: server.env,
                provider: ProviderTag {
                    provider: server.provider,
                },
            })
            .collect())),
        Err(error) if error.class() == Class::Invalid => Ok(Err(super::fleet::with_hint(&error))),
        Err(error) => Err(error.into()),
    }
}

fn field(input: &InputSpec, filled: &Filled) -> InputField {
    let default = match &input.default {
        None => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(items)) => {
            let lines: Vec<&str> = items.iter().filter_map(Value::as_str).collect();
            lines.join("\n")
        }
        Some(other) => other.to_string(),
    };
    let value = filled.text(input).unwrap_or(default);
    InputField {
        name: input.name.clone(),
        description: input.description.clone(),
        required: input.default.is_none(),
        problem: filled
            .value(input)
            .and_then(Result::err)
            .map(|problem| sentence(&problem)),
        field: match &input.kind {
            InputKind::Text => Field::Text {
                value,
                numeric: false,
            },
            InputKind::Integer { .. } | InputKind::Number => Field::Text { value, numeric: true },
            InputKind::Boolean => Field::Flag {
                value: value == "true",
            },
            InputKind::Enum(values) => Field::Choice {
                value,
                values: values.clone(),
            },
            InputKind::List => Field::Lines { value },
        },
    }
}

/// Makes a plan, and shows it; or the form again with what is wrong.
pub(crate) async fn make_plan(State(web): State<Web>, visitor: Visitor, sent: Sent) -> Answer {
    let filled = Filled::read(sent.under(""));
    let name: RunbookName = filled
        .runbook
        .parse()
        .map_err(|_| Failure::no_such("runbook", &filled.runbook))?;
    let permit = web
        .app
        .permit_on::<PlanCreate, RunbookOn>(&visitor.caller, &name)
        .await
        .map_err(Failure::refused)?;
    if !sent.text("preview").is_empty() {
        return again(&web, &visitor, &filled, Vec::new()).await;
    }
    let mut inputs = Map::new();
    let mut problems = Vec::new();
    if let Some(workflow) = chosen(&web, &visitor, name.as_str()).await? {
        for input in &workflow.inputs {
            match filled.value(input) {
                Some(Ok(value)) => drop(inputs.insert(input.name.clone(), value)),
                Some(Err(problem)) => problems.push(sentence(&problem)),
                None => {}
            }
        }
    }
    if problems.is_empty() {
        let wanted = MakePlan {
            inputs: Value::Object(inputs),
            on: (!filled.on.is_empty()).then(|| filled.on.clone()),
        };
        match plan_run(&permit, &wanted).await {
            Ok(plan) => return Ok(Redirect::to(&format!("/plans/{}", plan.digest)).into_response()),
            Err(error) if matches!(error.class(), Class::Invalid | Class::Conflict) => {
                if error.problems().is_empty() {
                    problems.push(super::fleet::with_hint(&error));
                }
                problems.extend(error.problems().iter().map(|problem| sentence(&problem.message)));
            }
            Err(error) => return Err(error.into()),
        }
    }
    let page = again(&web, &visitor, &filled, problems).await?;
    Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response())
}

/// The form again, as it was filled in.
async fn again(web: &Web, visitor: &Visitor, filled: &Filled, problems: Vec<String>) -> Answer {
    let permit = web
        .app
        .permit::<RunbookRead>(&visitor.caller)
        .await
        .map_err(Failure::refused)?;
    render(&page(web, visitor, &permit, filled, problems).await?)
}
