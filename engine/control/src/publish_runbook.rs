//! Checks a runbook, and publishes a version of it.

use std::sync::Arc;

use clawd_model::Problem;
use clawd_model::api::CheckedRunbook;
use clawd_store::{ReadError, RunbookVersion, WriteError};
use serde_json::json;

use crate::error::{Class, Explained};
use crate::gate::{Permit, Refused, RunbookOn, RunbookPublish, RunbookRead};

/// A runbook was not published.
#[derive(Debug, thiserror::Error)]
pub enum PublishRunbookError {
    /// It has errors. All of them are here.
    #[error("the runbook has {}", count(.0))]
    Invalid(Vec<Problem>),
    /// The caller may not publish this runbook.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// The store could not be read.
    #[error("the store could not be read")]
    Read(#[from] ReadError),
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
            Self::Refused(error) => error.class(),
            Self::Read(_) | Self::Write(_) => Class::Internal,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Invalid(_) => "invalid-runbook",
            Self::Refused(error) => error.code(),
            Self::Read(_) | Self::Write(_) => "store",
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Refused(error) => error.hint(),
            _ => None,
        }
    }

    fn reasons(&self) -> &[String] {
        match self {
            Self::Refused(error) => error.reasons(),
            _ => &[],
        }
    }

    fn problems(&self) -> &[Problem] {
        match self {
            Self::Invalid(problems) => problems,
            _ => &[],
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
/// Which runbook it is stands in its text, so the gate is asked once more: about the version that is replaced and about
/// the new one, since their labels may differ, and neither must be a way around a policy about the other.
///
/// # Errors
/// All problems of the runbook, warnings alone are no error; or the gate's refusal.
pub async fn publish_runbook(
    permit: &Permit<RunbookPublish>,
    source: &str,
) -> Result<CheckedRunbook, PublishRunbookError> {
    let checked = clawd_workflow::check(source, permit.app().registry().specs());
    let Some(workflow) = checked.workflow else {
        return Err(PublishRunbookError::Invalid(checked.problems));
    };
    let workflow = Arc::new(workflow);
    let store = permit.store();
    if let Some(present) = store.runbook(&workflow.name).await? {
        let known = permit.app().workflow(present.digest, &present.source);
        let present = RunbookOn::new(permit.tenant().clone(), present, known);
        permit.on_other::<RunbookPublish, RunbookOn>(present).await?;
    }
    let by = &permit.caller().principal().name;
    let version = RunbookVersion {
        name: workflow.name.clone(),
        digest: workflow.digest,
        source: source.to_owned(),
        published_by: by.clone(),
        published_at: permit.app().now(),
        active: true,
    };
    let new = RunbookOn::new(permit.tenant().clone(), version, Some(Arc::clone(&workflow)));
    permit.on_other::<RunbookPublish, RunbookOn>(new).await?;
    let record = permit.record(
        "runbook.published",
        format!("runbook/{}", workflow.name),
        json!({"digest": workflow.digest, "warnings": checked.problems.len()}),
    );
    store
        .publish_runbook(&workflow.name, workflow.digest, source, by, &[record])
        .await?;
    Ok(CheckedRunbook {
        name: Some(workflow.name.clone()),
        digest: Some(workflow.digest),
        problems: checked.problems,
    })
}

#[cfg(test)]
mod tests;
