//! What a step has printed.

use clawd_model::AttemptId;
use clawd_model::api::{OutputChunk, OutputView};
use clawd_store::{ReadError, RunRow, Stream};

use crate::error::{Class, Explained};
use crate::folded::{FoldError, with_run};
use crate::gate::{Permit, RunRead};

/// How many pieces are given at once.
const PIECES: u32 = 500;

/// Output cannot be shown.
#[derive(Debug, thiserror::Error)]
pub enum StepOutputError {
    /// The run has no such step.
    #[error("the run has no step `{0}`")]
    NoSuchStep(String),
    /// The step was not tried that often.
    #[error("step `{step}` had no attempt {attempt}")]
    NoSuchAttempt {
        /// Which step.
        step: String,
        /// Which attempt was asked for.
        attempt: u32,
    },
    /// The run cannot be folded.
    #[error(transparent)]
    Fold(#[from] FoldError),
    /// The store could not be read.
    #[error("the store could not be read")]
    Read(#[from] ReadError),
}

impl Explained for StepOutputError {
    fn class(&self) -> Class {
        match self {
            Self::NoSuchStep(_) | Self::NoSuchAttempt { .. } => Class::NotFound,
            Self::Fold(error) => error.class(),
            Self::Read(_) => Class::Internal,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::NoSuchStep(_) => "no-such-step",
            Self::NoSuchAttempt { .. } => "no-such-attempt",
            Self::Fold(error) => error.code(),
            Self::Read(_) => "store",
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::NoSuchStep(_) => {
                Some("steps are named `job/server/step`, such as `rollout/web-1/apply`".to_owned())
            }
            _ => None,
        }
    }
}

/// What a step of the run has printed, from byte `from` on.
///
/// # Errors
/// When there is no such step or attempt.
pub async fn step_output(
    permit: &Permit<RunRead, RunRow>,
    step: &str,
    attempt: Option<u32>,
    from: u64,
) -> Result<OutputView, StepOutputError> {
    let found = with_run(permit, |folded| {
        let step_ref = folded.find(step)?;
        let detail = folded.details.get(&step_ref).cloned().unwrap_or_default();
        Some((step_ref, detail.attempt, detail.finished_at.is_some()))
    });
    let (step_ref, last, finished) = found
        .await?
        .ok_or_else(|| StepOutputError::NoSuchStep(step.to_owned()))?;
    let wanted = attempt.unwrap_or(last);
    if wanted == 0 || wanted > last {
        return Err(StepOutputError::NoSuchAttempt {
            step: step.to_owned(),
            attempt: wanted,
        });
    }
    let run = permit.on();
    let id = AttemptId::derive(&run.tenant, run.id, step_ref, wanted);
    let pieces = permit.store().output(id, from, PIECES).await?;
    let next = pieces
        .last()
        .map_or(from, |piece| piece.position + piece.bytes.len() as u64);
    let full = pieces.len() >= usize::try_from(PIECES).unwrap_or(usize::MAX);
    let chunks = pieces
        .into_iter()
        .map(|piece| {
            // The first piece may begin before the place that was asked for.
            let skip = usize::try_from(from.saturating_sub(piece.position)).unwrap_or(usize::MAX);
            let bytes = piece.bytes.get(skip..).unwrap_or_default();
            OutputChunk {
                stream: stream_word(piece.stream).to_owned(),
                at: piece.at,
                text: String::from_utf8_lossy(bytes).into_owned(),
            }
        })
        .collect();
    Ok(OutputView {
        attempt: id,
        chunks,
        next,
        complete: !full && (wanted < last || finished),
    })
}

/// The word in documents, which is not the one in the store.
const fn stream_word(stream: Stream) -> &'static str {
    match stream {
        Stream::Out => "stdout",
        Stream::Err => "stderr",
        Stream::Mark => "note",
    }
}
