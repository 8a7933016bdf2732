//! Checks a runbook, and publishes a version of it.

use clawd_model::Problem;
use clawd_model::api::CheckedRunbook;
use clawd_store::WriteError;
use serde_json::json;

use crate::error::{Class, Explained};
use crate::gate::{Permit, RunbookPublish, RunbookRead};

/// A runbook was not published.
#[derive(Debug, thiserror::Error)]
pub enum PublishRunbookError {
    /// It has errors. All of them are here.
    #[error("the runbook has {}", count(.0))]
    Invalid(Vec<Problem>),
    /// The store could not be written.
    #[error("the store could not be written")]
    Write(#[from] WriteError),
}

fn count(problems: &[Problem]) -> String {
    match problems.len() {
        1 => "a problem".to_owned(),
        count => format!("{count} problems"),
    }
}

impl Explained for PublishRunbookError {
    fn class(&self) -> Class {
        match self {
            Self::Invalid(_) => Class::Invalid,
            Self::Write(_) => Class::Internal,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Invalid(_) => "invalid-runbook",
            Self::Write(_) => "store",
        }
    }

    fn problems(&self) -> &[Problem] {
        match self {
            Self::Invalid(problems) => problems,
            Self::Write(_) => &[],
        }
    }
}

/// All problems of a runbook, with the operations of this process. Nothing is kept.
#[must_use]
pub fn check_runbook(permit: &Permit<RunbookRead>, source: &str) -> CheckedRunbook {
    let checked = clawd_workflow::check(source, permit.app().registry().specs());
    CheckedRunbook {
        name: checked.workflow.as_ref().map(|workflow| workflow.name.clone()),
        digest: checked.workflow.as_ref().map(|workflow| workflow.digest),
        problems: checked.problems,
    }
}

/// Publishes a version of a runbook, and makes it the active one. Runs that are under way keep theirs. Publishing the
/// same again changes nothing but which version is active.
///
/// # Errors
/// All problems of the runbook; warnings alone are no error.
pub async fn publish_runbook(
    permit: &Permit<RunbookPublish>,
    source: &str,
) -> Result<CheckedRunbook, PublishRunbookError> {
    let checked = clawd_workflow::check(source, permit.app().registry().specs());
    let Some(workflow) = checked.workflow else {
        return Err(PublishRunbookError::Invalid(checked.problems));
    };
    let record = permit.record(
        "runbook.published",
        format!("runbook/{}", workflow.name),
        json!({"digest": workflow.digest, "warnings": checked.problems.len()}),
    );
    let by = &permit.caller().principal().name;
    permit
        .store()
        .publish_runbook(&workflow.name, workflow.digest, source, by, &[record])
        .await?;
    Ok(CheckedRunbook {
        name: Some(workflow.name),
        digest: Some(workflow.digest),
        problems: checked.problems,
    })
}
