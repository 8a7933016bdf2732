//! The world moves on: jobs whose time is over take effect, in the order in which they end.
//!
//! Pure, and the same whenever it is computed: a job that ended while nobody was there has the effect that it
//! would have had with somebody watching.

use clawd_model::{AttemptId, ErrorKind, OperationName, StepError, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::act;
use crate::boot::boot;
use crate::job::{BadEnd, JobState};
use crate::world::World;

/// Jobs that are kept after they are done. The engine asks for an outcome only until it has recorded it.
const JOBS_KEPT: usize = 256;

/// One line of a server's own record: an effect that took place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EffectRecord {
    /// When, in RFC 3339.
    pub at: String,
    /// Under which attempt.
    pub attempt: AttemptId,
    /// By which operation.
    pub operation: OperationName,
    /// What, in one line.
    pub summary: String,
}

/// Lets every job end whose time is over, and returns the effects that took place.
pub(crate) fn settle(world: &mut World, now: Timestamp) -> Vec<EffectRecord> {
    let mut records = Vec::new();
    loop {
        let next = world
            .jobs
            .iter()
            .filter(|(_, job)| job.is_running() && job.ends_at <= now)
            .min_by_key(|(attempt, job)| (job.ends_at, **attempt))
            .map(|(attempt, _)| *attempt);
        let Some(attempt) = next else {
            break;
        };
        records.extend(finish(world, attempt));
    }
    forget_old_jobs(world);
    records
}

/// Lets one running job end.
fn finish(world: &mut World, attempt: AttemptId) -> Option<EffectRecord> {
    let job = world.jobs.get(&attempt)?.clone();
    let JobState::Running { input, ends_in } = job.state else {
        return None;
    };
    let mut record = None;
    let state = match ends_in {
        Some(BadEnd::Failure) => JobState::Failed {
            error: asked_to_fail(&job.operation),
        },
        Some(BadEnd::PowerCut) => {
            boot(world, &format!("power cut\n{attempt}"), job.ends_at);
            JobState::Lost
        }
        None => match perform(world, &job.operation, &input, attempt, job.ends_at) {
            Ok(Performed { output, effect }) => {
                let changed = effect.is_some();
                record = effect.map(|summary| EffectRecord {
                    at: job.ends_at.to_rfc3339(),
                    attempt,
                    operation: job.operation,
                    summary,
                });
                JobState::Done { output, changed }
            }
            Err(error) => JobState::Failed { error },
        },
    };
    if let Some(job) = world.jobs.get_mut(&attempt) {
        job.state = state;
    }
    record
}

struct Performed {
    output: Value,
    /// What took place, in one line; absent when all was already as wanted.
    effect: Option<String>,
}

fn perform(
    world: &mut World,
    operation: &OperationName,
    input: &Value,
    attempt: AttemptId,
    at: Timestamp,
) -> Result<Performed, StepError> {
    let act = act::find(operation).ok_or_else(|| {
        let message = format!("the simulation does not know `{operation}`");
        StepError::new(ErrorKind::Internal, message)
    })?;
    let change = act.foresee(world, input)?;
    let moment = act::Moment {
        attempt,
        at,
        needed: change.needed,
    };
    // Half of an act must not stay behind when it fails.
    let mut after = world.clone();
    let output = act.perform(&mut after, input, &moment)?;
    *world = after;
    Ok(Performed {
        output,
        effect: change.needed.then_some(change.summary),
    })
}

/// The failure that `sim.fail` asks for.
pub(crate) fn asked_to_fail(operation: &OperationName) -> StepError {
    let action = operation.action();
    let kind = if action.starts_with("check.") {
        ErrorKind::NotVerified
    } else {
        ErrorKind::Failed
    };
    StepError::new(
        kind,
        format!("[simulated] `{operation}` failed, as the server's labels ask for"),
    )
    .with_hint("remove the label `sim.fail` from the server")
}

fn forget_old_jobs(world: &mut World) {
    while world.jobs.len() > JOBS_KEPT {
        let oldest = world
            .jobs
            .iter()
            .filter(|(_, job)| !job.is_running())
            .min_by_key(|(_, job)| job.ends_at)
            .map(|(attempt, _)| *attempt);
        match oldest {
            Some(attempt) => world.jobs.remove(&attempt),
            None => break,
        };
    }
}
