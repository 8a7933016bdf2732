//! Cancels a run: nothing new begins, attempts that began are finished.

use clawd_audit::Draft;
use clawd_model::api::RunSummary;
use clawd_store::{Message, RunRow, WriteError};
use serde_json::json;

use crate::error::{Class, Explained};
use crate::gate::{Permit, RunCancel, Target};
use crate::list_runs::run_summary;

/// The longest reason.
const REASON_MAX: usize = 2000;

/// A run was not cancelled.
#[derive(Debug, thiserror::Error)]
pub enum CancelRunError {
    /// It is over.
    #[error("the run is over: {0}")]
    Over(&'static str),
    /// The reason is too long.
    #[error("the reason is longer than {REASON_MAX} characters")]
    ReasonTooLong,
    /// The store could not be written.
    #[error("the store could not be written")]
    Write(#[source] WriteError),
}

impl Explained for CancelRunError {
    fn class(&self) -> Class {
        match self {
            Self::Over(_) => Class::Conflict,
            Self::ReasonTooLong => Class::Invalid,
            Self::Write(_) => Class::Internal,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Over(_) => "run-over",
            Self::ReasonTooLong => "reason-too-long",
            Self::Write(_) => "store",
        }
    }
}

/// Cancels the run that the permit is for. Doing it twice changes nothing.
///
/// # Errors
/// When the run is over, or the store fails.
pub async fn cancel_run(
    permit: &Permit<RunCancel, RunRow>,
    reason: &str,
) -> Result<RunSummary, CancelRunError> {
    let row = permit.on();
    if row.status.is_final() {
        return Err(CancelRunError::Over(row.status.as_str()));
    }
    if reason.chars().count() > REASON_MAX {
        return Err(CancelRunError::ReasonTooLong);
    }
    let by = permit.caller().principal().name.clone();
    let record = Draft {
        run: Some(row.id),
        ..permit.record("run.cancelled", row.subject(), json!({"reason": reason}))
    };
    let message = Message::Cancel {
        by,
        reason: reason.to_owned(),
    };
    match permit.store().post(&message, row.id, &[record]).await {
        Ok(()) => {}
        Err(WriteError::Missing(_)) => return Err(CancelRunError::Over("it ended in the meantime")),
        Err(error) => return Err(CancelRunError::Write(error)),
    }
    permit.app().driver().wake(row.id);
    Ok(run_summary(row))
}
