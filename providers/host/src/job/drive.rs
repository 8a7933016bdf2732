//! Takes a job from its start to its result, over as many connections as it needs.

use std::time::Duration;

use clawd_model::{AttemptId, ErrorKind, StepError};
use clawd_provider::{Context, ProviderError, Stream};
use tokio::time::{Instant, sleep, sleep_until, timeout, timeout_at};

use super::answer::{Start, State, Stop};
use super::client::{CallError, Jobs};
use super::collect::{Collected, Ended};
use super::spec::JobSpec;
use crate::host::{Host, cancelled, deadline, out_of_time};

/// The first and the longest pause between two tries to reach a host again.
const PAUSES: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(5));
/// How long it may take, beyond the limit of the call, to end a command and to learn what it came to.
const STOP_LIMIT: Duration = Duration::from_secs(25);

/// What happens to a command whose time is up, or whose run was cancelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AtLimit {
    /// It is ended.
    Stop,
    /// It goes on, since ending it halfway would do harm; what becomes of it is found out later.
    LetGo,
}

/// What became of a job that was begun before a crash.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum JobRecovered {
    /// It ended.
    Ended(Ended),
    /// It was ended now, since its time was up or the run was cancelled.
    Stopped(StepError),
    /// Proven: it never started, and with what was sent before it never will.
    NotStarted,
    /// Nobody can know.
    Indeterminate(StepError),
}

/// The key of this attempt.
///
/// # Errors
/// `internal` when an operation is applied without one.
fn key(context: &Context) -> Result<AttemptId, StepError> {
    context
        .attempt
        .ok_or_else(|| StepError::new(ErrorKind::Internal, "an attempt without a key"))
}

/// Starts a job, streams its output, and gives its end.
///
/// # Errors
/// `Failed` when it is proven that nothing was begun, or that it was ended; else `OutcomeUnknown`.
pub(crate) async fn run(
    host: &Host,
    context: &Context,
    spec: &JobSpec,
    at_limit: AtLimit,
    deadline: Instant,
) -> Result<Ended, ProviderError> {
    let jobs = Jobs::new(host, key(context)?, context.epoch);
    begin(host, context, spec, deadline).await?;
    let mut collected = Collected::new(context.output.clone()).without(&context.redactor);
    match see_through(&jobs, context, &mut collected, at_limit, deadline).await? {
        Seen::State(state) => conclude(&jobs, collected, state).await,
        Seen::Stopped(error) => Err(ProviderError::Failed(error)),
    }
}

/// How a job that had started came to its end.
enum Seen {
    /// By itself, as far as is known.
    State(State),
    /// We ended it; why.
    Stopped(StepError),
}

/// Follows a job to its end, or to the limit, and then does what is to be done there.
async fn see_through(
    jobs: &Jobs<'_>,
    context: &Context,
    collected: &mut Collected,
    at_limit: AtLimit,
    deadline: Instant,
) -> Result<Seen, ProviderError> {
    let place = &jobs.host.place;
    let limit = tokio::select! {
        biased;
        state = follow(jobs, context, collected) => return Ok(Seen::State(state?)),
        () = sleep_until(deadline) => out_of_time(context, place),
        () = context.cancel.cancelled(), if at_limit == AtLimit::Stop => cancelled(place),
    };
    if at_limit == AtLimit::LetGo {
        return Err(ProviderError::OutcomeUnknown(still_runs(limit)));
    }
    let ending = async {
        let stop = stop(jobs, context).await?;
        Ok::<_, ProviderError>((stop, follow(jobs, context, collected).await?))
    };
    match timeout(STOP_LIMIT, ending).await {
        // It was faster than we; or it was told to end, and was done all the same.
        Ok(Ok((Stop::Ended, state) | (Stop::Stopped, state @ State::Done { code: 0 }))) => {
            Ok(Seen::State(state))
        }
        Ok(Ok((Stop::Stopped, State::Done { .. }))) => Ok(Seen::Stopped(limit)),
        Ok(Ok((Stop::Stopped, state @ State::Indeterminate(_)))) => Ok(Seen::State(state)),
        _ => Err(ProviderError::OutcomeUnknown(still_runs(limit))),
    }
}

/// Ends the command.
async fn stop(jobs: &Jobs<'_>, context: &Context) -> Result<Stop, ProviderError> {
    let mut pause = PAUSES.0;
    loop {
        match jobs.stop().await {
            Ok(answer) => return Ok(answer),
            Err(error) => wait(jobs.host, context, error, &mut pause).await?,
        }
    }
}

/// Starts a job.
///
/// # Errors
/// As [`run`].
pub(crate) async fn begin(
    host: &Host,
    context: &Context,
    spec: &JobSpec,
    deadline: Instant,
) -> Result<(), ProviderError> {
    let jobs = Jobs::new(host, key(context)?, context.epoch);
    if context.cancel.is_cancelled() {
        return Err(cancelled(&host.place).into());
    }
    // Time that ran out before anything was sent is no unknown outcome.
    timeout_at(deadline, host.transport.ready())
        .await
        .map_err(|_| out_of_time(context, &host.place))?
        .map_err(|error| host.error(&error))?;
    timeout_at(deadline, start(&jobs, context, spec))
        .await
        .unwrap_or_else(|_| Err(ProviderError::OutcomeUnknown(out_of_time(context, &host.place))))
}

/// Whether a job has begun.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Begun {
    /// Proven: it never started, and with what was sent before it never will.
    NotStarted,
    /// It has started.
    Started {
        /// The note of its specification.
        note: String,
        /// Its exit code, once it has ended.
        code: Option<u8>,
    },
}

/// Looks up whether a job has begun; waits for nothing but the host's answer.
///
/// # Errors
/// When the host cannot be asked now.
pub(crate) async fn begun(host: &Host, context: &Context, deadline: Instant) -> Result<Begun, ProviderError> {
    let jobs = Jobs::new(host, key(context)?, context.epoch);
    let (state, note) = settle_until(&jobs, context, deadline).await?;
    match state {
        State::None { .. } => Ok(Begun::NotStarted),
        State::Done { code } => Ok(Begun::Started {
            note,
            code: Some(code),
        }),
        State::Running | State::Indeterminate(_) => Ok(Begun::Started { note, code: None }),
        State::Fenced => Err(fenced(host)),
    }
}

fn still_runs(error: StepError) -> StepError {
    let hint = "it may still run on the host, and its result is kept there";
    StepError::new(error.kind, error.message).with_hint(hint)
}

/// Looks up a job that was begun before a crash; waits for it while it runs, within the limits of the call.
///
/// # Errors
/// `Failed` when the host cannot be asked now, `OutcomeUnknown` when the job may go on beyond the limit.
pub(crate) async fn recover(
    host: &Host,
    context: &Context,
    at_limit: AtLimit,
) -> Result<JobRecovered, ProviderError> {
    let jobs = Jobs::new(host, key(context)?, context.epoch);
    let deadline = deadline(context);
    let (state, note) = settle_until(&jobs, context, deadline).await?;
    if let State::None { .. } = state {
        return Ok(JobRecovered::NotStarted);
    }
    let mut collected = Collected::new(context.output.clone()).without(&context.redactor);
    collected.note("found the job on the host again; its whole output follows");
    let seen = match state {
        State::Running => see_through(&jobs, context, &mut collected, at_limit, deadline).await?,
        // Whatever is left of the time: only its output is still to come.
        State::Done { .. } => {
            let limit = deadline.max(Instant::now() + STOP_LIMIT);
            let state = timeout_at(limit, follow(&jobs, context, &mut collected)).await;
            Seen::State(state.map_err(|_| out_of_time(context, &host.place))??)
        }
        other => Seen::State(other),
    };
    let state = match seen {
        Seen::State(state) => state,
        Seen::Stopped(error) => return Ok(JobRecovered::Stopped(error)),
    };
    match conclude(&jobs, collected, state).await {
        Ok(ended) => Ok(JobRecovered::Ended(Ended { note, ..ended })),
        Err(ProviderError::OutcomeUnknown(error)) if error.kind == ErrorKind::Indeterminate => {
            Ok(JobRecovered::Indeterminate(error))
        }
        Err(error) => Err(error),
    }
}

/// Until it is certain that the job has started.
async fn start(jobs: &Jobs<'_>, context: &Context, spec: &JobSpec) -> Result<(), ProviderError> {
    let (mut generation, mut pause) = (0, PAUSES.0);
    // INVARIANT: here nothing is on its way that could still start the job.
    loop {
        let began = match jobs.start(spec, generation).await {
            Ok(Start::Started) => return Ok(()),
            Ok(Start::Superseded(current)) => {
                generation = current;
                continue;
            }
            Ok(Start::Busy) => {
                let busy = CallError::Passing(jobs.host.failed("somebody else is at work on the job"));
                wait(jobs.host, context, busy, &mut pause).await?;
                continue;
            }
            Ok(Start::Fenced) => return Err(fenced(jobs.host)),
            Ok(Start::Conflict) => return Err(conflict(jobs.host).into()),
            // Whatever was sent before was settled, so these prove that nothing has begun.
            Ok(Start::Error(said)) => return Err(jobs.host.failed(&said).into()),
            Err(CallError::NotInstalled(error)) => return Err(error.into()),
            Err(CallError::Transport(error)) if error.never_began() => {
                return Err(jobs.host.error(&error).into());
            }
            // These do not.
            Ok(Start::Stuck) => Err(jobs.host.failed("the job was launched, but does not start")),
            Err(CallError::Host(error) | CallError::Passing(error)) => Err(error),
            Err(CallError::Transport(_)) => Ok(()),
        };
        match (settle(jobs, context).await?.0, began) {
            (State::None { .. }, Err(error)) => return Err(error.into()),
            (State::None { generation: current }, Ok(())) => generation = current,
            // What became of it, nobody may know; but it has started.
            (State::Running | State::Done { .. } | State::Indeterminate(_), _) => return Ok(()),
            (State::Fenced, _) => return Err(fenced(jobs.host)),
        }
    }
}

/// Asks what is known, until the host answers.
async fn settle(jobs: &Jobs<'_>, context: &Context) -> Result<(State, String), ProviderError> {
    let mut pause = PAUSES.0;
    loop {
        match jobs.settle().await {
            Ok(answer) => return Ok(answer),
            Err(error) => wait(jobs.host, context, error, &mut pause).await?,
        }
    }
}

/// The same, within the limits of the call. A cancelled run still wants to know, but waits for no host that is away.
async fn settle_until(
    jobs: &Jobs<'_>,
    context: &Context,
    deadline: Instant,
) -> Result<(State, String), ProviderError> {
    let given_up = async {
        context.cancel.cancelled().await;
        sleep(STOP_LIMIT).await;
    };
    tokio::select! {
        biased;
        answer = settle(jobs, context) => answer,
        () = sleep_until(deadline) => Err(out_of_time(context, &jobs.host.place).into()),
        () = given_up => Err(cancelled(&jobs.host.place).into()),
    }
}

/// Follows the job over any number of connections.
async fn follow(
    jobs: &Jobs<'_>,
    context: &Context,
    collected: &mut Collected,
) -> Result<State, ProviderError> {
    let mut pause = PAUSES.0;
    loop {
        let before = collected.offsets();
        match jobs.follow(collected).await {
            Ok(State::Running) => {}
            Ok(state) => return Ok(state),
            Err(error) => {
                if collected.offsets() != before {
                    pause = PAUSES.0;
                }
                if let CallError::Transport(lost) = &error {
                    collected.note(&format!("{}: {lost}; trying again", jobs.host.place));
                }
                wait(jobs.host, context, error, &mut pause).await?;
            }
        }
    }
}

/// Pauses after an error that may pass; any other leaves the outcome unknown.
async fn wait(
    host: &Host,
    context: &Context,
    error: CallError,
    pause: &mut Duration,
) -> Result<(), ProviderError> {
    match error {
        CallError::Transport(error) if error.is_passing() => {}
        CallError::Passing(error) => {
            let note = format!("{}; asking again\n", error.message);
            context.output.write(Stream::Note, note.as_bytes());
        }
        CallError::Transport(error) => return Err(ProviderError::OutcomeUnknown(host.error(&error))),
        CallError::Host(error) | CallError::NotInstalled(error) => {
            return Err(ProviderError::OutcomeUnknown(error));
        }
    }
    sleep(*pause).await;
    *pause = (*pause * 2).min(PAUSES.1);
    Ok(())
}

async fn conclude(jobs: &Jobs<'_>, collected: Collected, state: State) -> Result<Ended, ProviderError> {
    match state {
        State::Done { code } => {
            // Only tidiness depends on it.
            let _ = timeout(PAUSES.1, jobs.collected()).await;
            Ok(collected.ended(code, String::new()))
        }
        State::Indeterminate(why) => Err(indeterminate(jobs.host, &why)),
        State::Fenced => Err(fenced(jobs.host)),
        State::None { .. } | State::Running => {
            Err(indeterminate(jobs.host, "the host has forgotten the job"))
        }
    }
}

fn indeterminate(host: &Host, why: &str) -> ProviderError {
    let error = StepError::new(ErrorKind::Indeterminate, format!("{}: {why}", host.place));
    ProviderError::OutcomeUnknown(error.with_hint("look at the host, then say what became of the step"))
}

fn fenced(host: &Host) -> ProviderError {
    let message = format!("{}: another controller has taken over", host.place);
    ProviderError::OutcomeUnknown(StepError::new(ErrorKind::Internal, message))
}

fn conflict(host: &Host) -> StepError {
    let message = format!(
        "{}: another command was started under this attempt's key",
        host.place
    );
    StepError::new(ErrorKind::Internal, message)
}
