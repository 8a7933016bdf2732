//! Decides what a step came to whose outcome nobody can know.

use clawd_audit::Draft;
use clawd_model::api::{Resolution, ResolveStep, RunSummary};
use clawd_model::{ErrorKind, Outcome, StepError};
use clawd_scheduler::StepState;
use clawd_store::{Message, RunRow, WriteError};
use serde_json::{Value, json};

use crate::error::{Class, Explained};
use crate::folded::{FoldError, with_run};
use crate::gate::{Permit, Refused, RunRead, RunResolve};
use crate::list_runs::run_summary;

/// A step was not resolved.
#[derive(Debug, thiserror::Error)]
pub enum ResolveUnknownError {
    /// The run has no such step.
    #[error("the run has no step `{0}`")]
    NoSuchStep(String),
    /// Nobody has to decide about it.
    #[error("step `{step}` is {status}: there is nothing to decide")]
    NotUnknown {
        /// Which step.
        step: String,
        /// Where it stands.
        status: &'static str,
    },
    /// It was tried again since they looked.
    #[error("attempt {seen} of step `{step}` is not the unknown one: that is attempt {present}")]
    OtherAttempt {
        /// Which step.
        step: String,
        /// Which attempt they looked at.
        seen: u32,
        /// Which attempt is unknown.
        present: u32,
    },
    /// An output is always an object.
    #[error("the output of an operation is an object")]
    OutputShape,
    /// Whoever decides has to see the run.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// The run cannot be folded.
    #[error(transparent)]
    Fold(#[from] FoldError),
    /// The store could not be written.
    #[error("the store could not be written")]
    Write(#[from] WriteError),
}

impl Explained for ResolveUnknownError {
    fn class(&self) -> Class {
        match self {
            Self::NoSuchStep(_) => Class::NotFound,
            Self::NotUnknown { .. } | Self::OtherAttempt { .. } => Class::Conflict,
            Self::OutputShape => Class::Invalid,
            Self::Refused(error) => error.class(),
            Self::Fold(error) => error.class(),
            Self::Write(_) => Class::Internal,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::NoSuchStep(_) => "no-such-step",
            Self::NotUnknown { .. } => "not-unknown",
            Self::OtherAttempt { .. } => "other-attempt",
            Self::OutputShape => "invalid-output",
            Self::Refused(error) => error.code(),
            Self::Fold(error) => error.code(),
            Self::Write(_) => "store",
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::NoSuchStep(_) => {
                Some("steps are named `job/server/step`, such as `rollout/web-1/apply`".to_owned())
            }
            Self::OtherAttempt { .. } => {
                Some("look at the server and at the run again, then decide about what you see".to_owned())
            }
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
}

/// Decides what an unknown step of the permit's run came to.
///
/// # Errors
/// When the step is not unknown, when it was tried again since they looked, or the store fails.
pub async fn resolve_unknown(
    permit: &Permit<RunResolve, RunRow>,
    resolve: ResolveStep,
) -> Result<RunSummary, ResolveUnknownError> {
    let run = permit.on();
    let reading = permit.also::<RunRead>().await?;
    let found = with_run(&reading, |folded| {
        let step = folded.find(&resolve.step)?;
        let state = folded.state.step(step);
        let unknown = match state {
            Some(StepState::Unknown { attempt, .. }) => Some(*attempt),
            _ => None,
        };
        Some((
            step,
            unknown,
            state.map_or("pending", |state| state.status().as_str()),
        ))
    });
    let (step, unknown, status) = found
        .await?
        .ok_or_else(|| ResolveUnknownError::NoSuchStep(resolve.step.clone()))?;
    let attempt = unknown.ok_or_else(|| ResolveUnknownError::NotUnknown {
        step: resolve.step.clone(),
        status,
    })?;
    if attempt != resolve.attempt {
        return Err(ResolveUnknownError::OtherAttempt {
            step: resolve.step,
            seen: resolve.attempt,
            present: attempt,
        });
    }
    let by = permit.caller().principal().name.clone();
    let outcome = outcome(&resolve.resolution, by.as_str())?;
    let data = json!({"attempt": attempt, "resolution": resolve.resolution, "bundle": permit.bundle()});
    let record = Draft {
        run: Some(run.id),
        ..permit.record("step.resolved", resolve.step.clone(), data)
    };
    let message = Message::Resolve {
        step,
        attempt,
        outcome,
        by,
    };
    match permit.store().post(&message, run.id, &[record]).await {
        Ok(()) => {}
        Err(WriteError::Missing(_)) => {
            return Err(ResolveUnknownError::NotUnknown {
                step: resolve.step,
                status: "part of a run that is over",
            });
        }
        Err(error) => return Err(error.into()),
    }
    permit.app().driver().wake(run.id);
    Ok(run_summary(run))
}

fn outcome(resolution: &Resolution, by: &str) -> Result<Option<Outcome>, ResolveUnknownError> {
    Ok(match resolution {
        Resolution::DidNotHappen => None,
        Resolution::Failed { message } => {
            let error = StepError::new(ErrorKind::Failed, format!("{message} (as `{by}` found)"));
            Some(Outcome::Failed { error })
        }
        Resolution::Happened {
            output: Value::Null,
            changed,
        } => Some(Outcome::Succeeded {
            output: json!({}),
            changed: *changed,
        }),
        Resolution::Happened {
            output: output @ Value::Object(_),
            changed,
        } => Some(Outcome::Succeeded {
            output: output.clone(),
            changed: *changed,
        }),
        Resolution::Happened { .. } => return Err(ResolveUnknownError::OutputShape),
    })
}

#[cfg(test)]
mod tests;
