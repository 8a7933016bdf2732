//! Starting a job: at most once for an attempt id.

use clawd_model::{AttemptId, Digest, DurationMs, ErrorKind, OperationName, StepError, Timestamp};
use serde_json::Value;

use crate::act::Act;
use crate::faults::Faults;
use crate::job::{Job, JobState};
use crate::world::World;

/// What is asked of a server.
pub(crate) struct Order {
    pub(crate) act: &'static dyn Act,
    pub(crate) operation: OperationName,
    pub(crate) attempt: AttemptId,
    pub(crate) epoch: u64,
    pub(crate) input: Value,
    pub(crate) faults: Faults,
    pub(crate) delay: DurationMs,
}

/// Starts the job, or finds the one that was started before under the same attempt id.
pub(crate) fn start(world: &mut World, order: Order, now: Timestamp) -> Result<Job, StepError> {
    let input_digest = Digest::of_value(&order.input);
    if let Some(job) = world.jobs.get_mut(&order.attempt) {
        return found(job, &order, input_digest);
    }
    if order.faults.cannot_connect(world, order.attempt) {
        let message = format!("[simulated] `{}` does not answer", world.hostname);
        return Err(StepError::new(ErrorKind::Connection, message)
            .with_hint("the server's label `sim.flaky` asks for it; the next attempts will connect"));
    }
    // Input that does not fit is refused before anything is started.
    order.act.foresee(world, &order.input)?;
    let mut lines = order.act.transcript(world, &order.input);
    let action = order.operation.action();
    let started_at = match world.packages_locked_until() {
        Some(free_at) if action == "pkg.apply" => {
            lines.insert(
                0,
                "Waiting for cache lock: held by another process (apt-get)...".to_owned(),
            );
            free_at
        }
        _ => now,
    };
    let ends_in = order.faults.bad_end(world, action, order.attempt);
    let takes = DurationMs(order.delay.0.saturating_add(order.faults.slow.0));
    let job = Job {
        operation: order.operation,
        input_digest,
        epoch: order.epoch,
        started_at,
        ends_at: started_at.plus(takes),
        lines,
        state: JobState::Running {
            input: order.input,
            ends_in,
        },
    };
    world.jobs.insert(order.attempt, job.clone());
    Ok(job)
}

fn found(job: &mut Job, order: &Order, input_digest: Digest) -> Result<Job, StepError> {
    if order.epoch < job.epoch {
        let message = format!(
            "fenced: `{}` was taken over under epoch {}, and this is epoch {}",
            order.attempt, job.epoch, order.epoch
        );
        return Err(StepError::new(ErrorKind::Internal, message));
    }
    if job.input_digest != input_digest || job.operation != order.operation {
        let message = format!(
            "`{}` was started as `{}` with another input",
            order.attempt, job.operation
        );
        return Err(StepError::new(ErrorKind::Internal, message));
    }
    job.epoch = order.epoch;
    Ok(job.clone())
}
