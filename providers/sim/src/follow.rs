//! Watching a job until it ends: its lines as they come, then its result.

use clawd_model::{AttemptId, DurationMs, ErrorKind, StepError};
use clawd_provider::{Context, Stream};
use tokio::time::{Instant, sleep_until};

use crate::job::{Job, JobState};
use crate::simulation::Simulation;

/// Why watching ended before the job did.
pub(crate) enum Unwatched {
    /// The time of the call was up; the job goes on.
    TimeUp(StepError),
    /// The simulation broke.
    Broken(StepError),
}

/// Prints what the simulation says, labelled as such.
pub(crate) fn say(context: &Context, stream: Stream, line: &str) {
    context
        .output
        .write(stream, format!("[simulated] {line}\n").as_bytes());
}

/// Waits until the job ends, and returns the state that it ended in.
///
/// A job that is found again after a crash is at its end perhaps already: then all its lines come at once.
pub(crate) async fn follow(
    simulation: &Simulation,
    context: &Context,
    attempt: AttemptId,
    job: Job,
) -> Result<JobState, Unwatched> {
    let watch = Watch::begin(context);
    let takes = job.ends_at.since(job.started_at).0;
    let parts = job.lines.len() as u64 + 1;
    for (line, part) in job.lines.iter().zip(1_u64..) {
        let share = takes.saturating_mul(part) / parts;
        watch.until(job.started_at.plus(DurationMs(share))).await?;
        say(context, Stream::Stdout, line);
    }
    watch.until(job.ends_at).await?;
    // The timer has spoken: a clock that stands still, or went back, does not keep the job from ending.
    let now = context.clock.now().max(job.ends_at);
    let state = simulation
        .visit(context, now, move |world| {
            world.jobs.get(&attempt).map(|job| job.state.clone())
        })
        .await
        .map_err(Unwatched::Broken)?;
    state.ok_or_else(|| {
        let message = format!("the simulation has lost the job of `{attempt}`");
        Unwatched::Broken(StepError::new(ErrorKind::Internal, message))
    })
}

/// Ties the moments of the stored world to the timers of this process.
struct Watch {
    began: Instant,
    now: clawd_model::Timestamp,
    ends: Instant,
    timeout: DurationMs,
}

impl Watch {
    fn begin(context: &Context) -> Self {
        let began = Instant::now();
        Self {
            began,
            now: context.clock.now(),
            ends: began + context.timeout.to_std(),
            timeout: context.timeout,
        }
    }

    async fn until(&self, moment: clawd_model::Timestamp) -> Result<(), Unwatched> {
        let due = self.began + moment.since(self.now).to_std();
        if due <= self.ends {
            sleep_until(due).await;
            return Ok(());
        }
        sleep_until(self.ends).await;
        let message = format!("the job still ran after {}", self.timeout);
        Err(Unwatched::TimeUp(StepError::new(ErrorKind::Timeout, message)))
    }
}
